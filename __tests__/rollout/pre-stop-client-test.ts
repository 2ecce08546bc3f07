import type { ConsulApi, ConsulRequest } from "../../rollout/consul-api";
import { type ClientStop, preStopClient } from "../../rollout/pre-stop-client";
import { SimulatedCluster, Simulation } from "./simulation";

const STOP: ClientStop = { owner: "c1", node: "c1", purpose: "replace", limit: 1, stage: "strict", seconds: 60 };
const SLOTS = "consul-cdktf/clients/";
const LOCK = "consul-cdktf/replacing";

function clusterOf(...clients: string[]): SimulatedCluster {
  const cluster = new SimulatedCluster(new Simulation());
  for (const name of clients) cluster.clients.push({ name, status: "alive" });
  return cluster;
}

async function check(cluster: SimulatedCluster, stop: Partial<ClientStop> = {}) {
  const log: string[] = [];
  const { simulation } = cluster;
  const wanted = { ...STOP, ...stop };
  const work = preStopClient(wanted, cluster.api(wanted.node), simulation.clock, (line) => log.push(line));
  return { outcome: await simulation.until(work), log, seconds: simulation.seconds };
}

test("a client agent may be stopped when no server is being replaced at three looks, and holds a rollout slot then", async () => {
  const cluster = clusterOf("c1");
  expect(await check(cluster)).toEqual({
    outcome: { kind: "allow", reason: "0 other client agents are being replaced, of at most 1 in parallel" },
    log: [],
    seconds: 2,
  });
  expect(cluster.keys()).toEqual([`${SLOTS}c1`]);
  expect(cluster.stored(`${SLOTS}c1`)).toBe("c1");
});

test("entries that come later than a slot is free for do not count as agents that are being replaced", async () => {
  const cluster = clusterOf("c1", "c2", "c3");
  cluster.store(`${SLOTS}c2`, "c2");
  const api = cluster.api("c1");
  const late: ConsulApi = {
    send: async (request) => {
      const answer = await api.send(request);
      if (request.method === "PUT") cluster.store(`${SLOTS}c3`, "c3");
      return answer;
    },
  };
  const { clock } = cluster.simulation;
  const limit = { ...STOP, limit: 2 };
  expect(await cluster.simulation.until(preStopClient(limit, late, clock, () => undefined))).toEqual({
    kind: "allow",
    reason: "1 other client agents are being replaced, of at most 2 in parallel",
  });
});

test("looks are a second apart, from the beginning of one to that of the next; a look that takes longer is followed at once", async () => {
  const looksOf = async (answerSeconds: number) => {
    const cluster = clusterOf("c1");
    const { clock } = cluster.simulation;
    const begins: number[] = [];
    const api = cluster.api("c1");
    const slow: ConsulApi = {
      send: async (request) => {
        if (request.path === "/v1/status/leader") {
          begins.push(cluster.simulation.seconds);
          await clock.sleep(answerSeconds * 1000);
        }
        return api.send(request);
      },
    };
    await cluster.simulation.until(preStopClient(STOP, slow, clock, () => undefined));
    return begins;
  };
  expect(await looksOf(0.4)).toEqual([0, 1, 2]);
  expect(await looksOf(1.5)).toEqual([0, 1.5, 3]);
});

test("while a server's check waits in the same run, three looks begin anew", async () => {
  const cluster = clusterOf("c1");
  const { simulation } = cluster;
  const letServersPass = async () => simulation.seconds < 5.5;
  expect(await check(cluster, { letServersPass })).toMatchObject({ outcome: { kind: "allow" }, seconds: 8 });
});

test("servers that take longer than a check may take do not make it late", async () => {
  const cluster = clusterOf("c1");
  const letServersPass = async () => {
    const isLate = cluster.simulation.seconds < 10;
    if (isLate) await cluster.simulation.clock.sleep(300_000);
    return isLate;
  };
  expect((await check(cluster, { letServersPass })).outcome.kind).toBe("allow");
});

test("one that holds a slot already, since its new container did not become ready, keeps it", async () => {
  const cluster = clusterOf("c1");
  cluster.store(`${SLOTS}c1`, "c1");
  expect((await check(cluster)).outcome.kind).toBe("allow");
  expect(cluster.keys()).toEqual([`${SLOTS}c1`]);
});

test.each([
  ["is no member", []],
  ["has failed", ["failed"]],
  ["has left", ["left"]],
] as const)("one that %s may be stopped, without a slot", async (_, [status]) => {
  const cluster = clusterOf();
  if (status) cluster.clients.push({ name: "c1", status });
  expect((await check(cluster)).outcome).toEqual({
    kind: "allow",
    reason: "it is not in the cluster",
  });
  expect(cluster.keys()).toEqual([]);
});

test.each([
  ["an agent that lists it not yet, though it is in the catalog", [/agent.members/]],
  ["an agent that lists nobody to its token", [/agent.members/, /catalog.nodes/]],
])("%s, does not know that it is no member", async (_, paths) => {
  const cluster = clusterOf("c1");
  for (const path of paths) cluster.exceptions.set(path, { status: 200, body: "[]" });
  expect(await check(cluster)).toMatchObject({
    outcome: { kind: "unknown", reason: "this agent knows no leader, or does not list the members" },
    seconds: 8,
  });
  expect(cluster.keys()).toEqual([]);
});

