import { spawnSync } from "node:child_process";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type AgentProbe, type ProbeScope, parseProbe } from "../../../ops/inspect/probe";
import { makeCa } from "../../../ops/secrets/certificates";
import { folder, PROJECT } from "../../cluster-files";

const SCRIPT = ["ops/consul-api/consul-api.sh", "ops/inspect/probe.sh"]
  .map((file) => readFileSync(join(PROJECT, file), "utf8"))
  .join("\n");
const ANSWERS: Readonly<Record<string, [status: number, body: string]>> = {
  "/v1/agent/self": [
    200,
    JSON.stringify({
      Config: { Version: "1.22.2", NodeID: "7e5", NodeName: "s1", Datacenter: "dc1", Server: true },
      DebugConfig: { DataDir: "/consul/data", LeaveOnTerm: false },
      Member: { Addr: "10.0.0.1", Port: 8301, Tags: { port: "8300" } },
      Stats: { raft: { state: "Follower", applied_index: "42" }, serf_lan: { encrypted: "true" } },
    }),
  ],
  "/v1/agent/members": [
    200,
    '[{"Name": "s1", "Addr": "10.0.0.1", "Port": 8301, "Status": 1, "Tags": {"role": "consul"}}, {"Name": "c1", "Addr": "fd00::4", "Port": 8301, "Status": 4, "Tags": {"role": "node"}}]',
  ],
  "/v1/operator/raft/configuration?stale": [
    200,
    '{"Servers": [{"ID": "7e5", "Node": "s1", "Address": "10.0.0.1:8300", "Voter": true}]}',
  ],
  "/v1/status/leader": [200, '"10.0.0.1:8300"'],
  "/v1/status/peers": [200, '["10.0.0.1:8300"]'],
  "/v1/operator/autopilot/health": [
    429,
    '{"Servers": [{"Name": "s1", "Healthy": false, "SerfStatus": "alive", "LastIndex": 7, "LastContact": "12.5ms"}]}',
  ],
  "/v1/kv/consul-cdktf/?recurse&consistent": [404, ""],
  "/v1/catalog/services": [200, '{"consul": [], "nginx": []}'],
  "/v1/health/state/critical": [
    200,
    '[{"Node": "c1", "CheckID": "serfHealth", "ServiceName": "", "Name": "Serf", "Status": "critical", "Output": ""}, {"Node": "c1", "CheckID": "x", "ServiceName": "nginx", "Name": "http", "Status": "critical", "Output": "502"}]',
  ],
  "/v1/health/state/warning": [200, "[]"],
};

interface Run {
  readonly role: "server" | "client";
  readonly answers?: Partial<typeof ANSWERS>;
  readonly scope?: ProbeScope;
  readonly token?: "agent" | "management";
  readonly files?: readonly string[];
  readonly https?: string;
}

/** Runs probe.sh with a stand-in for curl, which gives an agent's answers. End-to-end tests use the container's own curl. */
function probe({ role, answers = ANSWERS, scope = "agent", token = "agent", files = [], https = "" }: Run) {
  const bin = folder();
  const cases = Object.entries(answers).map(
    ([path, answer]) => `*"${path}") printf '%s\\n%s' '${answer?.[1]}' ${answer?.[0]} ;;`,
  );
  const curl = `#!/bin/sh\nfor word; do url=$word; done\necho "$url" >>"${bin}/calls"\ncase $url in\n${cases.join("\n")}\n*) echo "curl: (7) refused" >&2; printf '\\n000'; exit 7 ;;\nesac\n`;
  writeFileSync(join(bin, "curl"), curl);
  chmodSync(join(bin, "curl"), 0o755);
  const node = role === "server" ? "s1" : "c1";
  const env = { PATH: `${bin}:${process.env.PATH}` };
  const { stdout } = spawnSync("sh", ["-c", SCRIPT, "sh", "2", role, node, scope, token, https, ...files], {
    encoding: "utf8",
    env,
    timeout: 20_000,
  });
  const asked = readFileSync(join(bin, "calls"), "utf8").trim().split("\n");
  return { view: parseProbe(stdout), paths: asked.map((url) => url.replace("http://127.0.0.1:8500", "")) };
}

