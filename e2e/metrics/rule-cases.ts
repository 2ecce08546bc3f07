/** Series by name, with their values minute by minute, in promtool's notation. */
export type Series = Readonly<Record<string, string>>;

export interface RuleCase {
  /** Series that differ from those of the healthy cluster, with which the alert fires at the time of the look. */
  readonly fires: Series;
  /** The same, a little less bad: the alert does not fire. */
  readonly quiet: Series;
}

const CLUSTER = 'cluster="payments",datacenter="dc1"';
const labels = (agent: string, role: string) => `{agent="${agent}",${CLUSTER},host="${agent}",role="${role}"}`;
/** Metrics of the leader, of both followers, and of the client agent. */
const of = (agent: string) => (metric: string) =>
  `${metric}${labels(agent, agent.startsWith("web") ? "client" : "server")}`;
const leader = of("node1");
const follower = of("node2");
const other = of("node3");
const client = of("web1");

/** Minute of the look. Series are two hours long. */
export const LOOK = 90;
const constant = (value: number) => `${value}x130`;
const rising = (perMinute: number) => `0+${perMinute}x130`;
/** A value until some minutes before the look, and another one from then on. */
const changed = (before: number, after: number, minutes: number) =>
  `${before}x${LOOK - minutes - 1} ${after}x${130 - (LOOK - minutes) - 1}`;
/** A counter that rises at one rate, and at another one during some minutes before the look. */
function faster(perMinute: number, lately: number, minutes: number): string {
  const turn = LOOK - minutes;
  return `0+${perMinute}x${turn} ${perMinute * turn + lately}+${lately}x${130 - turn}`;
}
/** A counter that Consul creates with its first event, some minutes before the look. */
const born = (minutes: number) => `_x${LOOK - minutes - 1} 1x${130 - (LOOK - minutes) - 1}`;

const MIB = 1024 * 1024;
const DAY = 86_400;

/** What `status --prometheus` exports. */
const ofStatus = (metric: string, more: string) => `consul_cdktf_${metric}{${CLUSTER},${more}}`;
const problem = (code: string) => ofStatus("problem", `agent="node1",code="${code}",host="node1"`);
/** A problem that began some minutes before the look. */
const since = (minutes: number) => `_x${LOOK - minutes - 1} 1x${130 - (LOOK - minutes) - 1}`;

/** A cluster in which nothing is wrong. */
export const HEALTHY: Series = {
  ...Object.fromEntries([leader, follower, other, client].map((agent) => [agent("up"), constant(1)])),
  [leader("consul_server_isLeader")]: constant(1),
  [follower("consul_server_isLeader")]: constant(0),
  [other("consul_server_isLeader")]: constant(0),
  [leader("consul_raft_state_leader")]: constant(1),
  [follower("consul_raft_state_leader")]: constant(0),
  [leader("consul_autopilot_failure_tolerance")]: constant(1),
  [leader("consul_autopilot_healthy")]: constant(1),
  // A server that has been the leader keeps what it knew.
  [follower("consul_autopilot_failure_tolerance")]: constant(0),
  [follower("consul_autopilot_healthy")]: constant(0),
  [leader("consul_raft_leader_lastContact_sum")]: rising(1200),
  [leader("consul_raft_leader_lastContact_count")]: rising(60),
  [leader("consul_raft_commitTime_sum")]: rising(120),
  [leader("consul_raft_commitTime_count")]: rising(60),
  [leader("consul_raft_thread_main_saturation_sum")]: rising(0.6),
  [leader("consul_raft_thread_main_saturation_count")]: rising(60),
  [leader("consul_raft_thread_fsm_saturation_sum")]: rising(0.6),
  [leader("consul_raft_thread_fsm_saturation_count")]: rising(60),
  [leader("consul_raft_leader_oldestLogAge")]: constant(3_600_000),
  [follower("consul_raft_fsm_lastRestoreDuration")]: constant(500),
  [client("consul_client_rpc_exceeded")]: constant(0),
  [client("consul_client_rpc_failed")]: constant(0),
  [client("process_resident_memory_bytes")]: constant(100 * MIB),
  [leader("consul_agent_tls_cert_expiry")]: constant(300 * DAY),
  // A client agent renews its certificate of three days by itself.
  [client("consul_agent_tls_cert_expiry")]: constant(2 * DAY),
  [leader("consul_mesh_active_root_ca_expiry")]: constant(3000 * DAY),
  // The root of a primary datacenter signs itself.
  [leader("consul_mesh_active_signing_ca_expiry")]: constant(3000 * DAY - 1),
  'consul_cdktf_status_timestamp_seconds{cluster="payments"}': "0+60x130",
  [ofStatus("host_reachable", 'host="node1"')]: constant(1),
  [ofStatus("certificate_expiry_timestamp_seconds", 'file="ca.pem"')]: constant(3000 * DAY),
  // The other servers were not the leader when a snapshot was due.
  [ofStatus("backup_timestamp_seconds", 'agent="node1"')]: "0+60x130",
  [ofStatus("backup_timestamp_seconds", 'agent="node2"')]: constant(0),
  [ofStatus("backup_failed", 'agent="node1"')]: constant(0),
};

