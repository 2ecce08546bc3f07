import { type AskedServer, preStopServer, type ServerStop } from "../../rollout/pre-stop-server";
import { SimulatedCluster, Simulation } from "./simulation";

const STOP: ServerStop = { owner: "s1", node: "s1", purpose: "replace", servers: 3, stage: "strict", seconds: 60 };
const LOCK = "consul-cdktf/replacing";

/** Runs a check in a cluster, asked of a server's agent; what it came to, what it logged, and when it ended. */
async function check(
  cluster: SimulatedCluster,
  { asks = "s1", ...stop }: Partial<ServerStop> & { asks?: string } = {},
) {
  const log: string[] = [];
  const { simulation } = cluster;
  const wanted = { ...STOP, ...stop };
  const asked: AskedServer = {
    api: cluster.api(asks),
    isOwn: asks === wanted.node,
    connects: cluster.connects,
  };
  const outcome = await simulation.until(preStopServer(wanted, asked, simulation.clock, (line) => log.push(line)));
  return { outcome, log, seconds: simulation.seconds };
}

const clusterOf = (servers = 3) => new SimulatedCluster(new Simulation(), servers);

test("a server may be stopped when the others have told autopilot of the deploy lock, which it then holds", async () => {
  const cluster = clusterOf();
  expect(await check(cluster)).toEqual({
    outcome: { kind: "allow", reason: "2 of 3 voters are healthy without it, 2 are needed" },
    log: [],
    seconds: 2,
  });
  expect(cluster.stored(LOCK)).toBe("s1");
});

test("a server that holds the lock already, since its new container did not become ready, is asked no more for it", async () => {
  const cluster = clusterOf();
  cluster.store(LOCK, "s1");
  expect((await check(cluster)).outcome.kind).toBe("allow");
});

describe("its stop takes nothing away when", () => {
  test("it has never been part of a cluster", async () => {
    const cluster = clusterOf();
    cluster.bootstrapped = false;
    expect((await check(cluster)).outcome).toEqual({ kind: "allow", reason: "it has never been part of a cluster" });
  });

  test("it is no server of this cluster", async () => {
    const { outcome } = await check(clusterOf(), { node: "s9", asks: "s2" });
    expect(outcome).toEqual({
      kind: "allow",
      reason: "it is no server of this cluster",
    });
  });

  test("it is no voter", async () => {
    const cluster = clusterOf();
    cluster.server("s1").voter = false;
    expect((await check(cluster)).outcome).toEqual({
      kind: "allow",
      reason: "it is no voter",
    });
  });

  test("it is down", async () => {
    const cluster = clusterOf();
    Object.assign(cluster.server("s1"), { up: false, status: "failed", healthy: false });
    const { outcome } = await check(cluster, { asks: "s2" });
    expect(outcome).toEqual({ kind: "allow", reason: "it is failed" });
    expect(cluster.stored(LOCK)).toBeUndefined();
  });

  test("it is the only server; but not when it would leave, since the cluster would end", async () => {
    expect((await check(clusterOf(1), { servers: 1 })).outcome).toEqual({
      kind: "allow",
      reason: "it is the only server. There is no leader until it is back",
    });
    expect((await check(clusterOf(1), { servers: 1, purpose: "leave" })).outcome).toEqual({
      kind: "deny",
      reason: "it is the only voter, and the cluster would end with it",
      hint: "add other servers first; to end the cluster: npm run destroy",
    });
  });
});

describe("a server that has returned without its data, and whose former entry is still there", () => {
  const former = {
    name: "s1",
    address: "10.0.0.9:8300",
    voter: true,
    healthy: false,
    status: "left",
    up: false,
  } as const;

  test.each([
    ["before", (cluster: SimulatedCluster) => cluster.servers.unshift({ ...former })],
    ["after", (cluster: SimulatedCluster) => cluster.servers.push({ ...former })],
  ])("is counted as what it is, though the former one is listed %s it", async (_, add) => {
    const cluster = clusterOf();
    add(cluster);
    const { outcome } = await check(cluster, { asks: "s2" });
    expect(outcome).toMatchObject({
      kind: "deny",
      reason: expect.stringContaining("only 2 of 4 voters would be healthy without it, 3 are needed"),
    });
  });

  test("may be stopped when no entry of its name has a vote that counts", async () => {
    const cluster = clusterOf();
    cluster.servers.push({ ...former });
    cluster.server("s1").voter = false;
    expect((await check(cluster, { asks: "s2" })).outcome).toEqual({ kind: "allow", reason: "it is left" });
  });
});

