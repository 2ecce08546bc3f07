import { type ConsulAnswer, type ConsulApi, ContainerUnreachable } from "../../rollout/consul-api";
import { type DecommissionTools, decommission } from "../../rollout/decommission";
import type { DecommissionRequest } from "../../rollout/request";
import { FakeDocker, failed } from "./docker-fake";
import { SimulatedCluster, Simulation } from "./simulation";
import { asking, STOP_OF_SERVER, stopTools, target } from "./stop-tools";

const LOCK = "consul-cdktf/replacing";
const REQUEST: DecommissionRequest = { step: "decommission", ...STOP_OF_SERVER };

type Answer = ReturnType<FakeDocker["answer"]>;

const daemon = (state: Answer = "running sha256:a", others: Readonly<Record<string, Answer>> = {}) =>
  new FakeDocker((line) => {
    const answers: Readonly<Record<string, Answer>> = { ...others, "container inspect": state };
    return Object.entries(answers).find(([command]) => line.startsWith(command))?.[1];
  });

/** The agent that leaves: whether it is the leader, and transfers its leadership, and what it is asked. */
function agent(cluster: SimulatedCluster, leads: false | "transfers" | "stays" = false, stays = false) {
  const asked: string[] = [];
  const isAsked = (path: string) => asked.some((line) => line.includes(path));
  const api: ConsulApi = {
    send: async ({ method, path, waitSeconds }): Promise<ConsulAnswer> => {
      asked.push([method, path, waitSeconds].filter(Boolean).join(" "));
      if (path === "/v1/agent/leave" && !stays) leaves(cluster);
      const leader = leads === "transfers" && isAsked("transfer-leader") ? "10.0.0.2:8300" : "10.0.0.1:8300";
      const self = { Stats: { raft: { state: leads ? "Leader" : "Follower" } } };
      return { status: 200, body: JSON.stringify(path === "/v1/status/leader" ? leader : self) };
    },
  };
  return { api, asked };
}

/** An agent to which nothing can be sent. */
const refusing = (error: Error): ConsulApi => ({ send: () => Promise.reject(error) });

function leaves(cluster: SimulatedCluster): void {
  cluster.servers.splice(0, cluster.servers.length, ...cluster.servers.filter(({ name }) => name !== "s1"));
}

interface Leave {
  readonly docker?: FakeDocker;
  readonly request?: DecommissionRequest;
  readonly consent?: boolean;
  readonly cluster?: SimulatedCluster;
  readonly leads?: "transfers" | "stays";
  /** Whether its request to leave does nothing. */
  readonly stays?: boolean;
  /** Instead of the agent that leaves. */
  readonly own?: ConsulApi;
}

async function leave(wanted: Leave = {}) {
  const { docker = daemon(), request = REQUEST, consent = false } = wanted;
  const { cluster = new SimulatedCluster(new Simulation()), leads, stays } = wanted;
  const own = agent(cluster, leads, stays);
  const made = stopTools(cluster, docker);
  const tools: DecommissionTools = {
    ...made.tools,
    own: wanted.own ?? own.api,
    askServers: asking(cluster, ["s2", "s3"]),
  };
  const consents = { quorumLoss: consent, downgrade: false };
  const outcome = await cluster.simulation.until(decommission(request, consents, tools));
  return { ...made, outcome, cluster, calls: docker.lines(), docker, asked: own.asked };
}

test("a running agent is checked, leaves, and stays down; then its lock is released", async () => {
  const { outcome, calls, asked, cluster, log, docker } = await leave();
  expect(outcome).toEqual({ kind: "allow", reason: "it has left" });
  expect(calls.slice(1)).toEqual(["update --restart=no s1", "wait s1"]);
  expect(docker.calls.at(-1)?.seconds).toBe(15);
  expect(asked).toEqual(["GET /v1/agent/self", "PUT /v1/agent/leave 25"]);
  expect(cluster.requests.some((line) => line.startsWith("PUT /v1/kv/consul-cdktf/replacing"))).toBe(true);
  expect([cluster.keys(), log]).toEqual([[], ["s1: leaving"]]);
});

test("a leader hands over before it leaves, and leaves all the same if that takes too long", async () => {
  expect((await leave({ leads: "transfers" })).asked).toEqual([
    "GET /v1/agent/self",
    "GET /v1/status/leader",
    "POST /v1/operator/raft/transfer-leader 5",
    "GET /v1/status/leader",
    "PUT /v1/agent/leave 25",
  ]);
  const { outcome, asked, cluster } = await leave({ leads: "stays" });
  expect([outcome.kind, asked.at(-1)]).toEqual(["allow", "PUT /v1/agent/leave 25"]);
  expect(cluster.simulation.seconds).toBeGreaterThanOrEqual(8);
});

test("an agent does not leave if the check denies it", async () => {
  const cluster = new SimulatedCluster(new Simulation(), 1);
  const { outcome, calls, asked } = await leave({ cluster });
  expect(outcome).toMatchObject({ kind: "deny", reason: "it is the only voter, and the cluster would end with it" });
  expect([calls.length, asked]).toEqual([1, []]);
});

