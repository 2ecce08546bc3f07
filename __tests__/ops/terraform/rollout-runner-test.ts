import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadCluster } from "../../../cluster/file/load";
import { secretsId } from "../../../consul/contract";
import { RolloutRunner } from "../../../ops/terraform/rollout-runner";
import { allow, deny, type Outcome, told } from "../../../rollout/outcome";
import { perform, type Surroundings } from "../../../rollout/perform";
import type { ReadinessRequest, ReplaceRequest, StepRequest } from "../../../rollout/request";
import { FOUR_HOSTS, folder, load, PROJECT } from "../../cluster-files";
import { requestOf, stackOf, synthesizeCluster } from "../../synthesized";

jest.mock("../../../rollout/perform", () => ({ perform: jest.fn() }));
const performed = perform as jest.MockedFunction<typeof perform>;
const { perform: reallyPerform } =
  jest.requireActual<typeof import("../../../rollout/perform")>("../../../rollout/perform");

const SEED_FILE = "clusters/seed.yaml";
type Overrides = ConstructorParameters<typeof RolloutRunner>[2];

/** Every step has the outcome, until it is said otherwise. */
function outcomes(outcome: (request: StepRequest) => Outcome): { request: StepRequest; surroundings: Surroundings }[] {
  const seen: { request: StepRequest; surroundings: Surroundings }[] = [];
  performed.mockImplementation(async (request, surroundings) => {
    seen.push({ request, surroundings });
    return outcome(request);
  });
  return seen;
}
const allowed = () => outcomes(() => allow("fine"));

/** A synthesized stack in a folder, and what runs its steps. */
function project(
  cluster: ReturnType<typeof loadCluster> = loadCluster(join(PROJECT, SEED_FILE)),
  overrides?: Overrides,
) {
  const directory = folder();
  const synthesized = synthesizeCluster(cluster);
  const [name = ""] = Object.keys(synthesized.stacks);
  writeFileSync(join(directory, "cdk.tf.json"), synthesized.texts[name] ?? "");
  const log: string[] = [];
  const runner = new RolloutRunner(directory, (line) => log.push(line), overrides);
  return { directory, log, runner, stack: stackOf(synthesized, name) };
}

const OVERRIDES: Overrides = new Map([["consul-server1", { name: "by-hand", http: "http://10.0.0.1:8500" }]]);

test("the pre-stop check is made in the running container, by its own name and address, with the agent's lock", async () => {
  const seen = allowed();
  const { runner } = project(undefined, OVERRIDES);
  const self = { container: "by-hand", node: "by-hand-node" };
  expect(await runner.checkBeforeStop("consul-server1", self)).toBeUndefined();
  expect(seen.map(({ request }) => request)).toMatchObject([
    {
      step: "pre-stop",
      target: { daemon: "ssh://root@172.16.8.120", container: "by-hand", api: "http://10.0.0.1:8500" },
      owner: "consul-server1",
      node: "by-hand-node",
      seconds: 120,
    },
  ]);
});

test("a maintenance begins with the request of a pre-stop check, without a next container, and ends with that of a readiness check", async () => {
  const seen = allowed();
  const { runner } = project();
  const self = { container: "consul-server1", node: "consul-server1" };
  await runner.beginMaintenance("consul-server1", self, 1795953600, "a new kernel");
  await runner.endMaintenance("consul-server1");
  const [begin, end] = seen.map(({ request }) => request);
  expect(begin).toMatchObject({ step: "begin-maintenance", since: 1795953600, reason: "a new kernel", limit: 3 });
  expect(begin).toMatchObject({ owner: "consul-server1", servers: [expect.anything(), expect.anything()] });
  expect(begin).not.toHaveProperty("next");
  expect(end).toMatchObject({ step: "end-maintenance", owner: "consul-server1", role: "server", expect: 3 });
});

test("names that Terraform would take for expressions are the container's own all the same", async () => {
  const seen = allowed();
  const self = { container: 'a"${b}', node: "$${c}" };
  await project().runner.checkBeforeStop("consul-server1", self);
  const { target, node } = (seen[0] as { request: ReplaceRequest }).request;
  expect({ container: target.container, node }).toEqual(self);
});

test("other servers are asked in the containers that they have, which may differ from the cluster file", async () => {
  const seen = allowed();
  const { runner } = project(undefined, OVERRIDES);
  await runner.checkBeforeStop("consul-client1", { container: "consul-client1", node: "consul-client1" });
  await runner.runFinalSteps();
  const redirected = [
    { daemon: "ssh://root@172.16.8.120", container: "by-hand", api: "http://10.0.0.1:8500" },
    { daemon: "ssh://root@172.16.8.121", container: "consul-server2" },
    { daemon: "ssh://root@172.16.8.122", container: "consul-server3" },
  ];
  for (const { request } of seen) expect(request).toMatchObject({ servers: redirected });
});

test("the readiness check is the one of the synthesized JSON", async () => {
  const seen = allowed();
  const { runner, stack, directory } = project();
  expect(await runner.waitUntilReady("consul-client1")).toBeUndefined();
  const { request, surroundings } = seen[0] as (typeof seen)[number];
  const { version: _, ...asked } = request as ReadinessRequest & { version: number };
  expect(asked).toEqual(requestOf("readiness", stack.resource.terraform_data["consul-client1"]));
  // Paths of requests are relative to it.
  expect(surroundings.folder).toBe(directory);
  // Of its limit of parallel operations, a command is a Terraform of its own, whatever one that runs has noted.
  expect(surroundings.terraform.pid).toBe(process.pid);
  expect(surroundings.terraform.env.TF_DATA_DIR).not.toContain(directory);
});

