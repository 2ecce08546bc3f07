import type { IncomingMessage } from "node:http";
import type { AgentDescription, Cluster } from "../../../cluster/model";
import { type AgentProbe, type ProbeOptions, probeAgent } from "../../../ops/inspect/probe";
import { makeCa } from "../../../ops/secrets/certificates";
import { FOUR_HOSTS, load } from "../../cluster-files";
import { health, kvEntry, member, raftServer } from "../../rollout/answers";
import { api, ContainerStandIn } from "../../rollout/container-stand-in";

/** `none`: it never comes. `broken`: the agent closes the connection. */
type Answer = readonly [status: number, body: unknown] | "none" | "broken";
type Answers = Readonly<Record<string, Answer>>;

const cluster = load(FOUR_HOSTS);
const { PATH } = process.env;
afterEach(() => {
  process.env.PATH = PATH;
});

const SELF = {
  Config: { NodeName: "s1", NodeID: "id-s1", Datacenter: "dc1", Server: true, Version: "1.22.2" },
  DebugConfig: { DataDir: "/consul/data", LeaveOnTerm: false },
  Member: { ...member("s1"), Tags: { role: "consul", port: "8300" } },
  Stats: { raft: { state: "Follower", applied_index: "42" }, serf_lan: { encrypted: "true" } },
};
const MEMBERS = [member("s1"), member("c1", { Addr: "fd00::4", Status: 4, role: "node" })];
const check = (CheckID: string, parts = {}) => ({
  ...{ Node: "c1", CheckID, ServiceName: "", Name: "Serf", Status: "critical", Output: "" },
  ...parts,
});
const ANSWERS: Answers = {
  "/v1/agent/self": [200, SELF],
  "/v1/agent/members": [200, MEMBERS],
  "/v1/operator/raft/configuration?stale": [200, { Servers: [raftServer("s1", "10.0.0.1:8300")], Index: 0 }],
  "/v1/status/leader": [200, "10.0.0.1:8300"],
  "/v1/status/peers": [200, ["10.0.0.1:8300"]],
  "/v1/operator/autopilot/health": [429, { Healthy: false, Servers: [health("s1", { Healthy: false })] }],
  "/v1/kv/consul-cdktf/?recurse&consistent": [200, [kvEntry("consul-cdktf/replacing", "s2", 22)]],
  "/v1/catalog/services": [200, { consul: [], nginx: ["http"] }],
  "/v1/health/state/critical": [
    200,
    [check("serfHealth"), check("x", { ServiceName: "nginx", Name: "http", Output: "5".repeat(300) })],
  ],
  "/v1/health/state/warning": [200, [check("y", { Name: "disk", Status: "warning" })]],
};
/** Of a client agent, which reports no Raft. */
const CLIENT: Answers = {
  ...ANSWERS,
  "/v1/agent/self": [
    200,
    {
      ...SELF,
      Member: MEMBERS[1],
      Config: { ...SELF.Config, NodeName: "c1" },
      Stats: { serf_lan: SELF.Stats.serf_lan },
    },
  ],
};

/** The reason of a request whose connection the agent closes. */
const CLOSED = expect.stringMatching(/socket hang up|the docker CLI ended with 0/);

interface Run extends ProbeOptions {
  readonly answers?: Answers;
  readonly secrets?: Readonly<Record<string, string>>;
  readonly of?: Cluster;
  readonly prepare?: (container: ContainerStandIn) => void;
}

