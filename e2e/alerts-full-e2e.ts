import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parse } from "yaml";
import { FILES } from "../ops/metrics/scrape-config";
import { eventually } from "./consul";
import { LoopbackHttp } from "./loopback-http";
import { MonitoredCluster } from "./metrics/monitored-cluster";
import { type Monitoring, PAGING } from "./metrics/monitoring";
import { cutOff, reconnect } from "./partition";
import { TestBed } from "./test-bed/test-bed";

const HOSTS = {
  "consul-server1": "172.16.8.120",
  "consul-server2": "172.16.8.121",
  "consul-server3": "172.16.8.122",
  "consul-client1": "172.16.8.110",
  "consul-client2": "172.16.8.111",
} as const;
const SERVERS = Object.keys(HOSTS).slice(0, 3);
const MINUTE = 60_000;

/** Alerts of faults that last. */
const OF_FAULTS = [
  "ConsulAutopilotUnhealthy",
  "ConsulBackupFailed",
  "ConsulBackupOld",
  "ConsulGossipFlapping",
  "ConsulHostUnreachable",
  "ConsulLockHeld",
  "ConsulMembersFailed",
  "ConsulNoFailureTolerance",
  "ConsulNotAsDeployed",
  "ConsulRaftLogShort",
  "ConsulRpcExceeded",
  "ConsulRpcFailed",
  "ConsulServerDown",
] as const;

/** Alerts of a healthy cluster whose thresholds are below what it has. */
const OF_THRESHOLDS = [
  "ConsulCertificateExpiring",
  "ConsulCertificateExpiringSoon",
  "ConsulCommitsSlow",
  "ConsulConnectRootCaExpiring",
  "ConsulConnectRootCaExpiringSoon",
  "ConsulLastContact",
  "ConsulMemory",
  "ConsulRaftFsmBusy",
  "ConsulRaftMainBusy",
  "ConsulSecretsExpiring",
  "ConsulSecretsExpiringSoon",
] as const;

const DAYS = 365 * 20;
/** Keys that a server restores for seconds with little CPU. */
const KEYS = 50_000;
/** Consul accepts 64 operations in one. */
const TRANSACTION = 64;

/** Whether an alert fires now in a Prometheus. */
const isFiring = (name: string, expected: boolean) => async (monitoring: Monitoring) =>
  expect((await monitoring.firing()).includes(name)).toBe(expected);

/** None of these fires. */
const noneIsFiring = (names: readonly string[]) => async (monitoring: Monitoring) =>
  expect((await monitoring.firing()).filter((name) => names.includes(name))).toEqual([]);

