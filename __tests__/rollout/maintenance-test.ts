import { type ConsulAnswer, type ConsulApi, type ConsulRequest, ContainerUnreachable } from "../../rollout/consul-api";
import { beginMaintenance, endMaintenance, type MaintainedAgent } from "../../rollout/maintenance";
import { preStop } from "../../rollout/pre-stop";
import type { BeginMaintenanceRequest, EndMaintenanceRequest, ReplaceRequest } from "../../rollout/request";
import { FakeDocker, failed } from "./docker-fake";
import { SimulatedCluster, Simulation } from "./simulation";
import { asking, STOP_OF_SERVER, stopTools } from "./stop-tools";

const LOCK = "consul-cdktf/replacing";
const SLOT = "consul-cdktf/clients/c1";
/** 2026-11-29 12:00 UTC. */
const SINCE = 1795953600;
const SERVER: BeginMaintenanceRequest = {
  step: "begin-maintenance",
  ...STOP_OF_SERVER,
  since: SINCE,
  reason: "a new kernel",
};
const CLIENT: BeginMaintenanceRequest = { ...SERVER, role: "client", owner: "c1", node: "c1", limit: 1 };
const ENDS: EndMaintenanceRequest = { ...STOP_OF_SERVER, step: "end-maintenance", expect: 3 };
const ENDS_CLIENT: EndMaintenanceRequest = { ...ENDS, role: "client", owner: "c1", node: "c1" };
const REPLACE: ReplaceRequest = {
  step: "pre-stop",
  ...STOP_OF_SERVER,
  next: { image: "consul:next", network: "host", stage: "strict" },
};

function clusterOf(): SimulatedCluster {
  const cluster = new SimulatedCluster(new Simulation());
  cluster.clients.push({ name: "c1", status: "alive" });
  return cluster;
}

interface Own {
  /** Whether it is the leader, and another server leads when it is asked to transfer its leadership. */
  readonly leads?: "transfers" | "stays";
  /** Consul's answer when the maintenance mode is turned on or off. */
  readonly mode?: ConsulAnswer | "none";
  /** Notes of its node's maintenance mode before; undefined if it has none. */
  notes?: string;
  /** Whether the catalog follows the mode. */
  readonly follows?: boolean;
  /** Why nothing can be sent to it. */
  readonly fault?: Error;
}

/** The agent on the host, and what it is asked. */
function agentOf(cluster: SimulatedCluster, node: string, own: Own) {
  const asked: string[] = [];
  let transferred = false;
  const others = cluster.api(node);
  const json = (value: unknown): ConsulAnswer => ({ status: 200, body: JSON.stringify(value) });
  const answer = (request: ConsulRequest): ConsulAnswer | "none" | undefined => {
    const { method, path, authority } = request;
    const [route = "", query] = path.split("?");
    switch (route) {
      case "/v1/agent/self":
        return json({ Config: { NodeID: node }, Stats: { raft: { state: own.leads ? "Leader" : "Follower" } } });
      case "/v1/operator/raft/transfer-leader":
        transferred = own.leads === "transfers";
        return json({});
      case "/v1/status/leader":
        return transferred ? json("10.0.0.2:8300") : undefined;
      case "/v1/agent/maintenance": {
        asked.push(`${method} ${path} ${JSON.stringify(authority)}`);
        const parameters = new URLSearchParams(query);
        if (own.follows !== false)
          own.notes = parameters.get("enable") === "true" ? (own.notes ?? `${parameters.get("reason")}`) : undefined;
        return own.mode ?? json("");
      }
      case `/v1/health/node/${node}`:
        return json([
          { CheckID: "serfHealth", Notes: "" },
          ...(own.notes === undefined ? [] : [{ CheckID: "_node_maintenance", Notes: own.notes }]),
        ]);
    }
    return undefined;
  };
  const api: ConsulApi = {
    send: async (request) => {
      if (own.fault) throw own.fault;
      const exception = [...cluster.exceptions].find(([form]) => form.test(`${request.method} ${request.path}`));
      const answered = exception ? undefined : answer(request);
      if (answered === "none") return others.send({ ...request, path: "/v1/none" });
      return answered ?? others.send(request);
    },
  };
  const agent: MaintainedAgent = { api, ownToken: async () => ({ secretId: "own" }) };
  return { agent, asked };
}