test("a client agent is checked as one", async () => {
  const cluster = new SimulatedCluster(new Simulation());
  cluster.clients.push({ name: "c1", status: "alive" });
  const { cluster: after, calls } = await leave({
    cluster,
    request: { ...REQUEST, role: "client", target: target("c1"), node: "c1", owner: "c1", limit: 1, seconds: 1 },
  });
  expect(calls).toContain("update --restart=no c1");
  expect(after.requests).toContain("PUT /v1/kv/consul-cdktf/clients/c1?cas=0");
});

test("an agent whose restart policy cannot be changed does not leave, and releases its lock", async () => {
  const { outcome, asked, cluster } = await leave({ docker: daemon(undefined, { update: failed("no route") }) });
  expect(outcome).toMatchObject({
    kind: "deny",
    reason: "its restart policy cannot be changed, and it would join again: no route",
  });
  expect([asked, cluster.keys()]).toEqual([[], []]);
});

describe("an agent that does not end by itself", () => {
  const wait = failed("no answer within 15 s");

  /** A cluster in which the server's own request to leave does nothing. */
  const staying = () => {
    const cluster = new SimulatedCluster(new Simulation());
    return { cluster, docker: daemon(undefined, { wait }), stays: true };
  };

  test("has its vote taken by the servers that stay, and is stopped then as any other", async () => {
    const { cluster, docker } = staying();
    const atStop: string[] = [];
    const stop = docker.answer;
    docker.answer = (line, calls) => {
      if (line.startsWith("stop")) atStop.push(...cluster.servers.map(({ name }) => name));
      return stop(line, calls);
    };
    const { outcome, calls, log } = await leave({ cluster, docker, stays: true });
    expect([outcome.kind, calls.at(-1), atStop]).toEqual(["allow", "stop -t 30 s1", ["s2", "s3"]]);
    expect(log).toEqual(["s1: leaving", "s1: it did not leave by itself: removed from Raft"]);
  });

  test("and keeps its vote, is not stopped: the quorum was judged without it; its lock stays", async () => {
    const { cluster, docker } = staying();
    cluster.exceptions.set(/raft.peer/, { status: 403 });
    const { outcome, calls } = await leave({ cluster, docker, stays: true });
    expect(outcome).toMatchObject({
      kind: "deny",
      reason: "it has not left after 60 s: it did not leave by itself: removed from Raft",
    });
    expect(calls.some((line) => line.startsWith("stop"))).toBe(false);
    expect(cluster.stored(LOCK)).toBe("s1");
  });

  test.each<[string, Partial<Leave>]>([
    ["with consent to the loss of the quorum", { consent: true }],
    ["if it is a client agent, which has none", { request: { ...REQUEST, role: "client", node: "c1", limit: 1 } }],
  ])("is stopped whatever the servers know %s", async (_, wanted) => {
    const { cluster, docker } = staying();
    cluster.exceptions.set(/raft.(peer|configuration)/, { status: 403 });
    expect((await leave({ cluster, docker, stays: true, ...wanted })).calls).toContain("stop -t 30 s1");
  });

  test("as nothing can be run in its container, has its vote taken and is stopped", async () => {
    const { cluster, docker } = staying();
    const own = refusing(new ContainerUnreachable("OCI runtime exec failed"));
    const { outcome, calls, log } = await leave({ cluster, docker, own });
    expect([outcome.kind, calls.at(-1), cluster.keys()]).toEqual(["allow", "stop -t 30 s1", []]);
    expect(log).toEqual([
      "s1: leaving",
      "s1: it cannot be asked to leave: OCI runtime exec failed",
      "s1: it did not leave by itself: removed from Raft",
    ]);
  });

  test("is not stopped after a fault of the program's own", async () => {
    const { cluster, docker } = staying();
    await expect(leave({ cluster, docker, own: refusing(new TypeError("a fault")) })).rejects.toThrow("a fault");
    expect(docker.lines().some((line) => line.startsWith("stop"))).toBe(false);
  });

  test("is not taken for stopped if its daemon does not stop it; its lock stays", async () => {
    const { outcome, cluster } = await leave({ docker: daemon(undefined, { wait, stop: failed("hangs") }) });
    expect(outcome).toMatchObject({ kind: "deny", reason: "its container cannot be stopped: hangs" });
    expect(cluster.stored(LOCK)).toBe("s1");
  });
});