test("a server that gossip has lost, and that still takes connections, is counted as up", async () => {
  const cluster = clusterOf();
  cluster.server("s1").status = "failed";
  expect((await check(cluster)).outcome.kind).toBe("allow");
  expect(cluster.stored(LOCK)).toBe("s1");
});

describe("while the leader has a server without its name, because it has just started itself", () => {
  test.each([["s1"], ["s2"]])(
    "a server that is not listed by its name is not taken for none: asked of %s",
    async (asks) => {
      const cluster = clusterOf();
      for (const name of ["s1", "s2"]) cluster.server(name).unnamed = true;
      cluster.simulation.at(3, () => {
        for (const name of ["s1", "s2"]) cluster.server(name).unnamed = false;
      });
      const { outcome, seconds, log } = await check(cluster, { asks });
      expect([outcome.kind, cluster.stored(LOCK), seconds >= 3]).toEqual(["allow", "s1", true]);
      expect(log).toEqual(["s1: the leader does not know the names of all servers yet"]);
    },
  );

  test("nobody is stopped, and another server is asked", async () => {
    const cluster = clusterOf();
    cluster.server("s1").unnamed = true;
    const { outcome } = await check(cluster);
    expect(outcome).toEqual({ kind: "unknown", reason: "the leader does not know the names of all servers yet" });
    expect(cluster.keys()).toEqual([]);
  });

  test("one that is listed by its name waits for the other", async () => {
    const cluster = clusterOf();
    cluster.server("s2").unnamed = true;
    const { outcome } = await check(cluster);
    expect(outcome).toMatchObject({
      kind: "deny",
      reason: expect.stringContaining("not healthy: 10.0.0.2:8300 (left)"),
    });
  });
});

describe("nobody is stopped, and another server is asked, when this one", () => {
  test("has never been part of a cluster, and is another", async () => {
    const cluster = clusterOf();
    cluster.bootstrapped = false;
    expect((await check(cluster, { asks: "s2" })).outcome).toEqual({
      kind: "unknown",
      reason: "this server has never been part of a cluster",
    });
  });

  test("knows no leader for 8 s", async () => {
    const cluster = clusterOf();
    cluster.hasLeader = false;
    expect(await check(cluster)).toEqual({
      outcome: { kind: "unknown", reason: "this server knows no leader, or gave no answer" },
      log: ["s1: this server knows no leader, or gave no answer"],
      seconds: 8,
    });
  });

  test("is unreachable", async () => {
    const cluster = clusterOf();
    cluster.server("s2").up = false;
    const outcome = { kind: "unknown", reason: "this server's API gives no answer" };
    expect(await check(cluster, { asks: "s2" })).toMatchObject({ outcome, seconds: 8 });
  });

  test.each([
    [
      "who holds the deploy lock",
      new RegExp(`^GET /v1/kv/${LOCK}`),
      "this server does not tell who holds the deploy lock",
    ],
    ["the others' security", /catalog.nodes/, "this agent does not tell the others' security"],
  ])("does not tell %s", async (_, path, reason) => {
    const cluster = clusterOf();
    cluster.exceptions.set(path, { status: 500 });
    expect(await check(cluster)).toMatchObject({ outcome: { kind: "unknown", reason }, seconds: 8 });
  });

  test("does not tell one thing now and another one then", async () => {
    const cluster = clusterOf();
    for (let second = 0; second < 60; second++)
      cluster.simulation.at(second, () => {
        cluster.exceptions.clear();
        cluster.exceptions.set(second % 2 === 0 ? /catalog.nodes/ : /autopilot/, "none");
      });
    const { outcome, seconds } = await check(cluster);
    expect(outcome.kind).toBe("unknown");
    expect(seconds).toBeLessThan(10);
  });

  test("told everything in between: only the time since then counts", async () => {
    const cluster = clusterOf();
    cluster.store(LOCK, "s2");
    const fails = (from: number, to: number) => {
      cluster.simulation.at(from, () => void cluster.exceptions.set(/autopilot/, "none"));
      cluster.simulation.at(to, () => void cluster.exceptions.clear());
    };
    fails(1, 7);
    fails(9, 15);
    cluster.simulation.at(20, () => void cluster.api("s2").send({ method: "DELETE", path: `/v1/kv/${LOCK}` }));
    expect((await check(cluster)).outcome.kind).toBe("allow");
  });
});

