import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parse } from "yaml";
import { defineCluster } from "../cluster/define";
import { panels } from "../ops/metrics/dashboard";
import { FILES } from "../ops/metrics/scrape-config";
import { eventually } from "./consul";
import { documented, sectionOf } from "./documented";
import { LoopbackHttp } from "./loopback-http";
import { type RecordedPanel, recorded } from "./metrics/dashboard-record";
import { MonitoredCluster } from "./metrics/monitored-cluster";
import { PAGING, type Range } from "./metrics/monitoring";
import { Page } from "./page";
import { tellingPaths } from "./telling-paths";
import type { Operator } from "./test-bed/operator";
import { TestBed } from "./test-bed/test-bed";
import { CURRENT_ALERTMANAGER, CURRENT_PROMETHEUS, OPERATOR } from "./test-bed/world";

const HOSTS = {
  "consul-server1": "172.16.8.120",
  "consul-server2": "172.16.8.121",
  "consul-server3": "172.16.8.122",
  "consul-client1": "172.16.8.110",
} as const;
const SERVERS = Object.keys(HOSTS).slice(0, 3);
const SCREENSHOTS = join(__dirname, "screenshots");
const section = (page: string, heading: string): string =>
  sectionOf(readFileSync(join(__dirname, "../docs", page), "utf8"), `## ${heading}\n`);