test("an agent's secrets are delivered as a deploy does", async () => {
  const seen = allowed();
  const { runner, stack } = project(load(FOUR_HOSTS.replace("security: off", "security: on")));
  expect(await runner.deliverSecrets("s1")).toBeUndefined();
  expect(seen[0]?.request).toMatchObject(requestOf("deliver-secrets", stack.resource.terraform_data[secretsId("s1")]));
});

test("the docker CLI's environment is the operator's, without what redirects it", async () => {
  const seen = allowed();
  process.env.DOCKER_HOST = "tcp://elsewhere";
  await project()
    .runner.waitUntilReady("consul-client1")
    .finally(() => delete process.env.DOCKER_HOST);
  expect(seen[0]?.surroundings.env).not.toHaveProperty("DOCKER_HOST");
  expect(seen[0]?.surroundings.env.PATH).toBe(process.env.PATH);
});

test.each([
  ["CONSUL_ALLOW_QUORUM_LOSS", { quorumLoss: true, downgrade: false }],
  ["CONSUL_ALLOW_DOWNGRADE", { quorumLoss: false, downgrade: true }],
])("the operator's consent by %s counts as in a deploy", async (variable, consent) => {
  const seen = allowed();
  process.env[variable] = "yes";
  await project()
    .runner.waitUntilReady("consul-client1")
    .finally(() => delete process.env[variable]);
  expect(seen[0]?.surroundings.consent).toEqual(consent);
});

describe("the final steps", () => {
  test.each([
    ["off", ["voters", "autopilot", "definitions"]],
    ["on", ["acl", "gossip", "voters", "autopilot", "definitions"]],
  ])("with security %s run in the order of a deploy", async (security, steps) => {
    const seen = allowed();
    const { runner } = project(load(FOUR_HOSTS.replace("security: off", `security: ${security}`)));
    expect(await runner.runFinalSteps()).toBeUndefined();
    expect(seen.map(({ request }) => request.step)).toEqual(steps);
  });

  test("end at the first failure", async () => {
    const seen = outcomes(({ step }) => (step === "autopilot" ? deny("no leader", "look") : allow("fine")));
    expect(await project().runner.runFinalSteps()).toBe("no leader; hint: look");
    expect(seen.map(({ request }) => request.step)).toEqual(["voters", "autopilot"]);
  });
});

test.each<Outcome>([deny("not a voter", "look"), { kind: "unknown", reason: "no answer" }])(
  "a failure ($kind) has its reason, which is logged",
  async (outcome) => {
    outcomes(() => outcome);
    const { runner, log } = project();
    expect(await runner.waitUntilReady("consul-server2")).toBe(told(outcome));
    expect(log).toEqual([told(outcome)]);
  },
);

test("a step that the synthesized JSON does not have is refused, not passed", async () => {
  allowed();
  const { runner } = project();
  await expect(runner.deliverSecrets("consul-server1")).rejects.toThrow(
    "the synthesized JSON makes no request for terraform_data.consul-server1_secrets",
  );
});

test.each([SEED_FILE, "clusters/local.yaml", "e2e/clusters/daemons.yaml"])(
  "every check of %s is made outside of Terraform as Terraform makes it",
  async (file) => {
    const seen = allowed();
    const cluster = loadCluster(join(PROJECT, file));
    const { runner, stack } = project(cluster);
    const { docker_container, terraform_data } = stack.resource;
    for (const { name, container, node } of cluster.agents) {
      expect(await runner.checkBeforeStop(name, { container, node })).toBeUndefined();
      expect(await runner.waitUntilReady(name)).toBeUndefined();
      expect(runner.image(name)).toMatch(/consul:/);
    }
    expect(seen.map(({ request }) => request)).toMatchObject(
      cluster.agents.flatMap(({ name }) => [
        requestOf("pre-stop", docker_container[name]),
        requestOf("readiness", terraform_data[name]),
      ]),
    );
  },
);

describe("by the docker CLI that is on the PATH", () => {
  const { PATH } = process.env;
  afterEach(() => {
    process.env.PATH = PATH;
  });

  test("an agent is asked in its container on its host, and the CLI's complaint is the reason", async () => {
    performed.mockImplementation(reallyPerform);
    const { runner, log, directory } = project(load(`${FOUR_HOSTS}ready_timeout: 1\n`));
    const calls = join(directory, "calls");
    writeFileSync(
      join(directory, "docker"),
      `#!/bin/sh\necho "$*" | head -n 1 >>'${calls}'\necho 'no such daemon' >&2\nexit 1\n`,
    );
    chmodSync(join(directory, "docker"), 0o755);
    process.env.PATH = `${directory}:${PATH}`;
    const reason = await runner.waitUntilReady("c1");
    expect(reason).toContain("no such daemon");
    expect(log.at(-1)).toBe(reason);
    expect(readFileSync(calls, "utf8")).toMatch(/^-H ssh:\/\/root@10\.0\.0\.4 exec -i c1 \/bin\/sh -c /);
  });
});