test("of a server: itself, its Raft, and the cluster as the leader knows it, without the checks of gossip (serfHealth)", () => {
  const file = join(folder(), "agent.json");
  writeFileSync(file, "{}\n");
  expect(probe({ role: "server", files: [file, "/nowhere"] }).view).toEqual({
    version: "1.22.2",
    id: "7e5",
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
    members: [
      { name: "s1", address: "10.0.0.1:8301", status: 1, server: true },
      { name: "c1", address: "[fd00::4]:8301", status: 4, server: false },
    ],
    leader: "10.0.0.1:8300",
    whyNoLeader: undefined,
    peers: undefined,
    servers: [{ id: "7e5", node: "s1", address: "10.0.0.1:8300", voter: true }],
    health: [{ node: "s1", healthy: false, status: "alive", index: 7, contact: "12.5ms" }],
    locks: [],
    services: ["nginx"],
    failing: [{ node: "c1", service: "nginx", check: "http", status: "critical", output: "502" }],
    certificate: undefined,
    files: new Map([[file, "ca3d163bab055381827226140568f3bef7eaac187cebd76878e0b63e9e442356"]]),
  });
});

test("a server without a leader gets no requests that need a leader, because each would take its full time", () => {
  const { view, paths } = probe({ role: "server", answers: { ...ANSWERS, "/v1/status/leader": [200, '""'] } });
  expect(view).toMatchObject({ leader: "", health: undefined, services: undefined });
  expect(paths).toEqual([
    "/v1/agent/self",
    "/v1/agent/members",
    "/v1/operator/raft/configuration?stale",
    "/v1/status/leader",
  ]);
});

test("of a client agent: itself alone, and why it knows no leader", () => {
  const answers: Partial<typeof ANSWERS> = { ...ANSWERS, "/v1/status/leader": [500, "No known Consul servers"] };
  const { view, paths } = probe({ role: "client", answers });
  expect(view).toMatchObject({ leader: "", whyNoLeader: "No known Consul servers", servers: undefined });
  expect((view as AgentProbe).members).toEqual([{ name: "c1", address: "[fd00::4]:8301", status: 4, server: false }]);
  expect(paths).toEqual(["/v1/agent/self", "/v1/agent/members", "/v1/status/leader"]);
});

test("an unreachable agent gets one request, and the reason is returned", () => {
  const { view, paths } = probe({ role: "server", answers: {} });
  expect([view, paths]).toEqual(["curl: (7) refused", ["/v1/agent/self"]]);
});

test("an agent that denies the request has no view", () => {
  const answers: Partial<typeof ANSWERS> = { ...ANSWERS, "/v1/agent/self": [403, "Permission denied"] };
  expect(probe({ role: "client", answers }).view).toBe("Permission denied");
});

test("the scope of Raft is the agent and its leader alone, also with the management token", () => {
  const { view, paths } = probe({ role: "server", scope: "raft", token: "management" });
  expect(view).toMatchObject({ raft: "Follower", index: 42, leader: "10.0.0.1:8300" });
  expect(paths.filter((path) => path !== "/v1/agent/members")).toEqual(["/v1/agent/self", "/v1/status/leader"]);
});

test("with the scope of the cluster, a client agent lists all members, and the Raft peers", () => {
  const { view } = probe({ role: "client", scope: "cluster" });
  expect((view as AgentProbe).members.map(({ name }) => name)).toEqual(["s1", "c1"]);
  expect(view).toMatchObject({ peers: ["10.0.0.1:8300"] });
});

test("the certificate is the first of the TLS handshake", async () => {
  const [own, issuer] = [(await makeCa("own", new Date())).cert, (await makeCa("issuer", new Date())).cert];
  const shown = `Subject:CN = own\n${own}Subject:CN = issuer\n${issuer}`;
  const { view } = probe({
    role: "client",
    answers: { ...ANSWERS, "https://127.0.0.1:8501/": [200, shown] },
    https: "https://127.0.0.1:8501/",
  });
  expect((view as AgentProbe).certificate?.subject).toMatch(/^CN=Consul CA of own/);
});

test("incomplete output is no view", () => {
  expect(parseProbe('self {"version":"1.22.2","id":"7e5","raft":null}\nmembers []\n')).toBe("the output is incomplete");
  expect(parseProbe("")).toBe("there was no output");
});