/** Probes an agent whose container is a stand-in with a real HTTP server. */
async function probe(name: "s1" | "c1", { answers = ANSWERS, secrets, of = cluster, prepare, ...options }: Run = {}) {
  const container = new ContainerStandIn(secrets);
  prepare?.(container);
  process.env.PATH = container.path;
  const paths: string[] = [];
  const tokens: Record<string, unknown> = {};
  const local = await api((request: IncomingMessage, response) => {
    const path = request.url ?? "";
    tokens[path] = request.headers["x-consul-token"];
    // The test of a token.
    if (path.startsWith("/v1/agent/members?")) return response.end("[]");
    paths.push(path);
    const answer = answers[path] ?? [404, ""];
    if (answer === "broken") request.socket.destroy();
    if (typeof answer === "string") return undefined;
    const [status, body] = answer;
    response.statusCode = status;
    return response.end(typeof body === "string" && status !== 200 ? body : JSON.stringify(body));
  });
  const described = of.agents.find((agent) => agent.name === name) as AgentDescription;
  const agent = { ...described, endpoints: { ...described.endpoints, local } };
  const view = await probeAgent(of, agent, options);
  return { view: view as AgentProbe, paths, tokens, ...container.processes() };
}

test("of a server: itself, its Raft, and the cluster as the leader knows it, without the checks of gossip (serfHealth)", async () => {
  const { view, started, running } = await probe("s1");
  expect(view).toEqual({
    version: "1.22.2",
    id: "id-s1",
    raft: "Follower",
    index: 42,
    settings: {
      node: "s1",
      datacenter: "dc1",
      server: true,
      address: "10.0.0.1",
      gossipPort: 8301,
      serverPort: "8300",
      dataFolder: "/consul/data",
      leavesOnTerm: false,
      gossipEncrypted: true,
    },
    members: MEMBERS,
    leader: "10.0.0.1:8300",
    servers: [raftServer("s1", "10.0.0.1:8300")],
    health: [health("s1", { Healthy: false })],
    locks: [kvEntry("consul-cdktf/replacing", "s2", 22)],
    services: ["nginx"],
    failing: [
      { node: "c1", service: "nginx", check: "http", status: "critical", output: "5".repeat(200) },
      { node: "c1", service: "", check: "disk", status: "warning", output: "" },
    ],
    files: new Map(),
  });
  expect([started, running]).toEqual([1, 0]);
});

test("no lock is no error, and what a server denies is unknown", async () => {
  const denied = [403, "Permission denied"] as const;
  const { view } = await probe("s1", {
    answers: {
      ...ANSWERS,
      "/v1/agent/members": denied,
      "/v1/kv/consul-cdktf/?recurse&consistent": [404, ""],
      "/v1/operator/raft/configuration?stale": denied,
      "/v1/operator/autopilot/health": denied,
      "/v1/catalog/services": denied,
      "/v1/health/state/critical": denied,
    },
  });
  expect(view).toMatchObject({ members: [], locks: [], servers: undefined });
  expect([view.health, view.services, view.failing]).toEqual([undefined, undefined, undefined]);
});

test("a server without a leader gets no requests that need a leader, because each would take its full time", async () => {
  const { view, paths } = await probe("s1", { answers: { ...ANSWERS, "/v1/status/leader": [200, ""] } });
  expect([view.leader, view.whyNoLeader, view.health, view.services]).toEqual(["", undefined, undefined, undefined]);
  expect(paths).toEqual([
    "/v1/agent/self",
    "/v1/agent/members",
    "/v1/operator/raft/configuration?stale",
    "/v1/status/leader",
  ]);
});

test("of a client agent: itself alone, and why it knows no leader", async () => {
  const answers: Answers = { ...CLIENT, "/v1/status/leader": [500, "rpc error:\nNo known Consul servers"] };
  const { view, paths } = await probe("c1", { answers });
  expect(view).toMatchObject({ leader: "", whyNoLeader: "rpc error: No known Consul servers", servers: undefined });
  expect([view.raft, view.index, view.members]).toEqual([undefined, undefined, [MEMBERS[1]]]);
  expect(paths).toEqual(["/v1/agent/self", "/v1/status/leader"]);
});

test("an unreachable agent gets one request, and the reason is returned", async () => {
  const { view, paths, started } = await probe("s1", { answers: { ...ANSWERS, "/v1/agent/self": "broken" } });
  expect([view, paths, started]).toEqual([CLOSED, ["/v1/agent/self"], 1]);
});

