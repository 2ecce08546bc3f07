import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { defineCluster } from "../../cluster/define";
import type { Cluster, Metrics } from "../../cluster/model";
import { alertmanagerFile } from "../../ops/metrics/alertmanager";
import { alerts } from "../../ops/metrics/alerts";
import { rulesFile } from "../../ops/metrics/rules";
import { FILES } from "../../ops/metrics/scrape-config";
import {
  CASES,
  expiringRoot,
  goneStatus,
  HEALTHY,
  LOOK,
  NO_TARGETS,
  noBackups,
  noBackupsToday,
  type Series,
  unknownBackups,
  unreachableBackups,
} from "./rule-cases";

const cluster: Cluster = defineCluster({
  name: "payments",
  daemon: "ssh://root@{address}",
  hosts: { node1: "10.0.0.11", node2: "10.0.0.12", node3: "10.0.0.13", web1: "10.0.0.21" },
  servers: ["node1", "node2", "node3"],
  clients: [{ name: "web1", resources: { memory: 256 } }],
  metrics: "on",
  backups: { every: "20m" },
});
const metrics = cluster.metrics as Metrics;
const names = alerts(cluster, metrics).map(({ name }) => name);

/** A test of promtool's: which of some alerts fire with these series. */
const firing = (name: string, alertNames: readonly string[], series: Series, expected: readonly string[]) => ({
  name,
  interval: "1m",
  input_series: Object.entries({ ...HEALTHY, ...series }).map(([key, values]) => ({ series: key, values })),
  promql_expr_test: [
    {
      expr: `count by (alertname) (ALERTS{alertstate="firing",alertname=~"${alertNames.join("|")}"})`,
      eval_time: `${LOOK}m`,
      exp_samples: expected.map((alertname) => ({ labels: `{alertname="${alertname}"}`, value: 1 })),
    },
  ],
});

/** Names or paths of the programs that check files. */
interface Checkers {
  readonly promtool: string;
  readonly amtool: string;
}

/** Tests of the rules, by the programs of one version of Prometheus and Alertmanager. */
export function testRules(ensured: () => Checkers | Promise<Checkers>): void {
  const folder = mkdtempSync(join(tmpdir(), "consul-cdktf-rules-"));
  let checkers: Checkers;
  beforeAll(async () => {
    checkers = await ensured();
    writeFileSync(join(folder, FILES.rules), rulesFile(cluster, metrics));
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const tried = (program: string, ...args: string[]): string =>
    execFileSync(program, args, { cwd: folder, encoding: "utf8" });

  function promtool(...tests: object[]): void {
    writeFileSync(join(folder, "test.yml"), stringify({ rule_files: [FILES.rules], evaluation_interval: "1m", tests }));
    expect(tried(checkers.promtool, "test", "rules", "test.yml")).toContain("SUCCESS");
  }

  test("promtool accepts the rules", () =>
    expect(tried(checkers.promtool, "check", "rules", FILES.rules)).toContain(
      `SUCCESS: ${names.length + 6} rules found`,
    ));
  test("amtool accepts the example of Alertmanager's configuration", () => {
    writeFileSync(join(folder, FILES.alertmanager), alertmanagerFile());
    expect(tried(checkers.amtool, "check-config", FILES.alertmanager)).toContain("SUCCESS");
  });
  test("nothing fires in a healthy cluster", () => promtool(firing("healthy", names, {}, [])));
  test("each alert has a case", () => expect(Object.keys(CASES).sort()).toEqual([...names].sort()));

  test.each(Object.entries(CASES))("%s fires, and is quiet when it should be", (name, { fires, quiet }) =>
    promtool(firing("fires", [name], fires, [name]), firing("quiet", [name], quiet, [])),
  );
  test("an unreachable container of backups is a failed backup, and an old one when no new snapshot was seen", () => {
    const backups = ["ConsulBackupFailed", "ConsulBackupOld"];
    promtool(
      firing("for half an hour", backups, unreachableBackups(35), ["ConsulBackupFailed"]),
      // Every 20 minutes, so 70 minutes after the snapshot that was seen last.
      firing("not yet", backups, unreachableBackups(69), ["ConsulBackupFailed"]),
      firing("too long", backups, unreachableBackups(71), backups),
      firing("none was ever seen", backups, unknownBackups(35), backups),
    );
  });
  test("a new cluster has half an hour for its first snapshot", () => {
    promtool(
      firing("new", ["ConsulBackupOld"], noBackups(28), []),
      firing("never", ["ConsulBackupOld"], noBackups(31), ["ConsulBackupOld"]),
    );
  });
  test("an alert of an old backup tells its age, or that none is known", () => {
    const labels = { cluster: "payments", datacenter: "dc1", severity: "ticket" };
    const summary = "Consul payments has no new backup";
    const runbook_url = `${metrics.runbooks}#consulbackupold`;
    const telling = (description: string, series: Series) => ({
      ...firing("tells", [], series, []),
      promql_expr_test: [],
      alert_rule_test: [
        {
          alertname: "ConsulBackupOld",
          eval_time: `${LOOK}m`,
          exp_alerts: [{ exp_labels: labels, exp_annotations: { summary, description, runbook_url } }],
        },
      ],
    });
    promtool(
      telling("The newest scheduled snapshot that is known is 1h 15m 0s old.", unreachableBackups(75)),
      telling("No scheduled snapshot is known.", noBackupsToday()),
    );
  });
  test("a root CA that signs itself expires once", () =>
    promtool(
      firing("root", ["ConsulConnectRootCaExpiring", "ConsulConnectSigningCaExpiring"], expiringRoot(), [
        "ConsulConnectRootCaExpiring",
      ]),
    ));
  test("an inspection that nobody exports any more is old after an hour", () =>
    promtool(
      firing("not yet", ["ConsulStatusOld"], goneStatus(58), []),
      firing("for an hour", ["ConsulStatusOld"], goneStatus(62), ["ConsulStatusOld"]),
    ));
  test("a Prometheus without any target tells that it scrapes no agent", () =>
    promtool(firing("none", ["ConsulAgentsUnscraped"], NO_TARGETS, ["ConsulAgentsUnscraped"])));
  test("a rolling change of all servers fires nothing that pages", () => {
    const restarted = (at: number) => `1x${at} 0x0 1x${130 - at}`;
    const up = (agent: string) =>
      `up{agent="${agent}",cluster="payments",datacenter="dc1",host="${agent}",role="server"}`;
    const pages = alerts(cluster, metrics).filter(({ urgency }) => urgency === "page");
    const series = { [up("node1")]: restarted(89), [up("node2")]: restarted(88), [up("node3")]: restarted(87) };
    promtool(
      firing(
        "rolling",
        pages.map(({ name }) => name),
        series,
        [],
      ),
    );
  });
}