const mean = (metric: string, fires: number, quiet: number, minutes: number, usual: number): RuleCase => ({
  fires: { [leader(`${metric}_sum`)]: faster(usual * 60, fires * 60, minutes) },
  quiet: { [leader(`${metric}_sum`)]: faster(usual * 60, quiet * 60, minutes) },
});
const value = (series: string, fires: string, quiet: string): RuleCase => ({
  fires: { [series]: fires },
  quiet: { [series]: quiet },
});
const days = (metric: string, fires: number, quiet: number): RuleCase =>
  value(leader(metric), constant(fires * DAY), constant(quiet * DAY));

/** By the alert's name. */
export const CASES: Readonly<Record<string, RuleCase>> = {
  ConsulNoLeader: {
    fires: { [leader("consul_server_isLeader")]: changed(1, 0, 3) },
    quiet: {
      [leader("consul_server_isLeader")]: changed(1, 0, 3),
      [follower("consul_server_isLeader")]: changed(0, 1, 3),
    },
  },
  ConsulLeaderFlapping: {
    fires: { [follower("consul_raft_state_leader")]: faster(0, 1, 10) },
    quiet: { [follower("consul_raft_state_leader")]: faster(0, 1, 2) },
  },
  ConsulServerDown: value(follower("up"), changed(1, 0, 5), changed(1, 0, 2)),
  ConsulClientDown: value(client("up"), changed(1, 0, 7), changed(1, 0, 4)),
  ConsulAutopilotUnhealthy: value(leader("consul_autopilot_healthy"), changed(1, 0, 8), changed(1, 0, 3)),
  ConsulNoFailureTolerance: value(leader("consul_autopilot_failure_tolerance"), changed(1, 0, 13), changed(1, 0, 8)),
  ConsulMembersFailed: value(leader("consul_serf_member_failed"), born(4), born(30)),
  ConsulGossipFlapping: {
    fires: { [leader("consul_serf_member_flap")]: faster(0, 1, 15) },
    quiet: { [leader("consul_serf_member_flap")]: born(4) },
  },
  ConsulLastContact: mean("consul_raft_leader_lastContact", 300, 190, 20, 20),
  ConsulCommitsSlow: mean("consul_raft_commitTime", 30, 9, 20, 2),
  ConsulRaftMainBusy: mean("consul_raft_thread_main_saturation", 0.8, 0.4, 30, 0.01),
  ConsulRaftFsmBusy: mean("consul_raft_thread_fsm_saturation", 0.8, 0.4, 30, 0.01),
  ConsulRaftLogShort: value(leader("consul_raft_leader_oldestLogAge"), constant(900), changed(1100, 0, 20)),
  ConsulRpcExceeded: value(client("consul_client_rpc_exceeded"), faster(0, 1, 4), changed(0, 1, 30)),
  ConsulRpcFailed: value(client("consul_client_rpc_failed"), faster(0, 1, 20), changed(0, 1, 4)),
  ConsulMemory: value(
    client("process_resident_memory_bytes"),
    changed(100 * MIB, 240 * MIB, 20),
    changed(100 * MIB, 220 * MIB, 20),
  ),
  ConsulCertificateExpiring: days("consul_agent_tls_cert_expiry", 29, 31),
  ConsulCertificateExpiringSoon: days("consul_agent_tls_cert_expiry", 6, 8),
  ConsulConnectRootCaExpiring: days("consul_mesh_active_root_ca_expiry", 29, 31),
  ConsulConnectRootCaExpiringSoon: days("consul_mesh_active_root_ca_expiry", 6, 8),
  // Its client agent's job is gone.
  ConsulAgentsUnscraped: value(client("up"), `1x${LOOK - 8} stale _x130`, `1x${LOOK - 5} stale _x130`),
  ConsulConnectSigningCaExpiring: days("consul_mesh_active_signing_ca_expiry", 29, 31),
  ConsulConnectSigningCaExpiringSoon: days("consul_mesh_active_signing_ca_expiry", 6, 8),
  ConsulStatusOld: value(
    'consul_cdktf_status_timestamp_seconds{cluster="payments"}',
    constant((LOOK - 61) * 60),
    constant((LOOK - 59) * 60),
  ),
  ConsulHostUnreachable: value(ofStatus("host_reachable", 'host="node1"'), changed(1, 0, 12), changed(1, 0, 8)),
  ConsulNotAsDeployed: value(problem("container-tainted"), since(33), since(28)),
  ConsulLockHeld: value(problem("lock-held"), since(33), since(28)),
  ConsulMaintenanceLong: value(problem("host-in-maintenance"), since(63), since(58)),
  ConsulSecretsExpiring: value(
    ofStatus("certificate_expiry_timestamp_seconds", 'file="ca.pem"'),
    constant(29 * DAY),
    constant(31 * DAY),
  ),
  ConsulSecretsExpiringSoon: value(
    ofStatus("certificate_expiry_timestamp_seconds", 'file="ca.pem"'),
    constant(6 * DAY),
    constant(8 * DAY),
  ),
  // Every 20 minutes, so 70 minutes are too old.
  ConsulBackupOld: value(
    ofStatus("backup_timestamp_seconds", 'agent="node1"'),
    constant((LOOK - 71) * 60),
    constant((LOOK - 69) * 60),
  ),
  ConsulBackupFailed: value(ofStatus("backup_failed", 'agent="node1"'), changed(0, 1, 33), changed(0, 1, 28)),
};