test("an agent that denies the request has no view", async () => {
  const denied: Answers = { ...CLIENT, "/v1/agent/self": [403, "Permission denied"] };
  expect((await probe("c1", { answers: denied })).view).toBe("Permission denied");
  const failing: Answers = { ...CLIENT, "/v1/agent/self": [500, ""] };
  expect((await probe("c1", { answers: failing })).view).toBe("status 500");
});

test("a container that cannot be reached has no view, and Docker says why", async () => {
  const stopped = "#!/bin/sh\necho 'Error response from daemon: container 1 is not running' >&2\nexit 1";
  const { view } = await probe("c1", { prepare: (container) => container.program("docker", stopped) });
  expect(view).toBe("Error response from daemon: container 1 is not running");
});

test("an answer that breaks off is missing, and the others are known", async () => {
  const { view } = await probe("c1", { answers: { ...CLIENT, "/v1/status/leader": "broken" } });
  expect(view).toMatchObject({ version: "1.22.2", leader: "", whyNoLeader: CLOSED });
});

test("all answers together have a time limit, after which nothing is left behind", async () => {
  const { view, running } = await probe("s1", {
    answers: { ...ANSWERS, "/v1/agent/members": "none" },
    timeouts: { daemon: 5, answer: 0.5, request: 10 },
  });
  expect([view, running]).toEqual(["no answer within 0.5 s", 0]);
});

test("the scope of Raft is the agent and its leader alone, also with the management token", async () => {
  const secrets = { "rollout.header": "X-Consul-Token: own", "management.header": "X-Consul-Token: all" };
  const { view, paths, tokens } = await probe("s1", { scope: "raft", token: "management", secrets });
  expect(view).toMatchObject({ raft: "Follower", index: 42, leader: "10.0.0.1:8300", members: [] });
  expect(paths).toEqual(["/v1/agent/self", "/v1/status/leader"]);
  expect(Object.values(tokens)).toEqual(["all", "all"]);
});

test("services and checks are read with the health token, everything else with the agent's own", async () => {
  const secrets = { "rollout.header": "X-Consul-Token: own", "health.token": "watcher" };
  const { tokens } = await probe("s1", { secrets });
  expect(tokens).toMatchObject({
    "/v1/agent/self": "own",
    "/v1/kv/consul-cdktf/?recurse&consistent": "own",
    "/v1/catalog/services": "watcher",
    "/v1/health/state/critical": "watcher",
    "/v1/health/state/warning": "watcher",
  });
});

test("with the scope of the cluster, a client agent lists all members, and the Raft peers", async () => {
  const { view } = await probe("c1", { answers: CLIENT, scope: "cluster" });
  expect(view).toMatchObject({ members: MEMBERS, peers: ["10.0.0.1:8300"] });
});

test("files in the container and the certificate in use come with the same docker CLI", async () => {
  const { cert } = await makeCa("own", new Date());
  const secured = load(FOUR_HOSTS.replace("security: off\n", ""));
  const { view, started } = await probe("c1", {
    answers: CLIENT,
    of: secured,
    files: [__filename, "/nowhere"],
    prepare: (container) => container.program("curl", `#!/bin/sh\ncat <<'PEM'\nSubject:CN = own\n${cert}PEM`),
  });
  expect(view.certificate?.subject).toMatch(/^CN=Consul CA of own/);
  expect([[...view.files.keys()], started]).toEqual([[__filename], 1]);
});

test("incomplete output of the container is no view: a file that was not read would count as missing", async () => {
  const prepare = (container: ContainerStandIn) => container.program("sha256sum", "#!/bin/sh\nkill -KILL $$");
  expect((await probe("c1", { answers: CLIENT, files: [__filename], prepare })).view).toBe("the output is incomplete");
});
