import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { alerts } from "../../../ops/metrics/alerts";
import { panels } from "../../../ops/metrics/dashboard";
import { anchorOf } from "../../../ops/metrics/rules";
import { clusterFile, folder, load, PROJECT } from "../../cluster-files";
import { run } from "../../command-line";

const FILE = `name: payments
daemon: ssh://root@{address}
hosts: { node1: 10.0.0.11, node2: 10.0.0.12, node3: 10.0.0.13, web1: 10.0.0.21 }
servers: [node1, node2, node3]
clients: [{ name: web1, resources: { memory: 256 } }]
metrics: on
backups: {}
`;

/** What the command writes, by file. */
async function written(text: string, ...args: string[]): Promise<Record<string, string>> {
  const out = join(folder(), "written");
  const { status, stderr } = await run(["metrics", "--out", out, ...args], { env: { CLUSTER: clusterFile(text) } });
  expect({ status, stderr }).toMatchObject({ status: 0 });
  return Object.fromEntries(readdirSync(out).map((name) => [name, readFileSync(join(out, name), "utf8")]));
}
const jobs = (text = ""): Record<string, unknown>[] => parse(text).scrape_configs;
const labels = (agent: string, role: string) => ({
  agent,
  cluster: "payments",
  datacenter: "dc1",
  host: agent,
  role,
});