async function begin(
  request: BeginMaintenanceRequest,
  cluster = clusterOf(),
  own: Own = {},
  state: ReturnType<FakeDocker["answer"]> = "running sha256:a",
) {
  const docker = new FakeDocker(() => state);
  const { agent, asked } = agentOf(cluster, request.node, own);
  const made = stopTools(cluster, docker);
  const ask = asking(cluster, [request.node, "s2", "s3"], request.node);
  const outcome = await cluster.simulation.until(beginMaintenance(request, { ...made.tools, ask, own: agent }));
  return { outcome, asked, cluster, log: made.log };
}

async function end(request: EndMaintenanceRequest, cluster: SimulatedCluster, own: Own = { notes: "consul-cdktf: x" }) {
  const log: string[] = [];
  const { agent, asked } = agentOf(cluster, request.node, own);
  const { clock } = cluster.simulation;
  const work = endMaintenance(request, agent, clock, (line) => log.push(line));
  return { outcome: await cluster.simulation.until(work), asked, log };
}

const ON = 'PUT /v1/agent/maintenance?enable=true&reason=consul-cdktf%3A%20a%20new%20kernel {"secretId":"own"}';
const OFF = 'PUT /v1/agent/maintenance?enable=false {"secretId":"own"}';

describe("a maintenance begins", () => {
  test("with the check of a stop: a server keeps the lock, marked with the time, and its node gets maintenance mode", async () => {
    const { outcome, asked, cluster, log } = await begin(SERVER);
    expect(outcome).toEqual({ kind: "allow", reason: "its host may go down" });
    expect([cluster.stored(LOCK), cluster.flags(LOCK)]).toEqual(["s1", SINCE]);
    expect([asked, log]).toEqual([[ON], []]);
  });

  test("of a client agent, which keeps its slot", async () => {
    const { outcome, asked, cluster } = await begin(CLIENT);
    expect(outcome.kind).toBe("allow");
    expect([cluster.keys(), cluster.flags(SLOT), asked]).toEqual([[SLOT], SINCE, [ON]]);
  });

  test("after the leader has handed over", async () => {
    const { outcome, log } = await begin(SERVER, clusterOf(), { leads: "transfers" });
    expect([outcome.kind, log]).toEqual(["allow", ["s1: handing leadership over"]]);
  });

  test("also if no other server leads in time", async () => {
    const { outcome, log } = await begin(SERVER, clusterOf(), { leads: "stays" });
    expect([outcome.kind, log.at(-1)]).toEqual([
      "allow",
      "s1: no other server leads yet; it hands over again when it is stopped",
    ]);
  });

  test("again, though the lock of a server on the same host is held, and keeps the first time", async () => {
    const cluster = clusterOf();
    cluster.store(LOCK, "s1", SINCE);
    cluster.store(SLOT, "c1", SINCE);
    expect((await begin({ ...CLIENT, since: SINCE + 60 }, cluster)).outcome.kind).toBe("allow");
    expect((await begin({ ...SERVER, since: SINCE + 60 }, cluster)).outcome.kind).toBe("allow");
    expect([cluster.flags(LOCK), cluster.flags(SLOT)]).toEqual([SINCE, SINCE]);
  });

  test("with the lock for the only server too, whose stop is allowed without it", async () => {
    const cluster = new SimulatedCluster(new Simulation(), 1);
    const { outcome } = await begin({ ...SERVER, servers: [], limit: 1 }, cluster);
    expect([outcome.kind, cluster.flags(LOCK)]).toEqual(["allow", SINCE]);
  });
});