test.each([
  ["does not list the catalog", /agent.members|catalog.nodes/],
  ["knows no leader", /status.leader/],
  ["does not list the members", /agent.members/],
])("one that %s for 8 s does not know", async (_, path) => {
  const cluster = clusterOf("c1");
  cluster.exceptions.set(path, "none");
  expect(await check(cluster)).toMatchObject({
    outcome: { kind: "unknown", reason: "this agent knows no leader, or does not list the members" },
    seconds: 8,
  });
});

describe("it waits", () => {
  test("while a server is being replaced, and three looks longer", async () => {
    const cluster = clusterOf("c1");
    cluster.store(LOCK, "s2");
    cluster.simulation.at(10, () => void cluster.api("s1").send({ method: "DELETE", path: `/v1/kv/${LOCK}` }));
    expect(await check(cluster)).toMatchObject({
      outcome: { kind: "allow" },
      log: ["c1: waiting: s2 is being replaced, or leaves"],
      seconds: 12,
    });
  });

  test("while others hold all slots, and is denied after twice the time that a check may take", async () => {
    const cluster = clusterOf("c1", "c2");
    cluster.store(`${SLOTS}c2`, "c2");
    expect(await check(cluster)).toEqual({
      outcome: {
        kind: "deny",
        reason: "waiting: c2 being replaced",
        hint: "fix those first: a readiness check releases the slot of its agent. If no deploy replaces them: npm run doctor -- --fix",
      },
      log: ["c1: waiting: c2 being replaced"],
      seconds: 152,
    });
    expect(cluster.keys()).toEqual([`${SLOTS}c2`]);
  });

  test("and sees at once that a slot is free", async () => {
    const cluster = clusterOf("c1", "c2");
    cluster.store(`${SLOTS}c2`, "c2");
    cluster.simulation.at(9.4, () => void cluster.api("c2").send({ method: "DELETE", path: `/v1/kv/${SLOTS}c2` }));
    const { outcome, seconds } = await check(cluster);
    expect(outcome.kind).toBe("allow");
    expect(seconds).toBeLessThan(9.6);
  });

  test("a second at a time where the answer has no index to wait by", async () => {
    const cluster = clusterOf("c1", "c2");
    cluster.store(`${SLOTS}c2`, "c2");
    cluster.simulation.at(9.4, () => void cluster.api("c2").send({ method: "DELETE", path: `/v1/kv/${SLOTS}c2` }));
    const api = cluster.api("c1");
    const plain = { send: async (request: ConsulRequest) => ({ ...(await api.send(request)), index: undefined }) };
    const { clock } = cluster.simulation;
    await cluster.simulation.until(preStopClient(STOP, plain, clock, () => undefined));
    expect(cluster.simulation.seconds).toBe(10);
  });

  test.each([
    [LOCK, "s1"],
    [`${SLOTS}c1`, "c1"],
    [`${SLOTS}c2`, "c2"],
  ])("while %s is held for a maintenance, even of its own host", async (key, owner) => {
    const cluster = clusterOf("c1", "c2");
    cluster.store(key, owner, 1795953600);
    expect((await check(cluster)).outcome).toEqual({
      kind: "deny",
      reason: `waiting: the host of ${owner} is in maintenance since 2026-11-29 12:00 UTC`,
      hint: "if it is over, end it: npm run maintain -- HOST --end",
    });
    expect(cluster.flags(key)).toBe(1795953600);
  });

  test("while the KV store refuses its slot", async () => {
    const cluster = clusterOf("c1");
    cluster.exceptions.set(/^PUT .*clients/, { status: 403 });
    expect((await check(cluster)).outcome).toMatchObject({
      kind: "deny",
      reason: "its rollout slot cannot be acquired: the KV store rejects the entry",
    });
  });
});

describe("nobody is stopped, and another agent is asked, when this one does not tell", () => {
  test.each([
    ["the rollout slots", /recurse/, "this agent does not list the rollout slots", 10],
    ["who holds the deploy lock", /replacing/, "this agent does not tell who holds the deploy lock", 8],
    ["the others' security", /catalog.nodes/, "this agent does not tell the others' security", 8],
  ])("%s", async (_, path, reason, seconds) => {
    const cluster = clusterOf("c1");
    cluster.exceptions.set(path, { status: 500 });
    expect(await check(cluster)).toMatchObject({ outcome: { kind: "unknown", reason }, seconds });
    expect(cluster.keys()).toEqual([]);
  });
});

test("a lost answer about the slots changes nothing: the entry stays, and the next look decides", async () => {
  const cluster = clusterOf("c1");
  let lost = 0;
  const api = cluster.api("c1");
  const outcome = await cluster.simulation.until(
    preStopClient(
      STOP,
      {
        send: (request) => {
          const isLook = request.path.includes("recurse");
          if (isLook && cluster.keys().length === 1 && lost++ < 2) return Promise.resolve({ status: 500, body: "" });
          return api.send(request);
        },
      },
      cluster.simulation.clock,
      () => undefined,
    ),
  );
  expect([outcome.kind, lost > 1, cluster.keys()]).toEqual(["allow", true, [`${SLOTS}c1`]]);
});

describe("its next container's security", () => {
  test("too far from another agent's denies the stop after a while", async () => {
    const cluster = clusterOf("c1");
    cluster.server("s2").stage = "accept";
    expect(await check(cluster)).toMatchObject({
      outcome: { kind: "deny", reason: 'its next container has security at "strict", too far from s2 (permissive)' },
      seconds: 60,
    });
  });

  test("is not asked for one that leaves", async () => {
    const cluster = clusterOf("c1");
    cluster.exceptions.set(/catalog.nodes/, { status: 403 });
    expect((await check(cluster, { purpose: "leave" })).outcome.kind).toBe("allow");
  });
});