describe("the files for Prometheus", () => {
  let files: Record<string, string>;
  beforeAll(async () => {
    files = await written(FILE);
  });

  test("scrape servers and client agents by HTTPS, with a certificate, and a token from a file", () => {
    expect(jobs(files["prometheus.yml"])).toEqual([
      {
        job_name: "consul-payments-servers",
        metrics_path: "/v1/agent/metrics",
        params: { format: ["prometheus"] },
        scheme: "https",
        authorization: { credentials_file: "/etc/prometheus/consul/payments/token" },
        tls_config: {
          ca_file: "/etc/prometheus/consul/payments/ca.pem",
          cert_file: "/etc/prometheus/consul/payments/cert.pem",
          key_file: "/etc/prometheus/consul/payments/key.pem",
        },
        static_configs: [
          { targets: ["10.0.0.11:8501"], labels: labels("node1", "server") },
          { targets: ["10.0.0.12:8501"], labels: labels("node2", "server") },
          { targets: ["10.0.0.13:8501"], labels: labels("node3", "server") },
        ],
      },
      expect.objectContaining({
        job_name: "consul-payments-clients",
        tls_config: expect.objectContaining({ ca_file: "clients-ca.pem" }),
        static_configs: [{ targets: ["10.0.0.21:8501"], labels: labels("web1", "client") }],
      }),
    ]);
  });
  test("find the same agents by files, and by HTTP", () => {
    const [, { static_configs: targets }] = jobs(files["prometheus.yml"]) as [object, { static_configs: object }];
    expect(JSON.parse(files["consul-payments-clients.json"] as string)).toEqual(targets);
    expect(jobs(files["prometheus-file-sd.yml"])[1]).toMatchObject({
      file_sd_configs: [{ files: ["consul-payments-clients.json"] }],
    });
    expect(jobs(files["prometheus-http-sd.yml"])[1]).toMatchObject({
      http_sd_configs: [{ url: "http://127.0.0.1:8080/consul-payments-clients.json" }],
    });
  });
  test("have an alert for each condition, with its urgency and a link", () => {
    const { groups } = parse(files["consul.rules.yml"] as string);
    for (const { labels, annotations } of groups[1].rules) {
      expect(["page", "ticket"]).toContain(labels.severity);
      expect(annotations.runbook_url).toMatch(/^docs\/metrics\.md#consul/);
    }
  });
  test("have the same bytes for the same cluster file", async () => expect(await written(FILE)).toEqual(files));
});

test("options name the folder of secrets and the server of http_sd", async () => {
  const files = await written(FILE, "--secrets", "/run/secrets", "--url", "https://example.org/sd/");
  expect(files["prometheus.yml"]).toContain("credentials_file: /run/secrets/token");
  expect(files["prometheus-http-sd.yml"]).toContain("url: https://example.org/sd/consul-payments-clients.json");
});
test("without security, there is no token and no certificate", async () => {
  const files = await written(`${FILE}security: off\nclient_addr: 127.0.0.1 {address}\n`);
  expect(jobs(files["prometheus.yml"])[0]).toMatchObject({
    scheme: "http",
    static_configs: expect.arrayContaining([{ targets: ["10.0.0.11:8500"], labels: labels("node1", "server") }]),
  });
  expect(files["prometheus.yml"]).not.toMatch(/authorization|tls_config/);
  expect(files["consul.rules.yml"]).not.toContain("ConsulCertificateExpiring");
});
test("while security is turned on, client agents are scraped by plain HTTP", async () => {
  const files = await written(`${FILE}security: { stage: permissive }\nclient_addr: 127.0.0.1 {address}\n`);
  expect(jobs(files["prometheus.yml"]).map(({ scheme }) => scheme)).toEqual(["https", "http"]);
});
test("a role whose agents differ in their scheme has two jobs, with a name and a file for each", async () => {
  const text = FILE.replace("web1: 10.0.0.21 }", "web1: 10.0.0.21, web2: 10.0.0.22 }").replace(
    "clients: [",
    "clients: [{ name: web2, ports: { https: -1 }, client_addr: 0.0.0.0 }, ",
  );
  const files = await written(text);
  expect(jobs(files["prometheus.yml"]).map(({ job_name, scheme }) => [job_name, scheme])).toEqual([
    ["consul-payments-servers", "https"],
    ["consul-payments-clients-https", "https"],
    ["consul-payments-clients-http", "http"],
  ]);
  const addresses = (scheme: string) =>
    JSON.parse(files[`consul-payments-clients-${scheme}.json`] as string).flatMap(
      ({ targets }: { targets: string[] }) => targets,
    );
  expect(addresses("https")).toEqual(["10.0.0.21:8501"]);
  expect(addresses("http")).toEqual(["10.0.0.22:8500"]);
});
test("in a bridge network, certificates have no address of the host", async () => {
  const files = await written(`name: payments
network: bridge
daemon: unix:///var/run/docker.sock
hosts: { local: 127.0.0.1 }
servers: [{ name: s1, host: local, publish: { https: 9501 } }]
metrics: on
`);
  expect(jobs(files["prometheus.yml"])[0]).toMatchObject({
    tls_config: { server_name: "localhost" },
    static_configs: [{ targets: ["127.0.0.1:9501"] }],
  });
});
test("thresholds are those of the file", async () => {
  const metrics = "metrics: { runbooks: https://example.org/runbooks, thresholds: { last_contact: 50 } }";
  const files = await written(FILE.replace("metrics: on", metrics));
  expect(files["consul.rules.yml"]).toContain('mean5m{cluster="payments"} > 50');
  expect(files["consul.rules.yml"]).toContain("https://example.org/runbooks#consulnoleader");
});
test("minutes and intervals are those of the file", async () => {
  const thresholds = "status_minutes: 20, maintenance_minutes: 90, backup_intervals: 1.5, lock_minutes: 5";
  const files = await written(FILE.replace("metrics: on", `metrics: { thresholds: { ${thresholds} } }`));
  const { groups } = parse(files["consul.rules.yml"] as string);
  const rule = (name: string) => groups[1].rules.find(({ alert }: { alert: string }) => alert === name);
  expect(rule("ConsulStatusOld").expr).toMatch(/ > 1200$/);
  expect(rule("ConsulMaintenanceLong").for).toBe("90m");
  expect(rule("ConsulLockHeld").for).toBe("5m");
  // 1.5 hours, and in the last 2.5 of them at least one was seen.
  expect(rule("ConsulBackupOld").expr).toMatch(/\[9000s\].* > 5400$/);
});
test("an urgent alert of a certificate silences the other one of the same certificate alone", async () => {
  const { inhibit_rules } = parse((await written(FILE))["alertmanager.yml"] as string);
  const pairs = inhibit_rules.filter(({ source_matchers: [source] }: { source_matchers: string[] }) =>
    source?.includes("ExpiringSoon"),
  );
  expect(pairs).toContainEqual({
    source_matchers: ['alertname="ConsulSecretsExpiringSoon"'],
    target_matchers: ['alertname="ConsulSecretsExpiring"'],
    equal: ["cluster", "agent", "file"],
  });
  const urgent = all.filter(({ name }) => name.endsWith("ExpiringSoon")).map(({ name }) => `alertname="${name}"`);
  expect(pairs.map(({ source_matchers: [source] }: { source_matchers: string[] }) => source).sort()).toEqual(
    urgent.sort(),
  );
});
describe("what the files name, and is not there, is told", () => {
  const told = async (text: string, ready: readonly string[] = []) => {
    const out = folder();
    for (const name of ready) writeFileSync(join(out, name), "");
    return (await run(["metrics", "--out", out], { env: { CLUSTER: clusterFile(text) } })).stderr;
  };
  const NO_CA = /clients-ca\.pem is not there yet: without it Prometheus does not scrape client agents/;

  test("the CA of client agents, which is only in the running cluster", async () => {
    expect(await told(FILE)).toMatch(NO_CA);
    expect(await told(FILE, ["clients-ca.pem"])).not.toMatch(NO_CA);
    expect(await told(`${FILE}security: off\nclient_addr: 127.0.0.1 {address}\n`)).not.toMatch(NO_CA);
  });
  test("a URL that alerts could link to", async () => {
    expect(await told(FILE)).toContain("alerts link to docs/metrics.md, which is no URL");
    const runbooks = "metrics: { runbooks: https://example.org/runbooks }";
    expect(await told(FILE.replace("metrics: on", runbooks))).not.toContain("no URL");
  });
});
test("alerts of memory and of tolerated failures need a limit, and three servers", async () => {
  const one = `name: c\ndaemon: ssh://root@{address}\nhosts: { s1: 10.0.0.1 }\nservers: [s1]\nmetrics: on\n`;
  const { "consul.rules.yml": rules } = await written(one);
  expect(rules).not.toMatch(/ConsulMemory|ConsulNoFailureTolerance/);
});
test("a cluster without metrics is an error that says what to do", async () => {
  const { status, stderr } = await run(["metrics"], {
    env: { CLUSTER: clusterFile(FILE.replace("metrics: on\n", "")) },
  });
  expect([status, stderr]).toEqual([1, expect.stringContaining("add `metrics: on`, then: npm run secrets -- init")]);
});

const cluster = load(FILE);
const all = cluster.metrics ? alerts(cluster, cluster.metrics) : [];
const guide = readFileSync(join(PROJECT, "docs/metrics.md"), "utf8");

test.each(all.map((alert) => [alert.name, alert] as const))("the guide has the way out of %s", (name, alert) => {
  const heading = new RegExp(`^### ${name}$`, "m");
  expect([guide, anchorOf(alert)]).toEqual([expect.stringMatching(heading), name.toLowerCase()]);
});
test("the guide has no alert that does not exist", () => {
  const documented = [...guide.matchAll(/^### (Consul\w+)$/gm)].map(([, name]) => name);
  expect(documented.sort()).toEqual(all.map(({ name }) => name).sort());
});
test("the dashboard is one that Grafana can import: each panel has a place of its own, and a query", async () => {
  const dashboard = JSON.parse((await written(FILE))["dashboard.json"] as string);
  expect(dashboard.panels).toHaveLength(panels(cluster).length);
  const cells = dashboard.panels.flatMap(({ gridPos }: { gridPos: { x: number; y: number; w: number; h: number } }) =>
    Array.from({ length: gridPos.w * gridPos.h }, (_, at) =>
      [gridPos.x + (at % gridPos.w), gridPos.y + Math.floor(at / gridPos.w)].join(),
    ),
  );
  expect(new Set(cells).size).toBe(cells.length);
  for (const { targets } of dashboard.panels) expect(targets[0].expr).toContain('cluster="payments"');
});
