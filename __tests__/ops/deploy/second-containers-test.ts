import { describeProblem } from "../../../cluster/problem";
import { secondContainers } from "../../../ops/deploy/second-containers";
import type { ListedContainer } from "../../../ops/docker/container";
import type { StackState, StateResource } from "../../../ops/terraform/state";
import { ALIVE, FAILED, type Member } from "../../../rollout/queries";
import { FOUR_HOSTS, load } from "../../cluster-files";
import { stacksOf } from "../../synthesized";

/**
 * Every case of ownership: what the Terraform state has, what the hosts of the file have, what the daemon at a former
 * address answers, and what running agents see.
 */
interface World {
  readonly file: string;
  /** Ids of agents' containers in the Terraform state. */
  readonly recorded: Readonly<Record<string, string>>;
  /** Addresses of the last deploy, where they are not the file's. */
  readonly former: Readonly<Record<string, string>>;
  /** Containers of the file's hosts. Hosts that are missing are unreachable or excluded. */
  readonly hosts: Readonly<Record<string, readonly ListedContainer[]>>;
  /** Containers of other daemons, by their URLs; or why they are unreachable. */
  readonly daemons: Readonly<Record<string, readonly ListedContainer[] | string>>;
  /** What an agent sees, in each look. */
  readonly members: readonly (readonly Member[] | undefined)[];
  readonly datacenter?: string;
}

const container = (name: string, { id = name, node = name, state = "running" } = {}): ListedContainer => ({
  id,
  name,
  state,
  command: `"docker-entrypoint.sh agent -server -bind=10.0.0.1 -node=${node} -client=127.0.0.1"`,
});
const member = (Name: string, Addr: string, Status = ALIVE): Member => ({ Name, Addr, Status, Port: 8301, Tags: {} });

const AGENTS = { s1: "10.0.0.1", s2: "10.0.0.2", s3: "10.0.0.3", c1: "10.0.0.4" };
const EMPTY = { s1: [], s2: [], s3: [], c1: [] };
const ALL = { s1: [container("s1")], s2: [container("s2")], s3: [container("s3")], c1: [container("c1")] };
const MEMBERS = Object.entries(AGENTS).map(([name, address]) => member(name, address));
const seen = (name: string, address: string, status = ALIVE) => [
  ...MEMBERS.filter(({ Name }) => Name !== name),
  member(name, address, status),
];

/** A deployed cluster, of which everything is as it was. */
const DEPLOYED: World = {
  file: FOUR_HOSTS,
  recorded: { s1: "s1", s2: "s2", s3: "s3", c1: "c1" },
  former: {},
  hosts: ALL,
  daemons: {},
  members: [],
};
/** s3 has another address in the file, and the daemon there has no container. */
const MOVED: World = {
  ...DEPLOYED,
  file: FOUR_HOSTS.replace("10.0.0.3", "10.0.0.33"),
  former: { s3: "10.0.0.3" },
  hosts: { ...ALL, s3: [] },
  daemons: { "ssh://root@10.0.0.3": [] },
  members: [seen("s3", "10.0.0.3", FAILED)],
};
/** Nothing was deployed from here. */
const UNKNOWN: World = { ...DEPLOYED, recorded: {}, hosts: EMPTY };

function stateOf({ recorded, former }: World): StackState {
  const resources = Object.entries(recorded).map(
    ([name, id]): StateResource => ({
      address: `docker_container.${name}`,
      mode: "managed",
      type: "docker_container",
      name,
      provider: `${name}_host`,
      tainted: false,
      deposed: false,
      attributes: { id },
    }),
  );
  const outputs = Object.keys(recorded).map((name) => [name, { join: { ...AGENTS, ...former }[name] }]);
  return { resources, outputs: Object.fromEntries(outputs) };
}