describe("a container that does not run", () => {
  test("is kept down", async () => {
    const cluster = new SimulatedCluster(new Simulation());
    leaves(cluster);
    const { outcome, calls, asked } = await leave({ cluster, docker: daemon("exited sha256:a") });
    expect([outcome.kind, calls.slice(1), asked]).toEqual(["allow", ["update --restart=no s1", "stop -t 30 s1"], []]);
  });

  test("need not be stopped if it has ended, though its daemon takes neither an update nor a stop", async () => {
    const docker = daemon("dead sha256:a", { update: failed("dead"), stop: failed("dead") });
    expect((await leave({ docker, request: { ...REQUEST, servers: [] } })).outcome.kind).toBe("allow");
  });

  test("denies if its daemon is unreachable, at first or afterwards", async () => {
    const unreachable = { "container ls": failed("no route") };
    expect((await leave({ docker: daemon(failed("no route"), unreachable), consent: true })).outcome).toMatchObject({
      kind: "deny",
      reason: "its daemon is unreachable: no route",
    });
    const answers: Answer[] = ["restarting sha256:a", undefined, failed("no route"), failed("no route"), failed("")];
    const docker = new FakeDocker((_, calls) => answers[calls - 1]);
    expect((await leave({ docker })).outcome).toMatchObject({ reason: "its container cannot be stopped: no route" });
  });

  test("is removed from the cluster too if it is gone", async () => {
    const cluster = new SimulatedCluster(new Simulation());
    cluster.server("s1").status = "failed";
    const { outcome, asked } = await leave({ cluster, docker: daemon(failed("none"), { "container ls": "" }) });
    expect([outcome.kind, asked, cluster.servers.map(({ name }) => name)]).toEqual(["allow", [], ["s2", "s3"]]);
  });
});

describe("the servers that stay", () => {
  const remembered = () => {
    const cluster = new SimulatedCluster(new Simulation());
    cluster.exceptions.set(/members/, { status: 500 });
    return cluster;
  };
  const docker = () => daemon(failed("none"), { "container ls": "" });

  test("have to have removed it", async () => {
    expect((await leave({ cluster: remembered(), docker: docker() })).outcome.kind).toBe("unknown");
  });

  test("need not tell with consent to the loss of the quorum: they may be stopped too", async () => {
    const { outcome } = await leave({ cluster: remembered(), docker: docker(), consent: true });
    expect(outcome).toEqual({
      kind: "allow",
      reason: "it is stopped. It was not seen to be removed: this server does not list the members",
    });
  });

  test("are not asked if there are none", async () => {
    const { outcome } = await leave({ cluster: remembered(), docker: docker(), request: { ...REQUEST, servers: [] } });
    expect(outcome).toEqual({ kind: "allow", reason: "it is stopped, and no server stays" });
  });
});

describe("with all servers deployed elsewhere", () => {
  const client = () => {
    const cluster = new SimulatedCluster(new Simulation());
    cluster.clients.push({ name: "c1", status: "alive" });
    const stop = { target: target("c1"), node: "c1", owner: "c1", role: "client", limit: 1, servers: [] } as const;
    return { cluster, request: { ...REQUEST, ...stop } };
  };

  test("a client agent releases its slot before it leaves, as nobody could afterwards", async () => {
    const { outcome, asked, cluster } = await leave(client());
    expect(outcome).toEqual({ kind: "allow", reason: "it is stopped, and no server stays" });
    expect(cluster.requests).toContain("PUT /v1/kv/consul-cdktf/clients/c1?cas=0");
    expect([asked.at(-1), cluster.keys()]).toEqual(["PUT /v1/agent/leave 25", []]);
  });

  test("a client agent whose slot is not released does not leave", async () => {
    const { cluster, request } = client();
    cluster.exceptions.set(/^DELETE .*clients.c1/, { status: 500 });
    const { outcome, asked, calls } = await leave({ cluster, request });
    expect(outcome).toEqual({ kind: "unknown", reason: "its rollout slot is not released" });
    expect([asked, calls.length]).toEqual([[], 1]);
  });

  test("a server does not leave, and releases the lock, as it could not later", async () => {
    const { outcome, asked, calls, cluster } = await leave({ request: { ...REQUEST, servers: [] } });
    expect(outcome).toEqual({
      kind: "deny",
      reason: "all servers that stay are deployed elsewhere, and none can see to its removal",
      hint: "decommission it there; or let it leave unchecked, when they are healthy: CONSUL_ALLOW_QUORUM_LOSS=1",
    });
    expect([asked, calls.length, cluster.keys()]).toEqual([[], 1, []]);
    expect(cluster.requests.some((line) => line.startsWith("PUT /v1/kv/consul-cdktf/replacing"))).toBe(true);
  });
});

test("with consent to the loss of the quorum an agent leaves unchecked", async () => {
  const cluster = new SimulatedCluster(new Simulation(), 1);
  const { outcome, asked, calls } = await leave({ cluster, consent: true, request: { ...REQUEST, servers: [] } });
  expect([outcome.kind, asked.at(-1), cluster.requests]).toEqual(["allow", "PUT /v1/agent/leave 25", []]);
  expect(calls).toContain("update --restart=no s1");
});

test("with consent an agent whose restart policy cannot be changed does not leave either", async () => {
  const { outcome } = await leave({ docker: daemon(undefined, { update: failed("no route") }), consent: true });
  expect(outcome.kind).toBe("deny");
});
