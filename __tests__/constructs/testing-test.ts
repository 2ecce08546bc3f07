import { join } from "node:path";
import { App } from "cdktf";
import { Testing } from "../../constructs/testing";
import { OwnStack } from "../own-stack";

function synthesized(build: (stack: OwnStack) => void) {
  const stack = new OwnStack(new App());
  build(stack);
  return Testing.synth(stack);
}
const uploadsOf = (stack: ReturnType<typeof synthesized>) =>
  stack.resource.docker_container?.s1?.upload as { file: string; content?: string; source?: string }[];

test("a stack's JSON has scripts by their names, and an agent's configuration as it is", () => {
  const [config, ...scripts] = uploadsOf(synthesized((stack) => stack.server(1)));
  expect(scripts).toEqual([
    { file: "/consul/health.sh", source: "${path.module}/health.sh", source_hash: "<health.sh>" },
    {
      file: "/consul/leave-leadership.sh",
      source: "${path.module}/leave-leadership.sh",
      source_hash: "<leave-leadership.sh>",
    },
  ]);
  expect(JSON.parse(config?.content ?? "")).toMatchObject({ datacenter: "dc1" });
});

test("a stack's JSON is the same on every machine", () => {
  const stack = synthesized((own) => own.server(1, { security: { secrets: join(process.cwd(), "secrets/s1") } }));
  expect(uploadsOf(stack).map(({ source }) => source)).toContain("<project>/secrets/s1/ca.pem");
  expect(JSON.stringify(stack)).not.toContain(process.cwd());
  expect(stack).not.toHaveProperty("//");
});

test("a stack has its outputs, providers and requirements, and lists are empty without any", () => {
  const { output, provider, terraform } = synthesized((stack) => stack.server(1));
  expect(Object.keys(output)).toEqual(["s1"]);
  expect(provider.docker?.map(({ alias }) => alias)).toEqual(["h1"]);
  expect(terraform).toMatchObject({ required_version: ">= 1.4.0" });
  expect(synthesized((stack) => stack.host(1))).toMatchObject({ resource: {}, output: {} });
});

test("what a synth rejects fails the test", () =>
  expect(() => synthesized((stack) => stack.client(1, { join: [] }))).toThrow(
    "[mine/c1] this client agent joins no server",
  ));
