import type { ProblemCode } from "../../cluster/catalogue";
import type { Cluster, Metrics } from "../../cluster/model";
import { EXPORTED } from "../status/prometheus";
import { jobsOf } from "./targets";

/** Who is told: somebody at once, or a list of work. */
export type Urgency = "page" | "ticket";

export interface Alert {
  readonly name: string;
  readonly expr: string;
  /** How long the condition lasts before the alert fires. */
  readonly for?: string;
  readonly urgency: Urgency;
  readonly summary: string;
  /** What it means. */
  readonly description: string;
}

export interface Recording {
  readonly record: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** Names of recorded series. */
export const RECORDED = {
  commitTime: "cluster:consul_raft_commitTime:mean5m",
  usualCommitTime: "cluster:consul_raft_commitTime:mean1h",
  lastContact: "cluster:consul_raft_leader_lastContact:mean5m",
  mainSaturation: "agent:consul_raft_thread_main_saturation:mean5m",
  fsmSaturation: "agent:consul_raft_thread_fsm_saturation:mean5m",
  memoryLimit: "agent:consul_memory_limit:bytes",
} as const;

const MIB = 1024 * 1024;
const DAY = 86_400;

/** Selects the metrics of one cluster. */
const selectorOf =
  (cluster: string) =>
  (metric: string, labels: Readonly<Record<string, string>> = {}): string => {
    const pairs = Object.entries({ cluster, ...labels }).map(([label, value]) => `${label}="${value}"`);
    return `${metric}{${pairs.join(",")}}`;
  };
type Select = ReturnType<typeof selectorOf>;

const BY_CLUSTER = "by (cluster, datacenter)";
const BY_AGENT = "by (agent, cluster, datacenter, host, role)";

/** The mean of a summary's samples. Its quantiles are of the last ten seconds alone, less than a scrape's interval. */
const mean = (select: Select, metric: string, range: string, by: string): string =>
  `sum ${by} (rate(${select(`${metric}_sum`)}[${range}])) / sum ${by} (rate(${select(`${metric}_count`)}[${range}]))`;

export function recordings({ name, agents }: Cluster): Recording[] {
  const select = selectorOf(name);
  const limited = agents.flatMap((agent) =>
    agent.resources.memory === undefined ? [] : [{ agent, bytes: agent.resources.memory * MIB }],
  );
  return [
    { record: RECORDED.commitTime, expr: mean(select, "consul_raft_commitTime", "5m", BY_CLUSTER) },
    { record: RECORDED.usualCommitTime, expr: mean(select, "consul_raft_commitTime", "1h", BY_CLUSTER) },
    { record: RECORDED.lastContact, expr: mean(select, "consul_raft_leader_lastContact", "5m", BY_CLUSTER) },
    { record: RECORDED.mainSaturation, expr: mean(select, "consul_raft_thread_main_saturation", "5m", BY_AGENT) },
    { record: RECORDED.fsmSaturation, expr: mean(select, "consul_raft_thread_fsm_saturation", "5m", BY_AGENT) },
    ...limited.map(({ agent, bytes }) => ({
      record: RECORDED.memoryLimit,
      expr: `vector(${bytes})`,
      labels: { agent: agent.name, cluster: name },
    })),
  ];
}

/**
 * Events of a counter that Consul creates with its first event: `increase` does not see the first one. Such a counter
 * has fewer samples than its agent had scrapes.
 */
function events(select: Select, counter: string, range: string): string {
  const metric = select(counter);
  const scrapes = `on (agent, cluster) group_left () sum_over_time(${select("up")}[${range}])`;
  return `increase(${metric}[${range}]) > 0 or (${metric} and count_over_time(${metric}[${range}]) < ${scrapes})`;
}

export function alerts(cluster: Cluster, { thresholds }: Metrics): Alert[] {
  const select = selectorOf(cluster.name);
  return [
    ...leadership(select, thresholds.leader_changes),
    ...members(cluster, select),
    unscraped(cluster, select),
    ...raft(select, thresholds),
    ...agents(cluster, select, thresholds),
    ...(cluster.security ? serverCertificates(select, thresholds) : []),
    ...caCertificates(select, thresholds),
    ...ofStatus(cluster, select, thresholds),
  ];
}

type Thresholds = Metrics["thresholds"];

/** Autopilot's numbers of the leader: a server that was the leader keeps those of that time. */
const ofLeader = (select: Select, metric: string): string =>
  `max ${BY_CLUSTER} (${select(metric)} and on (agent, cluster) (${select("consul_server_isLeader")} == 1))`;

const leadership = (select: Select, changes: number): Alert[] => [
  {
    name: "ConsulNoLeader",
    expr: `count ${BY_CLUSTER} (${select("up", { role: "server" })}) unless on (cluster, datacenter) (sum ${BY_CLUSTER} (${select("consul_server_isLeader")}) > 0)`,
    for: "1m",
    urgency: "page",
    summary: "Consul {{ $labels.cluster }} has no leader",
    description: "No server that Prometheus reaches is the leader. Nothing can be written, and consistent reads fail.",
  },
  {
    name: "ConsulLeaderFlapping",
    expr: `sum ${BY_CLUSTER} (increase(${select("consul_raft_state_leader")}[15m])) > ${changes}`,
    urgency: "ticket",
    summary: "Consul {{ $labels.cluster }} changes its leader again and again",
    description:
      "{{ $value | humanize }} elections were won in 15 minutes. Each stops writes for a moment. Slow disks, busy CPUs and lost packets are usual causes.",
  },
];

function members(cluster: Cluster, select: Select): Alert[] {
  const servers = cluster.agents.filter(({ role, decommission }) => role === "server" && !decommission);
  const tolerance: Alert = {
    name: "ConsulNoFailureTolerance",
    expr: `${ofLeader(select, "consul_autopilot_failure_tolerance")} == 0`,
    for: "10m",
    urgency: "page",
    summary: "Consul {{ $labels.cluster }} tolerates no further failure",
    description: "The failure of one more server stops the cluster.",
  };
  return [
    {
      name: "ConsulServerDown",
      expr: `${select("up", { role: "server" })} == 0`,
      for: "3m",
      urgency: "page",
      summary: "Consul server {{ $labels.agent }} on {{ $labels.host }} is not there",
      description: "Prometheus does not reach the server, or the server rejects the certificate or the token.",
    },
    {
      name: "ConsulClientDown",
      expr: `${select("up", { role: "client" })} == 0`,
      for: "5m",
      urgency: "ticket",
      summary: "Consul client agent {{ $labels.agent }} on {{ $labels.host }} is not there",
      description: "Prometheus does not reach the agent. The services of its host are critical for the others.",
    },
    {
      name: "ConsulAutopilotUnhealthy",
      expr: `${ofLeader(select, "consul_autopilot_healthy")} == 0`,
      for: "5m",
      urgency: "ticket",
      summary: "Autopilot of Consul {{ $labels.cluster }} reports an unhealthy server",
      description: "The leader cannot reach a server, or the server is behind it.",
    },
    // One server or two tolerate no failure at any time.
    ...(servers.length >= 3 ? [tolerance] : []),
    {
      name: "ConsulMembersFailed",
      expr: `sum ${BY_CLUSTER} (${events(select, "consul_serf_member_failed", "10m")}) > 0`,
      urgency: "ticket",
      summary: "Members of Consul {{ $labels.cluster }} have failed",
      description: "Agents have lost others in gossip during the last 10 minutes.",
    },
    {
      name: "ConsulGossipFlapping",
      expr: `sum ${BY_CLUSTER} (${events(select, "consul_serf_member_flap", "10m")}) > 0`,
      for: "10m",
      urgency: "ticket",
      summary: "Members of Consul {{ $labels.cluster }} fail and come back",
      description: "Members failed and were back within a minute. UDP packets are lost, or hosts are busy.",
    },
  ];
}

/** An agent without a target has no `up`, so that its other alerts never fire. */
function unscraped(cluster: Cluster, select: Select): Alert {
  const expected = jobsOf(cluster).flatMap(({ targets }) => targets).length;
  const up = select("up");
  return {
    name: "ConsulAgentsUnscraped",
    expr: `count by (cluster) (${up}) < ${expected} or absent(${up})`,
    for: "5m",
    urgency: "ticket",
    summary: "Prometheus does not scrape all agents of Consul {{ $labels.cluster }}",
    description: `It has fewer than the ${expected} agents that the cluster file had when its files were written, and the alerts of the others cannot fire.`,
  };
}

const raft = (select: Select, limits: Thresholds): Alert[] => [
  {
    name: "ConsulLastContact",
    expr: `${select(RECORDED.lastContact)} > ${limits.last_contact}`,
    for: "5m",
    urgency: "ticket",
    summary: "Followers of Consul {{ $labels.cluster }} answer their leader late",
    description: "The last answer is {{ $value | humanize }} ms old on average. An election may follow.",
  },
  {
    name: "ConsulCommitsSlow",
    expr: `${select(RECORDED.commitTime)} > ${limits.commit_time} and ${select(RECORDED.commitTime)} > ${limits.commit_time_ratio} * ${select(RECORDED.usualCommitTime)} offset 5m`,
    for: "10m",
    urgency: "ticket",
    summary: "Consul {{ $labels.cluster }} commits more slowly than in the hour before",
    description: "A commit takes {{ $value | humanize }} ms. The disk of a server or the network between them is busy.",
  },
  ...(["main", "fsm"] as const).map(
    (thread): Alert => ({
      name: thread === "main" ? "ConsulRaftMainBusy" : "ConsulRaftFsmBusy",
      expr: `${select(RECORDED[`${thread}Saturation`])} > ${limits.saturation}`,
      for: "15m",
      urgency: "ticket",
      summary: `Raft's ${thread} thread of {{ $labels.agent }} is busy`,
      description:
        "The thread is busy for {{ $value | humanizePercentage }} of its time. Writes will wait for it soon.",
    }),
  ),
  {
    name: "ConsulRaftLogShort",
    // Raft exports 0 while it does not know the age (emitLogStoreMetrics in log.go, hashicorp/raft).
    expr: `(${ofLeader(select, "consul_raft_leader_oldestLogAge")} > 0) < 2 * max ${BY_CLUSTER} (${select("consul_raft_fsm_lastRestoreDuration")})`,
    for: "15m",
    urgency: "ticket",
    summary: "The Raft log of Consul {{ $labels.cluster }} is too short for a restart",
    description:
      "The leader's oldest entry is {{ $value | humanize }} ms old, less than twice as long as a server takes to restore its data. A server that restarts may never catch up.",
  },
];

function agents(cluster: Cluster, select: Select, limits: Thresholds): Alert[] {
  const memory: Alert = {
    name: "ConsulMemory",
    expr: `${select("process_resident_memory_bytes")} / on (agent, cluster) group_left () ${select(RECORDED.memoryLimit)} > ${limits.memory}`,
    for: "15m",
    urgency: "page",
    summary: "Consul agent {{ $labels.agent }} will soon be out of memory",
    description: "It uses {{ $value | humanizePercentage }} of its container's memory. Above 100 % Linux kills it.",
  };
  return [
    {
      name: "ConsulRpcExceeded",
      expr: `increase(${select("consul_client_rpc_exceeded")}[5m]) > 0`,
      urgency: "ticket",
      summary: "Consul agent {{ $labels.agent }} rejects requests",
      description: "More requests than `limits.rpc_rate` allows were made to it in 5 minutes.",
    },
    {
      name: "ConsulRpcFailed",
      expr: `increase(${select("consul_client_rpc_failed")}[5m]) > 0`,
      for: "10m",
      urgency: "ticket",
      summary: "Requests of Consul agent {{ $labels.agent }} to servers fail",
      description: "The agent reaches no server, or servers reject its requests.",
    },
    ...(cluster.agents.some(({ resources }) => resources.memory !== undefined) ? [memory] : []),
  ];
}

/** Client agents renew their certificates of three days by themselves. */
const serverCertificates = (select: Select, limits: Thresholds): Alert[] =>
  // Without a certificate the metric is 0.
  expiring("ConsulCertificate", `(${select("consul_agent_tls_cert_expiry", { role: "server" })} != 0)`, limits, {
    summary: "The certificate of Consul server {{ $labels.agent }} expires",
    description: "It expires in {{ $value | humanizeDuration }}. Then no agent accepts the server's connections.",
  });

function caCertificates(select: Select, limits: Thresholds): Alert[] {
  const expiry = (kind: string) => `max ${BY_CLUSTER} (${select(`consul_mesh_active_${kind}_ca_expiry`)} != 0)`;
  const [root, signing] = [expiry("root"), expiry("signing")];
  // In a primary datacenter the root itself signs, and both metrics are its own (signingCAExpiryMonitor, hashicorp/consul).
  const other = `(${signing} unless on (cluster, datacenter) abs(${signing} - ${root}) < 3600)`;
  return (
    [
      ["ConsulConnectRootCa", root, "root"],
      ["ConsulConnectSigningCa", other, "signing"],
    ] as const
  ).flatMap(([name, expr, kind]) =>
    expiring(name, expr, limits, {
      summary: `The ${kind} CA of Consul {{ $labels.cluster }} expires`,
      description:
        "It expires in {{ $value | humanizeDuration }}. It signs the certificates of client agents and of services.",
    }),
  );
}

/** What expires: each has an alert of its own name, and one that is urgent. */
export const EXPIRING = [
  "ConsulCertificate",
  "ConsulConnectRootCa",
  "ConsulConnectSigningCa",
  "ConsulSecrets",
] as const;

const expiring = (
  name: (typeof EXPIRING)[number],
  expr: string,
  limits: Thresholds,
  texts: Pick<Alert, "summary" | "description">,
): Alert[] => [
  { name: `${name}Expiring`, expr: `${expr} < ${limits.certificate_days * DAY}`, urgency: "ticket", ...texts },
  {
    name: `${name}ExpiringSoon`,
    expr: `${expr} < ${limits.urgent_certificate_days * DAY}`,
    urgency: "page",
    ...texts,
  },
];

/** Codes of agents that are not as they were deployed. */
const NOT_AS_DEPLOYED = [
  "container-tainted",
  "healthy-container-tainted",
  "container-unrecorded",
  "container-unmanaged",
  "container-foreign",
  "container-orphaned",
  "restart-policy-changed",
  "files-changed",
  "secrets-changed",
] as const satisfies ProblemCode[];

/** For how long Prometheus remembers a `status --prometheus` that nothing exports any more. */
const REMEMBERED = "7d";

/** Alerts of what `status --prometheus` exports. Where it never ran they have no data, and never fire. */
function ofStatus({ backups, security }: Cluster, select: Select, limits: Thresholds): Alert[] {
  const problem = (codes: readonly ProblemCode[]): string =>
    `${select(EXPORTED.problem).slice(0, -1)},code=~"${codes.join("|")}"} == 1`;
  const status: Alert[] = [
    {
      name: "ConsulStatusOld",
      expr: `time() - max ${BY_CLUSTER} (max_over_time(${select(EXPORTED.time)}[${REMEMBERED}])) > ${60 * limits.status_minutes}`,
      urgency: "ticket",
      summary: "Nobody inspects Consul {{ $labels.cluster }}",
      description:
        "The last `status --prometheus` was {{ $value | humanizeDuration }} ago. Its timer does not run, or nobody exports its file.",
    },
    {
      name: "ConsulHostUnreachable",
      expr: `${select(EXPORTED.reachable)} == 0`,
      for: "10m",
      urgency: "ticket",
      summary: "The Docker daemon of {{ $labels.host }} is unreachable",
      description: "A deploy would stop there.",
    },
    {
      name: "ConsulNotAsDeployed",
      expr: problem(NOT_AS_DEPLOYED),
      for: "30m",
      urgency: "ticket",
      summary: "{{ $labels.agent }} on {{ $labels.host }} is not as it was deployed: {{ $labels.code }}",
      description: "Its container was changed by hand, or a deploy did not end.",
    },
    {
      name: "ConsulLockHeld",
      expr: problem(["lock-held"]),
      for: `${limits.lock_minutes}m`,
      urgency: "ticket",
      summary: "{{ $labels.agent }} holds the lock of deploys",
      description: "A deploy takes very long, or was interrupted. Other deploys wait for it.",
    },
    {
      name: "ConsulMaintenanceLong",
      expr: problem(["host-in-maintenance"]),
      for: `${limits.maintenance_minutes}m`,
      urgency: "ticket",
      summary: "{{ $labels.host }} is in maintenance for long",
      description: "Its services are not in DNS, and deploys wait for it. Perhaps nobody has ended its maintenance.",
    },
  ];
  if (security) {
    status.push(
      ...expiring("ConsulSecrets", `(${select(EXPORTED.certificate)} - time())`, limits, {
        summary: "{{ $labels.file }} of Consul {{ $labels.cluster }} expires",
        description: "The certificate in the folder of secrets expires in {{ $value | humanizeDuration }}.",
      }),
    );
  }
  if (backups) {
    const oldest = limits.backup_intervals * backups.every;
    status.push(
      {
        name: "ConsulBackupOld",
        expr: `time() - (${newestBackup(select, oldest + 2 * BACKUP_SECONDS)}) > ${oldest}`,
        for: `${BACKUP_SECONDS / 60}m`,
        urgency: "ticket",
        summary: "Consul {{ $labels.cluster }} has no new backup",
        description:
          "{{ if gt $value 1e9 }}No scheduled snapshot is known.{{ else }}The newest scheduled snapshot that is known is {{ $value | humanizeDuration }} old.{{ end }}",
      },
      {
        name: "ConsulBackupFailed",
        expr: `${select(EXPORTED.backupFailed)} == 1`,
        for: "30m",
        urgency: "ticket",
        summary: "Scheduled backups beside {{ $labels.agent }} fail",
        description: "The last snapshot that was due could not be taken, or the container is unreachable.",
      },
    );
  }
  return status;
}

/** Time for a snapshot, and for the timer of `status --prometheus`. */
const BACKUP_SECONDS = 1800;

/**
 * The time of the newest snapshot that was seen lately. A container that is unreachable now may have had it, and other
 * servers have older ones. 0 if none was seen.
 */
const newestBackup = (select: Select, seconds: number): string =>
  `max ${BY_CLUSTER} (max_over_time(${select(EXPORTED.backup)}[${seconds}s])) or 0 * max ${BY_CLUSTER} (${select(EXPORTED.backupFailed)})`;