describe("a maintenance does not begin", () => {
  test("if the cluster cannot spare the server: nothing is held then", async () => {
    const cluster = clusterOf();
    Object.assign(cluster.server("s2"), { up: false, healthy: false, status: "failed" });
    const { outcome, asked } = await begin(SERVER, cluster);
    expect(outcome).toMatchObject({ kind: "deny", reason: expect.stringContaining("only 1 of 3 voters") });
    expect([cluster.keys(), asked]).toEqual([[], []]);
  });

  test.each([
    ["exited sha256:a", "its container does not run, so there is nothing to hand over"],
    [failed("no route"), "its daemon is unreachable: no route"],
  ])("of an agent whose container is %j", async (state, reason) => {
    expect((await begin(SERVER, clusterOf(), {}, state)).outcome).toMatchObject({ kind: "deny", reason });
  });

  test("while a deploy replaces the same agent", async () => {
    const cluster = clusterOf();
    cluster.store(LOCK, "s1");
    expect((await begin(SERVER, cluster)).outcome).toMatchObject({
      kind: "deny",
      reason: "waiting: s1 is being replaced, or leaves",
    });
    expect([cluster.stored(LOCK), cluster.flags(LOCK)]).toEqual(["s1", 0]);
    const other = clusterOf();
    other.store(SLOT, "c1");
    expect((await begin(CLIENT, other)).outcome).toMatchObject({ kind: "deny", reason: "waiting: c1 being replaced" });
    expect(other.flags(SLOT)).toBe(0);
  });

  test("if another one has got the lock, or the slot, of an agent that takes nothing away", async () => {
    const cluster = clusterOf();
    cluster.server("s1").voter = false;
    cluster.store(LOCK, "s2");
    expect((await begin(SERVER, cluster)).outcome).toMatchObject({
      kind: "deny",
      reason: "the deploy lock is not free",
    });
    const other = new SimulatedCluster(new Simulation());
    other.store("consul-cdktf/clients/c2", "c2");
    expect((await begin(CLIENT, other)).outcome).toMatchObject({
      kind: "deny",
      reason: "its rollout slot is not free",
    });
  });

  test.each([
    [SERVER, /GET .*replacing/, "this server does not tell who holds the deploy lock"],
    [CLIENT, /GET .*clients/, "this agent does not list the rollout slots"],
  ])("if nobody tells whether it holds anything", async (request, path, reason) => {
    const cluster = new SimulatedCluster(new Simulation());
    cluster.server("s1").voter = false;
    cluster.exceptions.set(path, { status: 500 });
    expect((await begin(request, cluster)).outcome).toEqual({ kind: "unknown", reason });
  });

  test.each([
    [{ status: 403, body: "Permission denied\n" }, "403 Permission denied"],
    ["none", "its agent is unreachable"],
  ] as const)("if Consul refuses the maintenance mode: %j", async (mode, why) => {
    const cluster = clusterOf();
    cluster.exceptions.set(/v1.none/, "none");
    const { outcome } = await begin(SERVER, cluster, { mode });
    expect(outcome).toMatchObject({
      kind: "deny",
      reason: `Consul's maintenance mode cannot be turned on: ${why}, for 60 s`,
    });
  });

  test("if the catalog does not follow", async () => {
    const { outcome, log } = await begin(SERVER, clusterOf(), { follows: false });
    expect(outcome).toMatchObject({
      kind: "deny",
      reason: "the catalog does not follow its maintenance mode, for 60 s",
    });
    expect(log).toEqual(["s1: waiting: the catalog does not follow its maintenance mode"]);
  });
});