test("a leader that is elected meanwhile is waited for", async () => {
  const cluster = clusterOf();
  cluster.hasLeader = false;
  cluster.simulation.at(5, () => {
    cluster.hasLeader = true;
  });
  expect(await check(cluster)).toMatchObject({ outcome: { kind: "allow" }, seconds: 6 });
});

describe("each server that is counted has to answer autopilot after the lock was written", () => {
  test.each([0.5, 1, 1.9])("autopilot asks %d s later: then the stop is allowed", async (later) => {
    const cluster = clusterOf();
    cluster.autopilotFrom = later * 1000;
    const { outcome, seconds } = await check(cluster);
    expect(outcome.kind).toBe("allow");
    expect(seconds).toBeGreaterThanOrEqual(later);
    expect(seconds).toBeLessThanOrEqual(later + 0.25);
  });

  test("autopilot is asked twenty times a second meanwhile, and all else once a second", async () => {
    const cluster = clusterOf();
    cluster.autopilotFrom = 1900;
    const { seconds } = await check(cluster);
    const asked = (path: string) => cluster.requests.filter((line) => line.includes(path)).length;
    expect(seconds).toBe(1.9);
    expect(asked("/v1/agent/members")).toBe(3);
    expect(asked("/v1/operator/autopilot/health")).toBeGreaterThan(30);
  });

  test("a lock that an earlier deploy left is written anew for that, as it was", async () => {
    const cluster = clusterOf();
    cluster.autopilotFrom = 1500;
    cluster.store(LOCK, "s1");
    expect(await check(cluster)).toMatchObject({ outcome: { kind: "allow" }, seconds: 1.5 });
    expect([cluster.stored(LOCK), cluster.flags(LOCK)]).toEqual(["s1", 0]);
    expect(cluster.requests.filter((request) => request === "PUT /v1/txn")).toHaveLength(1);
  });

  test("that of a maintenance keeps its mark", async () => {
    const cluster = clusterOf();
    const { outcome } = await check(cluster, { purpose: "maintain", maintenance: 1_700_000_000 });
    expect([outcome.kind, cluster.stored(LOCK), cluster.flags(LOCK)]).toEqual(["allow", "s1", 1_700_000_000]);
  });

  test("one that hangs, and that nobody has lost yet, denies the stop", async () => {
    const cluster = clusterOf();
    cluster.server("s3").hangs = 0;
    const reason =
      "only 1 of 3 voters would be healthy without it, 2 are needed; not healthy: s3 (hangs, or falls behind)";
    const { outcome, log, seconds } = await check(cluster);
    expect(outcome).toMatchObject({ kind: "deny", reason });
    expect(log).toEqual([`s1: ${reason}`]);
    expect(seconds).toBe(65);
  });

  test("one of five that hangs is waited for; then each of the others has to answer after the wait", async () => {
    const cluster = clusterOf(5);
    cluster.server("s5").hangs = 0;
    cluster.simulation.at(64, () => {
      cluster.server("s4").hangs = 64_000;
    });
    const { outcome, log } = await check(cluster, { servers: 5 });
    expect(log).toEqual([
      "s1: waiting a while for s5 (hangs, or falls behind), though 3 of 5 voters are healthy without it",
      "s1: only 2 of 5 voters would be healthy without it, 3 are needed; " +
        "not healthy: s4 (hangs, or falls behind), s5 (hangs, or falls behind)",
    ]);
    expect(outcome.kind).toBe("deny");
  });

  test("one that answers again is counted again", async () => {
    const cluster = clusterOf();
    cluster.server("s3").hangs = 0;
    cluster.simulation.at(20, () => {
      cluster.server("s3").hangs = undefined;
    });
    const { outcome, seconds } = await check(cluster);
    expect([outcome.kind, seconds < 24.5]).toEqual(["allow", true]);
  });

  test("what it answered before another one failed proves nothing after that", async () => {
    const cluster = clusterOf();
    const [s2, s3] = [cluster.server("s2"), cluster.server("s3")];
    const since = (seconds: number, work: () => void) => cluster.simulation.at(seconds, work);
    cluster.autopilotFrom = 1900;
    since(0.3, () => Object.assign(s3, { healthy: false }));
    // It has told autopilot of the lock, and hangs when the other one is back.
    since(2.5, () => Object.assign(s2, { hangs: 2500 }));
    since(2.6, () => Object.assign(s3, { healthy: true }));
    const { outcome } = await check(cluster);
    expect(outcome).toMatchObject({ kind: "deny", reason: expect.stringContaining("s2 (hangs, or falls behind)") });
  });

  test.each<[string, (cluster: SimulatedCluster) => void, (cluster: SimulatedCluster) => void]>([
    [
      "another owner had the lock",
      (cluster) => cluster.store(LOCK, "s2"),
      (cluster) => void cluster.api("s2").send({ method: "DELETE", path: `/v1/kv/${LOCK}` }),
    ],
    [
      "there was no leader",
      (cluster) => Object.assign(cluster, { hasLeader: false }),
      (cluster) => Object.assign(cluster, { hasLeader: true }),
    ],
  ])("what it answered before %s proves nothing after that", async (_, begin, end) => {
    const cluster = clusterOf();
    cluster.autopilotFrom = 1900;
    cluster.simulation.at(0.5, () => begin(cluster));
    cluster.simulation.at(3, () => Object.assign(cluster.server("s3"), { hangs: 3000 }));
    cluster.simulation.at(6, () => end(cluster));
    expect((await check(cluster)).outcome).toMatchObject({
      kind: "deny",
      reason: expect.stringContaining("s3 (hangs, or falls behind)"),
    });
  });

  test.each([
    ["rejects", { status: 403 }],
    ["answers nothing about", { status: 200, body: '{"Results":null}' }],
    ["gives no answer to", "none" as const],
  ])("a KV store that %s its renewal denies the stop", async (_, answer) => {
    const cluster = clusterOf();
    cluster.exceptions.set(/^PUT .v1.txn/, answer);
    expect(await check(cluster)).toMatchObject({
      outcome: {
        kind: "deny",
        reason: "the deploy lock cannot be acquired: the KV store rejects the entry",
        hint: "allow its own host to write to the KV store: allow_write_http_from, limits",
      },
      seconds: 150,
    });
  });

  test("a KV store that rejects it only for a while is asked again", async () => {
    const cluster = clusterOf();
    cluster.exceptions.set(/^PUT .v1.txn/, { status: 500 });
    cluster.simulation.at(30, () => cluster.exceptions.clear());
    expect(await check(cluster)).toMatchObject({ outcome: { kind: "allow" }, seconds: 32 });
  });

  test("a KV store that rejects it while a server is waited for does not make the check wait for ever", async () => {
    const cluster = clusterOf(5);
    cluster.server("s5").healthy = false;
    cluster.exceptions.set(/^PUT .v1.txn/, { status: 403 });
    const { outcome, seconds } = await check(cluster, { servers: 5 });
    expect(outcome).toMatchObject({ kind: "deny", reason: expect.stringContaining("the KV store rejects") });
    expect(seconds).toBeLessThan(60 + 150 + 65);
  });
});