describe("alerts by faults that last, with a Prometheus that was there before", () => {
  const testBed = TestBed.standing();
  const cluster = new MonitoredCluster(testBed, {
    name: "alerts",
    daemon: "ssh://root@{address}",
    hosts: HOSTS,
    servers: SERVERS,
    clients: [
      "consul-client1",
      { name: "consul-client2", resources: { memory: 256 }, config: { limits: { rpc_rate: 10, rpc_max_burst: 20 } } },
    ],
    backups: { every: "1m" },
    // The log of writes lasts for seconds.
    config: { raft_trailing_logs: 10, raft_snapshot_threshold: 10, raft_snapshot_interval: "5s" },
  });
  const { file } = cluster;
  const header = cluster.project.operatorHeader(file);
  const server1 = new LoopbackHttp(testBed.host("consul-server1"), "consul-server1", header);

  beforeAll(async () => {
    await testBed.reset();
    await testBed.addHost("consul-client2", HOSTS["consul-client2"]);
    await cluster.deploy();
  });
  afterAll(async () => {
    for (const agent of ["consul-client1", "consul-client2"]) await reconnect(testBed, agent);
    await cluster.down();
    await testBed.removeHost("consul-client2");
  });

  test("metrics are turned on in a running cluster, and Prometheus scrapes all agents", async () => {
    file.metrics = {
      thresholds: {
        last_contact: 0.001,
        commit_time: 0.001,
        commit_time_ratio: 0.001,
        memory: 0.05,
        saturation: 0.000001,
        certificate_days: DAYS,
        urgent_certificate_days: DAYS - 1,
        lock_minutes: 1,
      },
    };
    await cluster.deploy();
    await cluster.monitor({ status: true });
    await eventually(() => cluster.expectAllUp(), 60);
    cluster.inspect();
  });

  test("a server restores its data for longer than the log of writes lasts", async () => {
    const server = testBed.host("consul-server2");
    for (let n = 0; n < KEYS / TRANSACTION; n++) {
      const keys = Array.from({ length: TRANSACTION }, (_, key) => ({
        KV: { Verb: "set", Key: `load/${n}/${key}`, Value: "eA==" },
      }));
      await server1.put("/v1/txn", keys);
    }
    const restored = async () =>
      (await server.docker("logs", "consul-server2")).stdout.split("restored from snapshot").length;
    const before = await restored();
    await server.docker("update", "--cpus=0.03", "consul-server2");
    await server.docker("restart", "consul-server2");
    await eventually(async () => expect(await restored()).toBeGreaterThan(before), 5 * 60);
    await eventually(
      async () => expect(await server1.json("/v1/operator/autopilot/health")).toMatchObject({ Healthy: true }),
      120,
    );
    await server.docker("update", "--cpus=2", "consul-server2");
    await server1.put("/v1/kv/load/key", "x");
    const writes =
      'read -r token; (i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); sleep 0.2; curl -sS -o /dev/null -X PUT -H "$token" -d x ' +
      "http://127.0.0.1:8500/v1/kv/load/key; done) >/dev/null 2>&1 &";
    const input = readFileSync(header, "utf8");
    await testBed.host("consul-server1").dockerWith({ input }, "exec", "-i", "consul-server1", "sh", "-c", writes);
  });

  test(
    "each fault fires its alert, and so does each threshold",
    async () => {
      const begun = Date.now();
      // A server's host without power: its agent and its Docker daemon are gone.
      await testBed.host("consul-server3").powerOff();
      // A client agent without its servers.
      await cutOff(testBed, "consul-client1", HOSTS);
      // A client agent with too many requests.
      const url = "http://127.0.0.1:8500/v1/catalog/nodes?stale";
      const requests = `i=0; while [ $i -lt 200 ]; do curl -sS -o /dev/null "${url}" & i=$((i + 1)); done; wait`;
      const flood = () => testBed.host("consul-client2").docker("exec", "consul-client2", "sh", "-c", requests);
      // A container that was changed by hand, a schedule that does not run, a lock that nobody releases.
      await testBed.host("consul-server2").docker("update", "--restart=no", "consul-server2");
      for (const name of ["consul-server1", "consul-server2"])
        await testBed.host(name).docker("stop", `${name}-backups`);
      // The leader may have been the server without power.
      await eventually(
        () => cluster.manage("consul-server1", "consul kv put consul-cdktf/replacing consul-server2"),
        60,
      );

      /** How long each condition has to last, in minutes. The timer, scrapes and rules add some. */
      const { groups } = parse(readFileSync(join(cluster.folder, FILES.rules), "utf8"));
      const lasting = Object.fromEntries(
        groups[1].rules
          .filter(({ alert }: { alert: string }) => ([...OF_FAULTS, ...OF_THRESHOLDS] as string[]).includes(alert))
          .map(({ alert, for: time = "0m" }: { alert: string; for?: string }) => [alert, Number.parseInt(time, 10)]),
      );
      const missing = async () => {
        const fired = await Promise.all(cluster.monitoring.map((each) => each.firedSince(begun)));
        return [...OF_FAULTS, ...OF_THRESHOLDS].filter((name) => !fired.every((names) => names.includes(name)));
      };
      const deadline = Date.now() + 45 * MINUTE;
      for (let left: string[] = [...OF_FAULTS]; left.length > 0; left = await missing()) {
        if (Date.now() > deadline) throw new Error(`did not fire: ${left.join(", ")}`);
        if (left.includes("ConsulRpcExceeded")) await flood();
        // Gone for half a minute, and back within one.
        if (left.includes("ConsulGossipFlapping")) {
          await cutOff(testBed, "consul-client2", HOSTS);
          await pause(35_000);
          await reconnect(testBed, "consul-client2");
        }
        await pause(90_000);
      }
      await cluster.withEach(async (monitoring) => {
        expect(monitoring.notifications).toEqual(
          expect.arrayContaining(["/page firing ConsulNoFailureTolerance", "/page firing ConsulMemory"]),
        );
        const fired = await monitoring.firstFired(begun);
        const late = Object.entries(lasting).filter(
          ([name, minutes]) => (fired.get(name) ?? Infinity) > (minutes + 10) * 60,
        );
        expect(late).toEqual([]);
      });
    },
    50 * MINUTE,
  );

  test(
    "the end of each fault resolves its alert",
    async () => {
      await testBed.host("consul-server3").ensureUp();
      await reconnect(testBed, "consul-client1");
      await testBed.host("consul-server2").docker("update", "--restart=always", "consul-server2");
      for (const name of ["consul-server1", "consul-server2"])
        await testBed.host(name).docker("start", `${name}-backups`);
      // Now it restores its data faster.
      await testBed.host("consul-server2").docker("restart", "consul-server2");
      await cluster.manage("consul-server1", "consul kv delete consul-cdktf/replacing");
      await cluster.eventuallyWithEach(noneIsFiring(OF_FAULTS), 25 * 60);
      await cluster.eventuallyWithEach(
        ({ notifications }) => expect(notifications).toContain("/page resolved ConsulNoFailureTolerance"),
        10 * 60,
      );
    },
    40 * MINUTE,
  );

  test(
    "so do thresholds that the cluster keeps",
    async () => {
      file.metrics = "on";
      await cluster.rewriteFiles();
      await cluster.eventuallyWithEach(noneIsFiring(OF_THRESHOLDS), 15 * 60);
    },
    20 * MINUTE,
  );

  test(
    "agents without a target fire an alert, and resolve it when they have one again",
    async () => {
      const targets = join(cluster.folder, "consul-alerts-clients.json");
      // The current one alone finds agents by files.
      const [, current] = cluster.monitoring as [Monitoring, Monitoring];
      const fires = (expected: boolean) =>
        eventually(() => isFiring("ConsulAgentsUnscraped", expected)(current), 8 * 60);
      const written = readFileSync(targets, "utf8");
      writeFileSync(targets, "[]\n");
      await fires(true);
      writeFileSync(targets, written);
      await fires(false);
    },
    20 * MINUTE,
  );

  test(
    "an inspection that nobody exports any more fires its alert, and resolves it when it is there again",
    async () => {
      file.metrics = { thresholds: { status_minutes: 2 } };
      await cluster.rewriteFiles();
      const fires = (expected: boolean) => cluster.eventuallyWithEach(isFiring("ConsulStatusOld", expected), 6 * 60);
      await fires(false);
      await cluster.endInspection();
      rmSync(cluster.exported);
      await fires(true);
      cluster.inspect();
      await fires(false);
    },
    20 * MINUTE,
  );
});