/** A primary datacenter's root expires, which both metrics tell. */
export const expiringRoot = (): Series => ({
  [leader("consul_mesh_active_root_ca_expiry")]: constant(20 * DAY),
  [leader("consul_mesh_active_signing_ca_expiry")]: constant(20 * DAY - 1),
});

/** Nobody exports what `status --prometheus` wrote so many minutes ago. */
export const goneStatus = (minutes: number): Series => ({
  'consul_cdktf_status_timestamp_seconds{cluster="payments"}': `0+60x${LOOK - minutes} stale _x130`,
});

/** Prometheus has no target of the cluster at all. */
export const NO_TARGETS: Series = Object.fromEntries(
  [leader, follower, other, client].map((agent) => [agent("up"), `1x${LOOK - 12} stale _x130`]),
);

/** The leader's container of backups is unreachable. Its last snapshot was new then; those of other servers are old. */
export const unreachableBackups = (minutes: number): Series => ({
  [ofStatus("backup_timestamp_seconds", 'agent="node1"')]: `0+60x${LOOK - minutes}`,
  [ofStatus("backup_failed", 'agent="node1"')]: changed(0, 1, minutes),
});

/** All containers of backups are unreachable, and no snapshot was ever seen. */
export const unknownBackups = (minutes: number): Series => ({
  [ofStatus("backup_timestamp_seconds", 'agent="node1"')]: "_x130",
  [ofStatus("backup_timestamp_seconds", 'agent="node2"')]: "_x130",
  [ofStatus("backup_failed", 'agent="node1"')]: `_x${LOOK - minutes} 1x${130 - (LOOK - minutes)}`,
});

/** No snapshot was ever taken. Tests of promtool begin in 1970, so that 0 is not long ago there. */
export const noBackupsToday = (): Series =>
  Object.fromEntries(
    ["node1", "node2"].map((agent) => [
      ofStatus("backup_timestamp_seconds", `agent="${agent}"`),
      constant(-2_000_000_000),
    ]),
  );

/** Containers of backups that began some minutes before the look, and have no snapshot. */
export const noBackups = (minutes: number): Series => {
  const none = `_x${LOOK - minutes - 1} 0x${130 - (LOOK - minutes) - 1}`;
  return {
    [ofStatus("backup_timestamp_seconds", 'agent="node1"')]: none,
    [ofStatus("backup_timestamp_seconds", 'agent="node2"')]: none,
    [ofStatus("backup_failed", 'agent="node1"')]: none,
  };
};
