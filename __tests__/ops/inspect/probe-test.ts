import { spawnSync } from "node:child_process";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type AgentProbe, parseProbe } from "../../../ops/inspect/probe";
import { makeCa } from "../../../ops/secrets/certificates";
import { folder, PROJECT } from "../../cluster-files";

const SCRIPT = ["rollout/agent/consul-api.sh", "ops/inspect/probe.sh"]
  .map((file) => readFileSync(join(PROJECT, file), "utf8"))
  .join("\n");
const ANSWERS: Readonly<Record<string, [status: number, body: string]>> = {
  "/v1/agent/self": [
    200,
    '{"Config": {"Version": "1.22.2", "NodeID": "7e5"}, "Stats": {"raft": {"state": "Follower"}}}',
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

/** probe.sh with a stand-in for curl (the container's own is used by the live suite), which says what an agent would. */
function look(role: "server" | "client", answers: Partial<typeof ANSWERS>, files: readonly string[] = [], https = "") {
  const bin = folder();
  const cases = Object.entries(answers).map(
    ([path, answer]) => `*"${path}") printf '%s\\n%s' '${answer?.[1]}' ${answer?.[0]} ;;`,
  );
  const curl = `#!/bin/sh\nfor word; do url=$word; done\necho "$url" >>"${bin}/calls"\ncase $url in\n${cases.join("\n")}\n*) echo "curl: (7) refused" >&2; printf '\\n000'; exit 7 ;;\nesac\n`;
  writeFileSync(join(bin, "curl"), curl);
  chmodSync(join(bin, "curl"), 0o755);
  const node = role === "server" ? "s1" : "c1";
  const env = { PATH: `${bin}:${process.env.PATH}` };
  const { stdout } = spawnSync("sh", ["-c", SCRIPT, "sh", "2", role, node, https, ...files], {
    encoding: "utf8",
    env,
    timeout: 20_000,
  });
  const asked = readFileSync(join(bin, "calls"), "utf8").trim().split("\n");
  return { look: parseProbe(stdout), paths: asked.map((url) => url.replace("http://127.0.0.1:8500", "")) };
}

test("a server tells of itself, its raft, and the cluster as the leader has it; serfHealth is gossip's affair", () => {
  const file = join(folder(), "agent.json");
  writeFileSync(file, "{}\n");
  expect(look("server", ANSWERS, [file, "/nowhere"]).look).toEqual({
    version: "1.22.2",
    id: "7e5",
    raft: "Follower",
    members: [
      { name: "s1", address: "10.0.0.1:8301", status: 1, server: true },
      { name: "c1", address: "[fd00::4]:8301", status: 4, server: false },
    ],
    leader: "10.0.0.1:8300",
    whyNoLeader: undefined,
    servers: [{ id: "7e5", node: "s1", address: "10.0.0.1:8300", voter: true }],
    health: [{ node: "s1", healthy: false, status: "alive", index: 7, contact: "12.5ms" }],
    locks: [],
    services: ["nginx"],
    failing: [{ node: "c1", service: "nginx", check: "http", status: "critical", output: "502" }],
    certificate: undefined,
    files: new Map([[file, "ca3d163bab055381827226140568f3bef7eaac187cebd76878e0b63e9e442356"]]),
  });
});

test("a server without a leader is not asked what only a leader can tell, which would take its time", () => {
  const { look: seen, paths } = look("server", { ...ANSWERS, "/v1/status/leader": [200, '""'] });
  expect(seen).toMatchObject({ leader: "", health: undefined, services: undefined });
  expect(paths).toEqual([
    "/v1/agent/self",
    "/v1/agent/members",
    "/v1/operator/raft/configuration?stale",
    "/v1/status/leader",
  ]);
});

test("a client tells of itself alone, and why it cannot say who leads", () => {
  const { look: seen, paths } = look("client", { ...ANSWERS, "/v1/status/leader": [500, "No known Consul servers"] });
  expect(seen).toMatchObject({ leader: "", whyNoLeader: "No known Consul servers", servers: undefined });
  expect((seen as AgentProbe).members).toEqual([{ name: "c1", address: "[fd00::4]:8301", status: 4, server: false }]);
  expect(paths).toEqual(["/v1/agent/self", "/v1/agent/members", "/v1/status/leader"]);
});

test("an agent that does not answer is asked once, and why is said", () => {
  const { look: seen, paths } = look("server", {});
  expect([seen, paths]).toEqual(["curl: (7) refused", ["/v1/agent/self"]]);
});

test("one that denies is not taken for one that answers", () =>
  expect(look("client", { ...ANSWERS, "/v1/agent/self": [403, "Permission denied"] }).look).toBe("Permission denied"));

test("the certificate is the first that HTTPS shows", async () => {
  const [own, issuer] = [(await makeCa("own", new Date())).cert, (await makeCa("issuer", new Date())).cert];
  const shown = `Subject:CN = own\n${own}Subject:CN = issuer\n${issuer}`;
  const { look: seen } = look(
    "client",
    { ...ANSWERS, "https://127.0.0.1:8501/": [200, shown] },
    [],
    "https://127.0.0.1:8501/",
  );
  expect((seen as AgentProbe).certificate?.subject).toMatch(/^CN=Consul CA of own/);
});

test("an answer that was cut short is none", () => {
  expect(parseProbe('self {"version":"1.22.2","id":"7e5","raft":null}\nmembers []\n')).toBe("it was cut short");
  expect(parseProbe("")).toBe("it says nothing");
});
