import { type Readiness, readiness, type StartedAgent } from "../../rollout/readiness";
import { SimulatedCluster, Simulation } from "./simulation";

const yes = async (): Promise<boolean> => true;
const SERVER: Readiness = { owner: "s1", role: "server", node: "s1", expect: 3, seconds: 60 };
const CLIENT: Readiness = { ...SERVER, owner: "c1", role: "client", node: "c1" };
const LOCK = "consul-cdktf/replacing";
const SLOT = "consul-cdktf/clients/c1";

const clusterOf = (servers = 3) => new SimulatedCluster(new Simulation(), servers);

async function check(cluster: SimulatedCluster, wanted: Readiness, own: Partial<StartedAgent> = {}) {
  const log: string[] = [];
  const marks: string[] = [];
  const agent: StartedAgent = {
    api: cluster.api(wanted.node),
    isSecured: async () => false,
    wasReady: async () => false,
    markReady: async () => void marks.push("ready"),
    tokenStatus: async () => 0,
    ...own,
  };
  const { simulation } = cluster;
  const outcome = await simulation.until(readiness(wanted, agent, simulation.clock, (line) => log.push(line)));
  return { outcome, log, marks, seconds: simulation.seconds };
}

describe("a server", () => {
  test("is ready as a voter that the leader knows: it introduces itself to the others, and releases the deploy lock", async () => {
    const cluster = clusterOf();
    cluster.store(LOCK, "s1");
    expect((await check(cluster, SERVER)).outcome).toEqual({ kind: "ready", reason: "a voter, leader 10.0.0.1:8300" });
    expect(cluster.keys()).toEqual([]);
    expect(cluster.requests.filter((request) => request.includes("join"))).toEqual([
      "PUT /v1/agent/join/10.0.0.2:8301",
      "PUT /v1/agent/join/10.0.0.3:8301",
    ]);
  });

  test("leaves another server's lock alone", async () => {
    const cluster = clusterOf();
    cluster.store(LOCK, "s2");
    expect((await check(cluster, SERVER)).outcome.kind).toBe("ready");
    expect(cluster.stored(LOCK)).toBe("s2");
  });

  test("leaves the maintenance of its own host alone", async () => {
    const cluster = clusterOf();
    cluster.store(LOCK, "s1", 1795953600);
    expect((await check(cluster, SERVER)).outcome.kind).toBe("ready");
    expect(cluster.flags(LOCK)).toBe(1795953600);
  });

  test.each([SERVER, CLIENT])(
    "leaves a deploy's lock or slot alone when it is asked because of a maintenance",
    async (wanted) => {
      const cluster = clusterOf();
      cluster.store(LOCK, "s1");
      cluster.store(SLOT, "c1");
      expect((await check(cluster, { ...wanted, owner: undefined })).outcome.kind).toBe("ready");
      expect(cluster.keys()).toEqual([SLOT, LOCK]);
    },
  );

  test.each([/agent.members/, /raft.configuration$/])("waits while nobody tells the answer to %s", async (path) => {
    const cluster = clusterOf();
    cluster.exceptions.set(path, { status: 500 });
    cluster.simulation.at(5, () => void cluster.exceptions.clear());
    expect((await check(cluster, SERVER)).outcome.kind).toBe("ready");
  });

  test("waits until it is a voter", async () => {
    const cluster = clusterOf();
    cluster.server("s1").voter = false;
    cluster.simulation.at(12, () => {
      cluster.server("s1").voter = true;
    });
    expect(await check(cluster, SERVER)).toMatchObject({
      outcome: { kind: "ready" },
      log: ["s1: a leader is known, waiting to become a voter"],
      seconds: 12,
    });
  });

  test("waits until the leader knows it by its name, not as its lost predecessor", async () => {
    const cluster = clusterOf();
    cluster.exceptions.set(/configuration$/, {
      status: 200,
      body: '{"Servers":[{"ID":"id-s1","Node":"(unknown)","Voter":true}]}',
    });
    cluster.simulation.at(5, () => cluster.exceptions.clear());
    expect(await check(cluster, SERVER)).toMatchObject({
      outcome: { kind: "ready" },
      log: ["s1: a voter, waiting until the leader knows it instead of its lost predecessor"],
      seconds: 5,
    });
  });

  test("waits until its lock is released", async () => {
    const cluster = clusterOf();
    cluster.store(LOCK, "s1");
    cluster.exceptions.set(/^DELETE/, { status: 500 });
    cluster.simulation.at(3, () => cluster.exceptions.clear());
    expect(await check(cluster, SERVER)).toMatchObject({
      outcome: { kind: "ready" },
      log: ["s1: a voter, releasing the deploy lock"],
      seconds: 3,
    });
  });

  test.each([
    ["it does not say its own id", /agent.self/],
    ["it does not show Raft's configuration", /raft.configuration/],
  ])("is not ready while %s", async (_, path) => {
    const cluster = clusterOf();
    cluster.exceptions.set(path, { status: 500 });
    expect((await check(cluster, SERVER)).outcome.kind).toBe("late");
  });

  test("is late when it does not become a voter in time, with what it waited for", async () => {
    const cluster = clusterOf();
    cluster.server("s1").voter = false;
    expect(await check(cluster, SERVER)).toMatchObject({
      outcome: { kind: "late", reason: "a leader is known, waiting to become a voter" },
      seconds: 60,
    });
  });

  test("passes while all tokens but the management token are still to be made", async () => {
    const cluster = clusterOf();
    cluster.server("s1").voter = false;
    const statuses = { current: 403, former: 403, management: 200 };
    const secured = { isSecured: yes, tokenStatus: async (token: keyof typeof statuses) => statuses[token] };
    expect((await check(cluster, SERVER, secured)).outcome).toEqual({
      kind: "passed",
      reason: "there is a leader, 10.0.0.1:8300, and tokens do not exist yet",
    });
    statuses.former = 200;
    expect((await check(cluster, SERVER, secured)).outcome.kind).toBe("late");
    Object.assign(statuses, { former: 403, management: 0 });
    expect((await check(cluster, SERVER, secured)).outcome.kind).toBe("late");
    statuses.current = 200;
    expect((await check(cluster, SERVER, secured)).outcome.kind).toBe("late");
  });
});