describe("while another server holds the deploy lock", () => {
  test("it waits for the release, and sees it at once", async () => {
    const cluster = clusterOf();
    cluster.store(LOCK, "s2");
    cluster.simulation.at(20.4, () => void cluster.api("s2").send({ method: "DELETE", path: `/v1/kv/${LOCK}` }));
    const { outcome, log, seconds } = await check(cluster);
    expect([outcome.kind, log]).toEqual(["allow", ["s1: waiting: s2 is being replaced, or leaves"]]);
    expect(seconds).toBeLessThan(22.7);
  });

  test("an agent that answers at once, and does not wait, is asked ten times a second at most", async () => {
    const cluster = clusterOf();
    cluster.store(LOCK, "s2");
    const api = cluster.api("s1");
    const impatient: AskedServer = {
      api: { send: (request) => api.send({ ...request, path: request.path.replace(/&index=.*/, "") }) },
      isOwn: true,
      connects: cluster.connects,
    };
    const { clock } = cluster.simulation;
    await cluster.simulation.until(preStopServer({ ...STOP, seconds: 5 }, impatient, clock, () => undefined));
    const looks = cluster.requests.filter((request) => request.includes("autopilot")).length;
    expect(looks / cluster.simulation.seconds).toBeLessThanOrEqual(10.1);
  });

  test("it is denied after twice the time that a check may take", async () => {
    const cluster = clusterOf();
    cluster.store(LOCK, "s2");
    expect(await check(cluster)).toMatchObject({
      outcome: {
        kind: "deny",
        reason: "waiting: s2 is being replaced, or leaves",
        hint: "fix s2 first: its readiness check releases the lock when it is a voter. If no deploy replaces it: npm run doctor -- --fix",
      },
      seconds: 150,
    });
    expect(cluster.stored(LOCK)).toBe("s2");
  });
});

