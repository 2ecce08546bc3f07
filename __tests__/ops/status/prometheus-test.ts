import { takenAt } from "../../../ops/backups/scheduled";
import { prometheusText } from "../../../ops/status/prometheus";
import type { Status } from "../../../ops/status/status";
import { FOUR_HOSTS, load } from "../../cluster-files";

const status = (more: Partial<Status> = {}): Status => ({
  at: "2026-11-29T10:00:00.000Z",
  cluster: { name: "c", datacenter: "dc1", security: "off" },
  healthy: true,
  problems: [],
  notices: [],
  hosts: [],
  agents: [],
  ...more,
});
const problem = (
  code: Status["problems"][number]["code"],
  agent: string,
  host?: string,
): Status["problems"][number] => ({
  code,
  severity: "error",
  location: { agent, host },
  message: 'its "message"',
});
const lines = (exported: Partial<Parameters<typeof prometheusText>[1]>): string[] =>
  prometheusText(load(FOUR_HOSTS), { status: status(), backups: [], certificates: [], ...exported })
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
const C = 'cluster="c",datacenter="dc1"';

test("a healthy cluster has a time, and metrics without samples are left out", () =>
  expect(prometheusText(load(FOUR_HOSTS), { status: status(), backups: [], certificates: [] })).toBe(`\
# HELP consul_cdktf_status_timestamp_seconds When the cluster was inspected.
# TYPE consul_cdktf_status_timestamp_seconds gauge
consul_cdktf_status_timestamp_seconds{${C}} 1795946400
# HELP consul_cdktf_healthy Whether there was no problem.
# TYPE consul_cdktf_healthy gauge
consul_cdktf_healthy{${C}} 1
`));
test("each problem and notice is a sample, once", () => {
  const problems = [problem("files-changed", "s1", "s1"), problem("files-changed", "s1", "s1")];
  const notices = [problem("lock-held", "s2")];
  expect(lines({ status: status({ healthy: false, problems, notices }) }).slice(1)).toEqual([
    `consul_cdktf_healthy{${C}} 0`,
    `consul_cdktf_problem{${C},code="files-changed",agent="s1",host="s1"} 1`,
    `consul_cdktf_problem{${C},code="lock-held",agent="s2"} 1`,
  ]);
});
test("hosts are reachable or not", () => {
  const hosts = [
    { name: "s1", address: "10.0.0.1", docker: "20.10" },
    { name: "s2", address: "10.0.0.2", why: "timeout" },
  ];
  expect(lines({ status: status({ hosts }) }).slice(2)).toEqual([
    `consul_cdktf_host_reachable{${C},host="s1"} 1`,
    `consul_cdktf_host_reachable{${C},host="s2"} 0`,
  ]);
});
test("a server without a snapshot has the time 0, and one whose container is unreachable has none", () => {
  const backups = [
    { server: "s1", host: "h1", newest: 1764374400, failed: false },
    { server: "s2", host: "h2", newest: 0, failed: true },
    { server: "s3", host: "h3", failed: true },
  ];
  expect(lines({ backups }).slice(2)).toEqual([
    `consul_cdktf_backup_timestamp_seconds{${C},agent="s1",host="h1"} 1764374400`,
    `consul_cdktf_backup_timestamp_seconds{${C},agent="s2",host="h2"} 0`,
    `consul_cdktf_backup_failed{${C},agent="s1",host="h1"} 0`,
    `consul_cdktf_backup_failed{${C},agent="s2",host="h2"} 1`,
    `consul_cdktf_backup_failed{${C},agent="s3",host="h3"} 1`,
  ]);
});
test("certificates have the time of their expiry", () =>
  expect(lines({ certificates: [{ file: "ca.pem", until: new Date(5000) }] }).slice(2)).toEqual([
    `consul_cdktf_certificate_expiry_timestamp_seconds{${C},file="ca.pem"} 5`,
  ]));
test.each([
  ["2026-11-25T010516Z.snap", Date.UTC(2026, 10, 25, 1, 5, 16) / 1000],
  ["before-upgrade.snap", undefined],
  [".unfinished.s1", undefined],
  ["", undefined],
])("the snapshot %p was taken at %p", (name, expected) => expect(takenAt(name)).toBe(expected));