async function said(world: World): Promise<{ problems: string[]; log: string[]; looks: number }> {
  const cluster = load(world.file);
  const stacks = Object.entries(stacksOf(cluster)).map(([name, json]) => ({
    name,
    folder: "",
    dependencies: [],
    json,
  }));
  const log: string[] = [];
  let looks = 0;
  const problems = await secondContainers(
    { cluster, stacks, states: new Map([["c", stateOf(world)]]), containers: new Map(Object.entries(world.hosts)) },
    {
      containersOf: async ({ url }) => world.daemons[url] ?? "no such host",
      membersSeenBy: async () => world.members[Math.min(looks++, world.members.length - 1)],
      datacenterOf: async () => world.datacenter,
      pause: async () => undefined,
      log: (line) => log.push(line),
    },
  );
  return { problems: problems.map(describeProblem), log, looks };
}

describe("is allowed", () => {
  test.each<[string, World]>([
    ["a cluster that runs as it was deployed", DEPLOYED],
    ["a first deploy", UNKNOWN],
    [
      "containers of somebody else on the hosts",
      { ...UNKNOWN, hosts: { ...EMPTY, s1: [container("web", { node: "x" })] } },
    ],
    [
      "a stopped container that the state has",
      { ...DEPLOYED, hosts: { ...ALL, s1: [container("s1", { state: "exited" })] } },
    ],
    ["a renumbered host: the container is at the new address", { ...MOVED, hosts: ALL }],
    ["a moved host whose former daemon has no container any more", MOVED],
    [
      "a moved host that is dead, as its cluster has noticed",
      { ...MOVED, daemons: { "ssh://root@10.0.0.3": "no route" } },
    ],
    [
      "a moved host that its cluster has forgotten",
      { ...MOVED, daemons: {}, members: [MEMBERS.filter(({ Name }) => Name !== "s3")] },
    ],
    [
      "a host that comes back empty",
      { ...DEPLOYED, hosts: { ...ALL, s3: [] }, members: [seen("s3", "10.0.0.3", FAILED)] },
    ],
    [
      "an empty host in a cluster of which nobody answers",
      { ...DEPLOYED, hosts: { ...ALL, s3: [] }, members: [undefined] },
    ],
    ["hosts that are unreachable or excluded", { ...UNKNOWN, hosts: {} }],
    [
      "a node of the same name in another datacenter's container",
      { ...UNKNOWN, hosts: { ...EMPTY, s1: [container("dc2-s1", { node: "s1" })] }, datacenter: "dc2" },
    ],
    [
      "an agent that is decommissioned",
      {
        ...DEPLOYED,
        file: FOUR_HOSTS.replace("[c1]", "[{ name: c1, decommission: true }]"),
        hosts: { ...ALL, c1: [container("c1", { id: "?" })] },
      },
    ],
  ])("%s", async (_, world) => expect((await said(world)).problems).toEqual([]));
});