/** The guide's examples. Its StatsD server is the operator's machine here. */
const [DOGSTATSD, STATSD] = documented("docs/metrics.md", "yaml", "## StatsD, Datadog and OpenTelemetry").map(
  (example) => parse(example.replace("10.0.0.31", OPERATOR.address)),
);
/** The guide's example for Consul's UI. Its Prometheus runs on the operator's machine here. */
const [UI] = documented("docs/metrics.md", "yaml", "## Graphs in Consul's UI").map((example) =>
  parse(example.replace("10.0.0.31", OPERATOR.address)),
);
/** What the guide says that the token can read, and what Consul tells everybody. */
const READABLE = [section("metrics.md", "What the token can do"), section("security.md", "Unauthenticated endpoints")]
  .flatMap((text) => [...text.matchAll(/`(\/v1\/[^`]+)`/g)])
  .map(([, path]) => path as string);

describe("metrics of a secured cluster with the default client_addr", () => {
  const testBed = TestBed.standing();
  const cluster = new MonitoredCluster(testBed, {
    name: "metrics",
    daemon: "ssh://root@{address}",
    hosts: HOSTS,
    servers: SERVERS,
    clients: [{ name: "consul-client1", resources: { memory: 256 }, ...STATSD }],
    metrics: "on",
    config: { ...DOGSTATSD.config, ...UI.config },
  });
  const { file, folder, project, secrets } = cluster;
  const guide = Page.open("docs/metrics.md", project, { "/var/lib/node_exporter": folder });
  const begun = new Date();
  const allUp = () => cluster.expectAllUp();

  beforeAll(async () => {
    await testBed.reset();
    cluster.write();
    await guide.follow("# ");
    await cluster.monitor({ status: true, current: FILES.httpScrape });
    cluster.inspect();
  });
  afterAll(() => cluster.down());

  test("Prometheus scrapes all agents by the files as they were written", () => eventually(allUp, 60));

  test("the guide's commands write the same files into their usual folder, and what `status` finds", async () => {
    const filesIn = (of: string) =>
      readdirSync(of, { withFileTypes: true }).flatMap((entry) => (entry.isFile() ? [entry.name] : []));
    const written = filesIn(folder).filter((name) => name !== basename(cluster.exported));
    expect(filesIn(join(project.folder, "metrics/metrics")).sort()).toEqual(written.sort());
    await guide.follow("## What Consul does not know");
    expect(readFileSync(cluster.exported, "utf8")).toMatch(/^consul_cdktf_healthy\S* 1$/m);
    expect(guide.untyped).toEqual([]);
  });

  test("the programs are Debian's and the current ones, and accept the files", async () => {
    const versions: (readonly string[])[] = [];
    await cluster.withEach(async (monitoring) => {
      const { programs } = monitoring;
      const files = [FILES.scrape, FILES.fileScrape, FILES.httpScrape].map((file) => join(folder, file));
      await testBed.operator.run(programs.promtool, ["check", "config", ...files]);
      await testBed.operator.run(programs.amtool, ["check-config", join(folder, FILES.alertmanager)]);
      versions.push(await monitoring.versions());
    });
    const debians = [expect.stringMatching(/^2\./), expect.stringMatching(/^0\.2/)];
    expect(versions).toEqual([debians, [CURRENT_PROMETHEUS, CURRENT_ALERTMANAGER]]);
  });

  test("both have the same series of agents, with the same labels", async () => {
    const labels = await Promise.all(
      cluster.monitoring.map(async (monitoring) => {
        const found = await monitoring.query(
          `{__name__=~"up|consul_server_isLeader|consul_raft_apply",cluster="metrics"}`,
        );
        return found.map(({ metric }) => JSON.stringify(Object.entries(metric).sort())).sort();
      }),
    );
    const [debians, current] = labels;
    expect(debians).toEqual(current);
    expect(debians?.filter((series) => series.includes('["__name__","up"]'))).toHaveLength(4);
  });

  test("the token opens what the guide says, and nothing else", async () => {
    const token = readFileSync(join(secrets, "token"), "utf8").trim();
    writeFileSync(join(secrets, "token.header"), `X-Consul-Token: ${token}\n`, { mode: 0o600 });
    const options = "--cacert ca.pem --cert cert.pem --key key.pem -H @token.header";
    const url = `https://${HOSTS["consul-server1"]}:8501`;
    const telling = await tellingPaths({ url, options }, (script, input) =>
      testBed.operator.run("sh", ["-c", script], { cwd: secrets, input, timeoutMs: 240_000 }),
    );
    expect(telling.filter((what) => !READABLE.some((path) => what === `GET ${path}`))).toEqual([]);
    expect(telling).toContain("GET /v1/agent/metrics");
    // None of these requests changed anything.
    expect((await project.cdktf(["diff"])).stdout).toContain("No changes.");
    await eventually(allUp, 60);
  });

  test("without the certificate, the token opens nothing; without the token, the certificate reads no metrics", async () => {
    const curl = (...args: string[]) =>
      testBed.operator.run(
        "curl",
        [
          "-sS",
          "-m",
          "5",
          "-w",
          "%{http_code}",
          "--cacert",
          "ca.pem",
          ...args,
          `https://${HOSTS["consul-server1"]}:8501/v1/agent/metrics`,
        ],
        { cwd: secrets, check: false },
      );
    expect((await curl("-H", "@token.header")).stdout).toBe("000");
    expect((await curl("--cert", "cert.pem", "--key", "key.pem")).stdout).toMatch(/403$/);
  });

  test("a rotated token is scraped with after its deploy, and the old one is rejected after its revocation", async () => {
    const status = async () => {
      const url = `https://${HOSTS["consul-server1"]}:8501/v1/agent/metrics`;
      const own = ["--cacert", "ca.pem", "--cert", "cert.pem", "--key", "key.pem", "-H", "@token.header"];
      const curl = ["-sS", "-o", "/dev/null", "-w", "%{http_code}", ...own, url];
      return (await testBed.operator.run("curl", curl, { cwd: secrets })).stdout;
    };
    await cluster.npm("secrets", "--", "rotate", "tokens", "metrics");
    await project.deploy();
    await eventually(allUp, 60);
    expect(await status()).toBe("200");
    await cluster.npm("secrets", "--", "revoke");
    await project.deploy();
    // Agents remember for 30 s what a token may do.
    await eventually(async () => expect(await status()).toBe("403"), 60);
    await eventually(allUp, 60);
  });

  test("a timer's export of status is what Prometheus' text format says", async () => {
    await cluster.npm("status", "--", "--prometheus", cluster.exported);
    const text = readFileSync(cluster.exported, "utf8");
    const { stdout, stderr } = await testBed.operator.run("promtool", ["check", "metrics"], { input: text });
    expect(stdout + stderr).toBe("");
    expect(text).toContain('consul_cdktf_healthy{cluster="metrics",datacenter="dc1"} 1\n');
  });

  test("a rolling change of all agents, a backup and a restore page nobody", async () => {
    const begun = Date.now();
    file.config = { ...file.config, node_meta: { changed: "yes" } };
    await cluster.deploy();
    const { saved } = JSON.parse((await cluster.npm("backup", "--", "--json")).stdout);
    await cluster.npm("restore", "--", saved, "--auto-approve", "--json");
    // An alert that waits for a minute has fired by then.
    await pause(90_000);
    await cluster.withEach(async (monitoring) => expect(await monitoring.firedSince(begun, PAGING)).toEqual([]));
    await eventually(allUp, 60);
  });

  test("agents send their metrics to StatsD and to Datadog by the guide's keys", async () => {
    const received = (machine: Operator["machine"]) => {
      const program = ["--require", "./typescript.cjs", join(__dirname, "metrics/statsd.ts"), "8125"];
      return machine.spawn("node", program, { cwd: join(__dirname, "..") });
    };
    const datadog = received(testBed.host("consul-server1"));
    const statsd = received(testBed.operator.machine);
    try {
      await eventually(async () => {
        expect(datadog.stdout).toMatch(/^consul\.runtime\.num_goroutines:[\d.]+\|g\|#cluster:payments$/m);
        expect(datadog.stdout).toMatch(/\|c\|#cluster:payments$/m);
        expect(statsd.stdout).toMatch(/^consul\.runtime\.num_goroutines:[\d.]+\|g$/m);
      }, 60);
    } finally {
      for (const listener of [datadog, statsd]) listener.killAll();
    }
    await eventually(allUp, 60);
  });

  test("Consul's UI gets what Prometheus knows through the servers, by the guide's keys", async () => {
    const header = project.operatorHeader(file);
    const server = new LoopbackHttp(testBed.host("consul-server1"), "consul-server1", header);
    const query = encodeURIComponent('up{cluster="metrics"}');
    const answer = await server.json(`/v1/internal/ui/metrics-proxy/api/v1/query?query=${query}`);
    expect(answer.data.result).toHaveLength(4);
  });

  test("agents that are stopped fire their alerts, which resolve when they are back", async () => {
    const begun = Date.now();
    const stopped = ["consul-server2", "consul-client1", "consul-server3"] as const;
    const stop = (...agents: string[]) => Promise.all(agents.map((agent) => testBed.host(agent).docker("stop", agent)));
    const [first, client, last] = stopped;
    await stop(first, client);
    const expected = ["ConsulAutopilotUnhealthy", "ConsulClientDown", "ConsulMembersFailed", "ConsulServerDown"];
    await cluster.eventuallyWithEach(
      async (monitoring) => expect(await monitoring.firedSince(begun)).toEqual(expect.arrayContaining(expected)),
      480,
    );
    // Two servers remain, with a leader: nothing else pages.
    await cluster.withEach(async (monitoring) =>
      expect(await monitoring.firedSince(begun, PAGING)).toEqual(["ConsulServerDown"]),
    );
    await stop(last);
    await cluster.eventuallyWithEach(
      ({ notifications }) =>
        expect(notifications).toEqual(
          expect.arrayContaining(["/page firing ConsulNoLeader", "/page firing ConsulServerDown"]),
        ),
      240,
    );
    await Promise.all(stopped.map((agent) => testBed.host(agent).docker("start", agent)));
    const states = ["ConsulNoLeader", "ConsulServerDown", "ConsulClientDown", "ConsulAutopilotUnhealthy"];
    await cluster.eventuallyWithEach(async (monitoring) => {
      const firing = await monitoring.firing();
      expect(firing.filter((name) => states.includes(name))).toEqual([]);
    }, 180);
  });

  test("an alert that is added by hand reaches the receiver, as the guide tries it", async () => {
    const [, words = ""] =
      /`amtool (alert add [^`]+)`/.exec(section("metrics.md", "From nothing to an alert on your phone")) ?? [];
    await cluster.withEach(async (monitoring) => {
      const received = () => monitoring.notifications.filter((line) => line === "/page firing ConsulNoLeader").length;
      const before = received();
      await monitoring.amtool(words.split(/\s+/));
      await eventually(async () => expect(received()).toBeGreaterThan(before), 90);
    });
  });

  test("a leader that changes again and again fires an alert, which both receivers get", async () => {
    for (let changes = 0; changes < 6; changes++) {
      await cluster.manage("consul-server1", "consul operator raft transfer-leader");
      await pause(10_000);
    }
    await cluster.eventuallyWithEach(
      async (monitoring) => expect(await monitoring.firing()).toContain("ConsulLeaderFlapping"),
      60,
    );
    await cluster.eventuallyWithEach(
      ({ notifications }) => expect(notifications).toContain("/ticket firing ConsulLeaderFlapping"),
      90,
    );
  });

  test(
    "a leader that stays resolves that alert",
    () =>
      cluster.eventuallyWithEach(
        async (monitoring) => expect(await monitoring.firing()).not.toContain("ConsulLeaderFlapping"),
        20 * 60,
      ),
    25 * 60_000,
  );

  test("every query of the dashboard returns data, which is recorded for the documentation's picture", async () => {
    const written = JSON.parse(readFileSync(join(folder, FILES.dashboard), "utf8"));
    const inFile = written.panels.flatMap(({ targets }: { targets: { expr: string }[] }) =>
      targets.map(({ expr }) => expr),
    );
    const shown = panels(defineCluster(file));
    expect(inFile).toEqual(shown.flatMap(({ queries }) => Object.values(queries)));
    const variable = written.templating.list.find(({ name }: { name: string }) => name === "agent").query;
    const [, series = "", label = ""] = /^label_values\((.*), (\w+)\)$/.exec(variable) ?? [];
    const hasValue = ({ values }: Range) => values.some(([, value]) => Number.isFinite(Number(value)));
    await cluster.withEach(async (monitoring) => {
      expect([...(await monitoring.labelValues(label, series))].sort()).toEqual(Object.keys(HOSTS).sort());
      const dashboard: RecordedPanel[] = [];
      const empty: string[] = [];
      for (const { title, unit, kind, queries } of shown) {
        const lines: RecordedPanel["lines"][number][] = [];
        for (const [legend, query] of Object.entries(queries)) {
          const found = await monitoring.queryRange(query.replaceAll("$agent", ".*"), begun);
          if (!found.some(hasValue)) empty.push(`${title}: ${query}`);
          lines.push(...found.map((range) => recorded(legend, range, begun)));
        }
        dashboard.push({ title, unit, kind, lines });
      }
      expect(empty).toEqual([]);
      mkdirSync(SCREENSHOTS, { recursive: true });
      writeFileSync(join(SCREENSHOTS, "dashboard.json"), JSON.stringify(dashboard));
    });
  });
});