test("a KV store that refuses to write the lock denies the stop", async () => {
  const cluster = clusterOf();
  cluster.exceptions.set(new RegExp(`^PUT /v1/kv/${LOCK}`), { status: 403 });
  expect((await check(cluster)).outcome).toEqual({
    kind: "deny",
    reason: "the deploy lock cannot be acquired: the KV store rejects the entry",
    hint: "allow its own host to write to the KV store: allow_write_http_from, limits",
  });
});

describe("while others are not healthy", () => {
  test("a quorum that would be lost is waited for, then the stop is denied", async () => {
    const cluster = clusterOf();
    Object.assign(cluster.server("s2"), { healthy: false, status: "failed", up: false });
    expect(await check(cluster)).toEqual({
      outcome: {
        kind: "deny",
        reason: "only 1 of 3 voters would be healthy without it, 2 are needed; not healthy: s2 (failed)",
        hint: "bring those back first, or give up the quorum with CONSUL_ALLOW_QUORUM_LOSS=yes",
      },
      log: ["s1: only 1 of 3 voters would be healthy without it, 2 are needed; not healthy: s2 (failed)"],
      seconds: 60,
    });
  });

  test("one whose faults take turns is waited for twice as long at most", async () => {
    const cluster = clusterOf();
    const s2 = cluster.server("s2");
    for (let second = 0; second < 400; second += 2) {
      cluster.simulation.at(second, () => Object.assign(s2, { healthy: false, up: true }));
      cluster.simulation.at(second + 1, () => Object.assign(s2, { healthy: true, up: false }));
    }
    const { outcome, seconds } = await check(cluster);
    expect(outcome).toMatchObject({ kind: "deny", reason: expect.stringContaining("only 1 of 3 voters") });
    expect(seconds).toBeGreaterThanOrEqual(150);
    expect(seconds).toBeLessThan(155);
  });

  test("one of five whose faults take turns, while another one never answers in time, denies the stop", async () => {
    const cluster = clusterOf(5);
    const [s4, s5] = [cluster.server("s4"), cluster.server("s5")];
    for (let second = 0; second < 400; second += 2) {
      cluster.simulation.at(second, () => Object.assign(s5, { healthy: false, up: true }));
      cluster.simulation.at(second + 1, () => Object.assign(s5, { healthy: true, up: false }));
    }
    for (let second = 0; second < 400; second += 4) {
      cluster.simulation.at(second, () => Object.assign(s4, { hangs: second * 1000 }));
      cluster.simulation.at(second + 3.5, () => Object.assign(s4, { hangs: undefined }));
    }
    const { outcome, seconds } = await check(cluster, { servers: 5 });
    expect([outcome.kind, seconds < 160]).toEqual(["deny", true]);
  });

  test("a server that is cut off counts as not healthy before gossip and autopilot notice", async () => {
    const cluster = clusterOf();
    cluster.server("s3").up = false;
    const { outcome } = await check(cluster);
    expect(outcome).toMatchObject({
      kind: "deny",
      reason: expect.stringContaining("s3 (unreachable at 10.0.0.3:8300)"),
    });
  });

  test("a healthy server that gossip has lost counts as not healthy", async () => {
    const cluster = clusterOf();
    cluster.server("s3").status = "failed";
    expect((await check(cluster)).outcome).toMatchObject({
      kind: "deny",
      reason: expect.stringContaining("s3 (failed)"),
    });
  });

  test("one of five is waited for as long as `seconds`, then the quorum decides", async () => {
    const cluster = clusterOf(5);
    cluster.server("s5").healthy = false;
    expect(await check(cluster, { servers: 5 })).toEqual({
      outcome: { kind: "allow", reason: "3 of 5 voters are healthy without it, 3 are needed" },
      log: ["s1: waiting a while for s5 (alive), though 3 of 5 voters are healthy without it"],
      seconds: 60,
    });
  });

  test("one of five that comes back is not waited for any longer", async () => {
    const cluster = clusterOf(5);
    cluster.server("s5").healthy = false;
    cluster.simulation.at(10, () => {
      cluster.server("s5").healthy = true;
    });
    expect(await check(cluster, { servers: 5 })).toMatchObject({ outcome: { kind: "allow" }, seconds: 10 });
  });

  test("servers that are no voters yet are waited for", async () => {
    const cluster = clusterOf();
    expect((await check(cluster, { servers: 4 })).log).toEqual([
      "s1: waiting a while for 1 of 4 servers, which are no voters yet, though 2 of 3 voters are healthy without it",
    ]);
  });

  test("nobody else at all is told as well", async () => {
    const cluster = clusterOf(1);
    expect((await check(cluster, { servers: 3 })).outcome).toMatchObject({
      kind: "deny",
      reason:
        "only 0 of 1 voters would be healthy without it, 1 are needed; not healthy: 2 of 3 servers, which are no voters yet",
    });
  });
});

