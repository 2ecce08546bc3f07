import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { TerraformStack } from "cdktf";
import { DockerHost } from "../../constructs/docker-host";
import { RolloutStep, type RolloutStepProps } from "../../constructs/rollout-step";
import { PROJECT } from "../cluster-files";
import { rendered, synthesize } from "../synthesized";

function stackWith(...steps: Partial<RolloutStepProps>[]) {
  const { stacks } = synthesize((app) => {
    const stack = new TerraformStack(app, "t");
    const host = new DockerHost(stack, "h1", { address: "10.0.0.1", daemon: "ssh://root@{address}" });
    for (const [index, props] of steps.entries()) {
      const step = new RolloutStep(stack, `step${index}`, {
        script: "gate",
        arguments: [],
        targets: [{ host, container: "s1" }],
        triggers: ["x"],
        ...props,
      });
      step.resource.overrideLogicalId(`step${index}`);
    }
  });
  return stacks.t as NonNullable<typeof stacks.t>;
}

const environmentOf = (props: Partial<RolloutStepProps>): Record<string, string> =>
  stackWith(props).resource.terraform_data.step0?.provisioner[0]?.["local-exec"].environment ?? {};

test("a step runs when it is created, and again when a trigger changes", () => {
  const { triggers_replace, provisioner } = stackWith({ triggers: ["a", "b"] }).resource.terraform_data.step0 ?? {};
  expect(Object.values(triggers_replace ?? {})).toEqual(["a", "b"]);
  expect(provisioner?.[0]?.["local-exec"].command).toBe('sh -c "$ASK"');
});

test.each([
  ["ask", ["operator/docker.sh", "operator/run-step.sh"]],
  ["gate", ["agent/consul-api.sh", "agent/lock.sh", "agent/readiness.sh"]],
  ["quorum", ["agent/consul-api.sh", "agent/voters.sh"]],
])("the script %s has the text of its files, without comments and indentation", (name, files) => {
  const { locals } = stackWith({}, { script: "quorum" });
  const code = (text: string) => text.split("\n").flatMap((line) => (/^\s*(#|$)/.test(line) ? [] : line.trimStart()));
  const text = rendered(locals?.[`consul_${name}`] ?? "");
  expect(code(text)).toEqual(files.flatMap((file) => code(readFileSync(join(PROJECT, "rollout", file), "utf8"))));
  expect(text.split("\n").filter((line) => line.startsWith("#"))).toEqual(files.map((file) => `# ${basename(file)}`));
  expect(spawnSync("sh", ["-n"], { input: text }).status).toBe(0);
});

test("a stack has each script once, for any number of agents", () => {
  expect(Object.keys(stackWith({}, {}, { script: "quorum" }).locals ?? {})).toEqual([
    "consul_ask",
    "consul_gate",
    "consul_quorum",
  ]);
});

test("a script that no step uses is not in the stack", () =>
  expect(Object.keys(stackWith({}).locals ?? {})).toEqual(["consul_ask", "consul_gate"]));

test.each([["plain"], ["two words"], ["it's"], ["$HOME"], ["`id`"], ['"'], ["a;b"], ["*"], ["\\"], ["a\nb"]])(
  "the argument %j reaches the script whole",
  (argument) => {
    const { ASK_ARGUMENTS = "" } = environmentOf({ arguments: [argument, "end"] });
    const { stdout } = spawnSync(
      "/bin/sh",
      ["-c", `eval "set -- $WORDS"; while [ $# -gt 1 ] && [ "$2" != end ]; do shift; done; printf '%s' "$1"`],
      {
        encoding: "utf8",
        env: { WORDS: rendered(ASK_ARGUMENTS) },
      },
    );
    expect(stdout).toBe(argument);
  },
);

test("containers are tried in the given order, each with the docker CLI's arguments for its host", () => {
  const { stacks } = synthesize((app) => {
    const stack = new TerraformStack(app, "t");
    const [one, two] = ["10.0.0.1", "10.0.0.2"].map(
      (address, index) => new DockerHost(stack, `h${index}`, { address, daemon: "ssh://root@{address}" }),
    ) as [DockerHost, DockerHost];
    const targets = [
      { host: two, container: "s2" },
      { host: one, container: "s1" },
    ];
    new RolloutStep(stack, "step", {
      script: "quorum",
      arguments: [],
      targets,
      triggers: [],
    }).resource.overrideLogicalId("step");
  });
  const { ASK_TARGETS } = stacks.t?.resource.terraform_data.step?.provisioner[0]?.["local-exec"].environment ?? {};
  expect(ASK_TARGETS).toBe("-H ssh://root@10.0.0.2 exec -i s2\n-H ssh://root@10.0.0.1 exec -i s1");
});