describe("metrics of a cluster without security", () => {
  const testBed = TestBed.standing();
  const { "consul-client2": _, ...hosts } = HOSTS;
  const cluster = new MonitoredCluster(testBed, {
    name: "open",
    security: "off",
    ignore: ["open-http"],
    client_addr: "0.0.0.0",
    daemon: "ssh://root@{address}",
    hosts,
    servers: SERVERS,
    clients: ["consul-client1"],
    metrics: "on",
  });

  beforeAll(async () => {
    await testBed.reset();
    await cluster.deploy();
    await cluster.monitor({ status: true });
    cluster.inspect();
  });
  afterAll(() => cluster.down());

  test("are scraped by HTTP, without a token", () => eventually(() => cluster.expectAllUp(), 60));

  test(
    "a host's maintenance fires its alert after an hour, pages nobody, and resolves the alert with its end",
    async () => {
      const begun = Date.now();
      const alert = "ConsulMaintenanceLong";
      await cluster.npm("maintain", "--", "consul-client1", "--begin");
      await pause(59 * MINUTE);
      await cluster.withEach(isFiring(alert, false));
      await cluster.eventuallyWithEach(isFiring(alert, true), 5 * 60);
      await cluster.npm("maintain", "--", "consul-client1", "--end");
      await cluster.eventuallyWithEach(isFiring(alert, false), 3 * 60);
      await cluster.withEach(async (monitoring) => expect(await monitoring.firedSince(begun, PAGING)).toEqual([]));
    },
    75 * MINUTE,
  );
});
