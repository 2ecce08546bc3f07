import type { Cluster } from "../../cluster/model";
import type { ScheduledBackups } from "../backups/scheduled";
import type { CertificateExpiry } from "../secrets/inventory";
import type { Status } from "./status";

/** Names of the exported metrics. */
export const EXPORTED = {
  time: "consul_cdktf_status_timestamp_seconds",
  healthy: "consul_cdktf_healthy",
  reachable: "consul_cdktf_host_reachable",
  problem: "consul_cdktf_problem",
  certificate: "consul_cdktf_certificate_expiry_timestamp_seconds",
  backup: "consul_cdktf_backup_timestamp_seconds",
  backupFailed: "consul_cdktf_backup_failed",
} as const;

const HELP: Readonly<Record<(typeof EXPORTED)[keyof typeof EXPORTED], string>> = {
  [EXPORTED.time]: "When the cluster was inspected.",
  [EXPORTED.healthy]: "Whether there was no problem.",
  [EXPORTED.reachable]: "Whether a host's Docker daemon was reachable.",
  [EXPORTED.problem]: "A problem or a notice, by its code in docs/errors.md.",
  [EXPORTED.certificate]: "When a certificate in the folder of secrets expires.",
  [EXPORTED.backup]:
    "When the newest scheduled snapshot on a server's host was taken; 0 if there is none. Absent while its container is unreachable.",
  [EXPORTED.backupFailed]: "Whether the last scheduled snapshot that was due failed, or the container is unreachable.",
};

type Labels = Readonly<Record<string, string | undefined>>;
type Sample = readonly [labels: Labels, value: number];

export interface ExportedStatus {
  readonly status: Status;
  readonly backups: readonly ScheduledBackups[];
  readonly certificates: readonly CertificateExpiry[];
}

/** What Consul does not know of itself, as Prometheus' text format has it. */
export function prometheusText(cluster: Cluster, { status, backups, certificates }: ExportedStatus): string {
  const common = { cluster: cluster.name, datacenter: cluster.datacenter };
  const problems = new Map(
    [...status.problems, ...status.notices].map(({ code, location: { agent, host } }): [string, Sample] => [
      [code, agent, host].join(),
      [{ code, agent, host }, 1],
    ]),
  );
  const metrics: Readonly<Record<keyof typeof EXPORTED, readonly Sample[]>> = {
    time: [[{}, Date.parse(status.at) / 1000]],
    healthy: [[{}, Number(status.healthy)]],
    reachable: status.hosts.map(({ name, why }): Sample => [{ host: name }, Number(why === undefined)]),
    problem: [...problems.values()],
    certificate: certificates.map(({ file, until }): Sample => [{ file }, until.getTime() / 1000]),
    // An unreachable container tells nothing about its snapshots. They may well be new.
    backup: backups.flatMap(({ server, host, newest }): Sample[] =>
      newest === undefined ? [] : [[{ agent: server, host }, newest]],
    ),
    backupFailed: backups.map(({ server, host, failed }): Sample => [{ agent: server, host }, Number(failed)]),
  };
  return Object.entries(metrics)
    .flatMap(([key, samples]) => {
      const name = EXPORTED[key as keyof typeof EXPORTED];
      if (samples.length === 0) return [];
      const lines = samples.map(([labels, value]) => `${name}{${labelText({ ...common, ...labels })}} ${value}\n`);
      return [`# HELP ${name} ${HELP[name]}\n# TYPE ${name} gauge\n`, ...lines];
    })
    .join("");
}

const labelText = (labels: Labels): string =>
  Object.entries(labels)
    .flatMap(([label, value]) => (value === undefined ? [] : [`${label}=${JSON.stringify(value)}`]))
    .join(",");