describe("a maintenance ends", () => {
  test("of a server, when it is healthy: its mode ends, then its lock is released", async () => {
    const cluster = clusterOf();
    cluster.store(LOCK, "s1", SINCE);
    cluster.server("s1").healthy = false;
    cluster.simulation.at(7, () => {
      cluster.server("s1").healthy = true;
    });
    const { outcome, asked, log } = await end(ENDS, cluster);
    expect(outcome).toEqual({ kind: "allow", reason: "ready, and in maintenance no more" });
    expect([cluster.keys(), asked, log]).toEqual([[], [OFF], ["s1: waiting: autopilot does not report it as healthy"]]);
  });

  test("of a client agent, whose slot is released", async () => {
    const cluster = clusterOf();
    cluster.store(SLOT, "c1", SINCE);
    expect((await end(ENDS_CLIENT, cluster)).outcome.kind).toBe("allow");
    expect(cluster.keys()).toEqual([]);
  });

  test("twice; and what a deploy holds, and a mode that somebody else has turned on, stay", async () => {
    const cluster = clusterOf();
    cluster.store(LOCK, "s1");
    cluster.store(SLOT, "c1");
    expect((await end(ENDS, cluster, {})).asked).toEqual([]);
    expect((await end(ENDS_CLIENT, cluster, { notes: "by hand" })).asked).toEqual([]);
    expect(cluster.keys()).toEqual([SLOT, LOCK]);
  });

  test("not before autopilot reports the server as healthy", async () => {
    const cluster = clusterOf();
    cluster.server("s1").status = "failed";
    expect((await end(ENDS, cluster)).outcome).toMatchObject({
      kind: "deny",
      reason: "autopilot does not report it as healthy, for 60 s",
    });
  });

  test.each([
    [/health.node/, { kind: "unknown", reason: "this agent does not list its node's checks" }],
    [/DELETE .*replacing/, { kind: "unknown", reason: "this agent does not release the lock of the maintenance" }],
  ])("not if nobody answers %s", async (path, outcome) => {
    const cluster = clusterOf();
    cluster.store(LOCK, "s1", SINCE);
    cluster.exceptions.set(path, { status: 500 });
    expect((await end(ENDS, cluster)).outcome).toEqual(outcome);
    expect(cluster.flags(LOCK)).toBe(SINCE);
  });

  test("of a client agent not while nobody tells who has its slot", async () => {
    const cluster = clusterOf();
    cluster.store(SLOT, "c1", SINCE);
    cluster.exceptions.set(/GET .*clients/, { status: 500 });
    expect((await end(ENDS_CLIENT, cluster)).outcome.kind).toBe("unknown");
    expect(cluster.keys()).toEqual([SLOT]);
  });

  test.each([
    [{ mode: { status: 500, body: "" } }, "Consul's maintenance mode cannot be turned off: 500, for 60 s"],
    [{ follows: false }, "the catalog does not follow its maintenance mode, for 60 s"],
  ])("not if its mode stays: %j", async (own, reason) => {
    const cluster = clusterOf();
    cluster.store(LOCK, "s1", SINCE);
    expect((await end(ENDS, cluster, { notes: "consul-cdktf: x", ...own })).outcome).toMatchObject({
      kind: "deny",
      reason,
    });
    expect(cluster.flags(LOCK)).toBe(SINCE);
  });
});

describe("a deploy waits for the end of a maintenance", () => {
  const HINT = "if it is over, end it: npm run maintain -- HOST --end";

  test.each(["s1", "s2"])("that holds the lock for %s", async (owner) => {
    const cluster = clusterOf();
    cluster.store(LOCK, owner, SINCE);
    const docker = new FakeDocker((line) => {
      if (line.startsWith("run ")) return "Consul v1.22.7";
      return line.startsWith("image") ? "sha256:a" : "running sha256:a";
    });
    const { tools } = stopTools(cluster, docker);
    const outcome = await cluster.simulation.until(preStop(REPLACE, { quorumLoss: false, downgrade: false }, tools));
    const reason = `waiting: the host of ${owner} is in maintenance since 2026-11-29 12:00 UTC`;
    expect(outcome).toEqual({ kind: "deny", reason, hint: HINT });
    expect([cluster.stored(LOCK), cluster.flags(LOCK)]).toEqual([owner, SINCE]);
  });
});

test("an agent in whose container nothing can be run keeps what it has acquired, and the command can be run again", async () => {
  const cluster = clusterOf();
  const { outcome } = await begin(SERVER, cluster, { fault: new ContainerUnreachable("OCI runtime exec failed") });
  expect(outcome).toEqual({
    kind: "deny",
    reason: "OCI runtime exec failed",
    hint: "run the command again, which goes on; or give up: npm run maintain -- HOST --end",
  });
  expect(cluster.stored(LOCK)).toBe("s1");
});

test("a fault of the program's own is no answer of an agent", async () => {
  await expect(begin(SERVER, clusterOf(), { fault: new TypeError("a fault") })).rejects.toThrow("a fault");
});