describe("at the first bootstrap a server", () => {
  const unborn = (servers: number): SimulatedCluster => {
    const cluster = clusterOf(servers);
    Object.assign(cluster, { hasLeader: false, bootstrapped: false });
    return cluster;
  };

  test("passes after some seconds when it has joined others, and there are too few of them", async () => {
    expect(await check(unborn(2), SERVER)).toEqual({
      outcome: { kind: "passed", reason: "the other servers are not deployed yet" },
      log: ["s1: sees 2 of the 3 servers that the first bootstrap needs"],
      marks: [],
      seconds: 6,
    });
  });

  test("waits for the leader when there are enough", async () => {
    expect(await check(unborn(3), SERVER)).toMatchObject({
      outcome: { kind: "late", reason: "waiting for a leader" },
    });
  });

  test("that sees nobody, not even itself, waits; with a token that nobody knows yet it passes", async () => {
    const alone = unborn(1);
    alone.server("s1").status = "left";
    expect((await check(alone, SERVER)).outcome.kind).toBe("late");
    expect((await check(alone, SERVER, { isSecured: yes, tokenStatus: async () => 200 })).outcome.kind).toBe("late");
    expect((await check(alone, SERVER, { isSecured: yes, tokenStatus: async () => 403 })).outcome.kind).toBe("passed");
  });

  test("that tells an unknown token nothing passes, because it answers", async () => {
    const alone = clusterOf(0);
    Object.assign(alone, { hasLeader: false, bootstrapped: false });
    alone.exceptions.set(/agent\/(self|members)/, { status: 403, body: "Permission denied" });
    expect((await check(alone, SERVER, { isSecured: yes, tokenStatus: async () => 403 })).outcome).toEqual({
      kind: "passed",
      reason: "the other servers are not deployed yet",
    });
  });

  test("that does not list the members, waits", async () => {
    const cluster = unborn(2);
    cluster.exceptions.set(/agent.members/, { status: 500 });
    expect((await check(cluster, SERVER)).outcome.kind).toBe("late");
  });

  test("begins to wait anew when servers came and went", async () => {
    const cluster = unborn(3);
    cluster.server("s3").status = "left";
    cluster.simulation.at(4, () => {
      cluster.server("s3").status = "alive";
    });
    cluster.simulation.at(8, () => {
      cluster.server("s3").status = "left";
    });
    expect(await check(cluster, SERVER)).toMatchObject({ outcome: { kind: "passed" }, seconds: 14 });
  });
});