test("a server that leaves is not counted afterwards: of four, the three that stay need two", async () => {
  expect((await check(clusterOf(4), { servers: 4, purpose: "leave" })).outcome).toEqual({
    kind: "allow",
    reason: "3 of 4 voters are healthy without it, 2 are needed",
  });
});

describe("its next container's security", () => {
  test("too far from another agent's denies the stop after a while", async () => {
    const cluster = clusterOf();
    cluster.server("s2").stage = "accept";
    expect(await check(cluster)).toMatchObject({
      outcome: {
        kind: "deny",
        reason: 'its next container has security at "strict", too far from s2 (permissive)',
        hint: "go one stage at a time, with a deploy of all agents for each: docs/security.md",
      },
      seconds: 60,
    });
    expect(cluster.stored(LOCK)).toBeUndefined();
  });

  test("does not matter for one that leaves", async () => {
    const cluster = clusterOf(4);
    cluster.server("s2").stage = "off";
    expect((await check(cluster, { servers: 4, purpose: "leave" })).outcome.kind).toBe("allow");
  });
});

test("a leader that is lost now and then does not make the wait for another server's lock begin anew", async () => {
  const cluster = clusterOf();
  cluster.store(LOCK, "s2");
  for (let at = 40; at < 3000; at += 40) {
    cluster.simulation.at(at, () => {
      cluster.hasLeader = false;
    });
    cluster.simulation.at(at + 3, () => {
      cluster.hasLeader = true;
    });
  }
  const { outcome, seconds, log } = await check(cluster);
  expect(outcome).toMatchObject({ kind: "deny", reason: "waiting: s2 is being replaced, or leaves" });
  expect(seconds).toBeLessThan(160);
  expect(log.slice(0, 3)).toEqual([
    "s1: waiting: s2 is being replaced, or leaves",
    "s1: this server knows no leader, or gave no answer",
    "s1: waiting: s2 is being replaced, or leaves",
  ]);
});