describe("is rejected", () => {
  test.each<[string, World, string]>([
    [
      "the same file in another checkout, or a second file of the same containers",
      { ...UNKNOWN, hosts: ALL },
      'container-exists: containers exist that are not in the Terraform state, which has no container at all: c1 on host "c1", s1 on host "s1"',
    ],
    [
      "a container that a killed deploy did not record",
      { ...DEPLOYED, recorded: { s2: "s2", s3: "s3", c1: "c1" } },
      'container-exists: containers exist that are not in the Terraform state, so a deploy would fail at their names: s1 on host "s1"',
    ],
    [
      "a container that was made again by hand, stopped",
      { ...DEPLOYED, hosts: { ...ALL, s1: [container("s1", { id: "other", state: "exited" })] } },
      "container-exists",
    ],
    [
      "a moved host whose former daemon still has the container",
      { ...MOVED, daemons: { "ssh://root@10.0.0.3": [container("s3")] } },
      "its container s3 (running) still exists at 10.0.0.3, where the last deploy created it",
    ],
    [
      "the same, while the container is stopped",
      { ...MOVED, daemons: { "ssh://root@10.0.0.3": [container("s3", { state: "exited" })] } },
      "its container s3 (exited) still exists at 10.0.0.3",
    ],
    [
      "the same, after somebody made the container again",
      { ...MOVED, daemons: { "ssh://root@10.0.0.3": [container("s3", { id: "other" })] } },
      "still exists at 10.0.0.3",
    ],
    [
      "a moved host whose former daemon is unreachable, while nobody in the cluster answers",
      { ...MOVED, daemons: { "ssh://root@10.0.0.3": "no route" }, members: [undefined] },
      "is unknown: no running agent tells, and that Docker daemon is unreachable: no route",
    ],
    [
      "a moved host whose former daemon is unreachable, while its cluster has the agent as alive",
      { ...MOVED, daemons: { "ssh://root@10.0.0.3": "no route" }, members: [seen("s3", "10.0.0.3")] },
      "s1 sees s3 alive at 10.0.0.3",
    ],
    [
      "an agent of a lost state, at another address",
      {
        ...DEPLOYED,
        recorded: { s1: "s1", s2: "s2", c1: "c1" },
        hosts: { ...ALL, s3: [] },
        members: [seen("s3", "10.0.0.99")],
      },
      "s1 sees s3 alive at 10.0.0.99",
    ],
    [
      "an agent that its host's daemon does not have, and that is alive there",
      { ...DEPLOYED, hosts: { ...ALL, s3: [] }, members: [MEMBERS] },
      "s1 sees s3 alive at that address, and the Docker daemon there has no container of it",
    ],
    [
      "a node that runs on another host of the file, unknown to the state",
      { ...UNKNOWN, hosts: { ...EMPTY, s2: [container("old", { node: "s1" })] }, datacenter: "dc1" },
      'its node s1 runs in container old on host "s2", which is in no Terraform state',
    ],
    [
      "the same, while its agent is unreachable",
      { ...UNKNOWN, hosts: { ...EMPTY, s1: [container("old", { node: "s1" })] } },
      'its node s1 runs in container old on host "s1"',
    ],
  ])("%s", async (_, world, words) => {
    const { problems } = await said(world);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(words);
    expect(problems[0]).toContain("hint: ");
  });

  test("for a dead host that nobody tells of, the hint has the way on", async () =>
    expect((await said({ ...MOVED, daemons: {}, members: [] })).problems[0]).toContain(
      "if that machine has failed permanently: --allow agent-elsewhere",
    ));
});

test("an agent that has just ended is waited for, until its cluster has noticed", async () => {
  const { problems, looks } = await said({ ...MOVED, members: [MEMBERS, MEMBERS, seen("s3", "10.0.0.3", FAILED)] });
  expect([problems, looks]).toEqual([[], 3]);
});

test("an agent that another deploy creates meanwhile is no second one", async () => {
  const world = { ...DEPLOYED, hosts: { ...ALL, s3: [] }, members: [MEMBERS] };
  const daemons = { "ssh://root@10.0.0.3": [container("s3", { id: "new" })] };
  expect((await said({ ...world, daemons })).problems).toEqual([]);
});

test("a dead host that is replaced is logged", async () =>
  expect((await said({ ...MOVED, daemons: {} })).log).toEqual([
    "s3: 10.0.0.3 is unreachable, and s1 does not have s3 as alive: it gets a new container",
  ]));

test.each([
  ["tcp://{address}:2376", "tcp://10.0.0.3:2376"],
  ["ssh://deploy@{host}.example.com:22", "ssh://deploy@10.0.0.3:22"],
])("the daemon %s is asked at the former address: %s", async (daemon, former) => {
  const file = MOVED.file.replace("ssh://root@{address}", `"${daemon}"`);
  const { problems } = await said({ ...MOVED, file, daemons: { [former]: [container("s3")] } });
  expect(problems[0]).toContain(`docker -H ${former} stop -t 30 s3`);
});