test("a server of a running cluster that has no leader waits", async () => {
  const cluster = clusterOf(2);
  cluster.hasLeader = false;
  expect((await check(cluster, SERVER)).outcome).toEqual({ kind: "late", reason: "waiting for a leader" });
});

describe("a client agent", () => {
  test("is ready when it knows a leader: it releases its rollout slot, and marks that it was ready", async () => {
    const cluster = clusterOf();
    cluster.store(SLOT, "c1");
    expect(await check(cluster, CLIENT)).toMatchObject({
      outcome: { kind: "ready", reason: "leader 10.0.0.1:8300" },
      marks: ["ready"],
    });
    expect(cluster.keys()).toEqual([]);
  });

  test("waits until its slot is released", async () => {
    const cluster = clusterOf();
    cluster.store(SLOT, "c1");
    cluster.exceptions.set(/^DELETE/, { status: 500 });
    expect(await check(cluster, CLIENT)).toMatchObject({
      outcome: { kind: "late", reason: "ready, releasing its rollout slot" },
      marks: [],
    });
  });

  const silent = (): SimulatedCluster => {
    const cluster = clusterOf();
    cluster.exceptions.set(/./, "none");
    return cluster;
  };

  test("without a certificate answers nobody: it passes while it was never ready, in a stack with servers", async () => {
    expect(await check(silent(), CLIENT, { isSecured: yes })).toMatchObject({
      outcome: { kind: "passed", reason: "it gets its certificate when the servers are ready" },
      seconds: 6,
    });
  });

  test.each([
    ["it was ready before", {}, { isSecured: yes, wasReady: yes }],
    ["all servers are deployed", { expect: 1 }, { isSecured: yes }],
    ["it has no secrets", {}, {}],
  ] as const)("that is unreachable is late when %s", async (_, wanted, own) => {
    expect((await check(silent(), { ...CLIENT, ...wanted }, own)).outcome).toEqual({
      kind: "late",
      reason: "waiting for its agent to answer",
    });
  });

  test("passes at the first bootstrap as a server does; one that was ready before waits for a leader", async () => {
    const cluster = clusterOf(2);
    cluster.hasLeader = false;
    expect((await check(cluster, CLIENT)).outcome.kind).toBe("passed");
    expect((await check(cluster, CLIENT, { wasReady: async () => true })).outcome).toEqual({
      kind: "late",
      reason: "waiting for a leader",
    });
  });
});

test("servers by IPv6 are joined in brackets", async () => {
  const cluster = clusterOf(2);
  const body = JSON.stringify([
    { Name: "s2", Addr: "fd00::2", Port: 8301, Status: 1, Tags: { role: "consul" } },
    { Name: "s3", Addr: "fd00::3", Port: 8301, Status: 4, Tags: { role: "consul" } },
    { Name: "c1", Addr: "fd00::4", Port: 8301, Status: 1, Tags: { role: "node" } },
  ]);
  cluster.exceptions.set(/agent.members/, { status: 200, body });
  await check(cluster, SERVER);
  expect(cluster.requests.filter((request) => request.includes("join"))).toEqual(["PUT /v1/agent/join/[fd00::2]:8301"]);
});
