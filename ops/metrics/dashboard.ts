import type { Cluster } from "../../cluster/model";
import { RECORDED } from "./alerts";

/** Grafana's schema of a dashboard: grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model. */
const SCHEMA_VERSION = 36;

export interface Panel {
  readonly title: string;
  readonly unit: "short" | "s" | "ms" | "bytes" | "percentunit" | "ops" | "bool";
  readonly kind: "stat" | "timeseries";
  /** PromQL by legend. */
  readonly queries: Readonly<Record<string, string>>;
}

/** The panels, in the order of the dashboard. */
export function panels({ name }: Pick<Cluster, "name">): Panel[] {
  const all = `cluster="${name}"`;
  const own = `${all},agent=~"$agent"`;
  const series = (title: string, unit: Panel["unit"], queries: Panel["queries"]): Panel => ({
    title,
    unit,
    kind: "timeseries",
    queries,
  });
  const stat = (title: string, unit: Panel["unit"], query: string): Panel => ({
    title,
    unit,
    kind: "stat",
    queries: { [title]: query },
  });
  const leader = `on (agent, cluster) (consul_server_isLeader{${all}} == 1)`;
  const rate = (metric: string) => `sum by (agent) (rate(${metric}{${own}}[5m]))`;
  const mean = (metric: string) => `${rate(`${metric}_sum`)} / ${rate(`${metric}_count`)}`;
  return [
    stat("Leaders", "short", `sum(consul_server_isLeader{${all}})`),
    stat("Servers up", "short", `sum(up{${all},role="server"})`),
    stat("Client agents up", "short", `sum(up{${all},role="client"}) or vector(0)`),
    stat("Failures tolerated", "short", `max(consul_autopilot_failure_tolerance{${all}} and ${leader})`),
    stat("Autopilot healthy", "bool", `max(consul_autopilot_healthy{${all}} and ${leader})`),
    stat(
      "Soonest expiry of a server's certificate",
      "s",
      `min(consul_agent_tls_cert_expiry{${all},role="server"} != 0)`,
    ),
    series("Agents up", "bool", { "{{agent}}": `up{${own}}` }),
    series("Leader", "bool", { "{{agent}}": `consul_server_isLeader{${own}}` }),
    series("Elections", "short", {
      "{{agent}} candidate": `increase(consul_raft_state_candidate{${own}}[15m])`,
      "{{agent}} leader": `increase(consul_raft_state_leader{${own}}[15m])`,
    }),
    series("Commit time", "ms", {
      "last 5 minutes": `${RECORDED.commitTime}{${all}}`,
      "last hour": `${RECORDED.usualCommitTime}{${all}}`,
    }),
    series("Last contact of followers", "ms", { mean: `${RECORDED.lastContact}{${all}}` }),
    series("Raft applies", "ops", { "{{agent}}": rate("consul_raft_apply") }),
    series("Raft threads", "percentunit", {
      "{{agent}} main": `${RECORDED.mainSaturation}{${own}}`,
      "{{agent}} fsm": `${RECORDED.fsmSaturation}{${own}}`,
    }),
    series("Age of the oldest Raft entry", "ms", {
      "{{agent}}": `consul_raft_leader_oldestLogAge{${all}} and ${leader}`,
    }),
    series("Writes to the KV store", "ms", { "{{agent}}": mean("consul_kvs_apply") }),
    series("RPC of agents", "ops", {
      "{{agent}}": rate("consul_client_rpc"),
      "{{agent}} failed": rate("consul_client_rpc_failed"),
      "{{agent}} exceeded": rate("consul_client_rpc_exceeded"),
    }),
    series("RPC of servers", "ops", { "{{agent}} requests": rate("consul_rpc_request") }),
    series("Catalog", "short", {
      nodes: `max(consul_state_nodes{${all}})`,
      services: `max(consul_state_services{${all}})`,
      instances: `max(consul_state_service_instances{${all}})`,
      keys: `max(consul_state_kv_entries{${all}})`,
    }),
    series("Members", "short", {
      servers: `max(consul_members_servers{${all}})`,
      "client agents": `max(consul_members_clients{${all}})`,
    }),
    series("Memory", "bytes", { "{{agent}}": `process_resident_memory_bytes{${own}}` }),
    series("CPU", "short", { "{{agent}}": rate("process_cpu_seconds_total") }),
    series("Goroutines", "short", { "{{agent}}": `consul_runtime_num_goroutines{${own}}` }),
    series("Pauses of garbage collection", "percentunit", {
      "{{agent}}": `rate(consul_runtime_total_gc_pause_ns{${own}}[5m]) / 1e9`,
    }),
    series("Open files", "short", { "{{agent}}": `process_open_fds{${own}}` }),
  ];
}

const DATASOURCE = { type: "prometheus", uid: "$" + "{datasource}" };
/** Grafana's grid is 24 wide. */
const SIZES = { stat: { w: 4, h: 4 }, timeseries: { w: 8, h: 8 } } as const;
const WIDTH = 24;

/** A dashboard for Grafana's import. */
export function dashboardFile(cluster: Pick<Cluster, "name">): string {
  const at = { x: 0, y: 0, height: 0 };
  const placed = panels(cluster).map((panel, index) => {
    const { w, h } = SIZES[panel.kind];
    if (at.x + w > WIDTH) Object.assign(at, { x: 0, y: at.y + at.height });
    const gridPos = { x: at.x, y: at.y, w, h };
    Object.assign(at, { x: at.x + w, height: h });
    return panelJson(panel, index + 1, gridPos);
  });
  const dashboard = {
    uid: `consul-cdktf-${cluster.name}`.slice(0, 40),
    title: `Consul ${cluster.name}`,
    tags: ["consul"],
    schemaVersion: SCHEMA_VERSION,
    editable: true,
    refresh: "30s",
    time: { from: "now-3h", to: "now" },
    templating: {
      list: [
        { name: "datasource", label: "Data source", type: "datasource", query: "prometheus" },
        {
          name: "agent",
          label: "Agent",
          type: "query",
          datasource: DATASOURCE,
          query: `label_values(up{cluster="${cluster.name}"}, agent)`,
          refresh: 2,
          includeAll: true,
          allValue: ".*",
          multi: true,
          current: { text: "All", value: "$__all" },
        },
      ],
    },
    panels: placed,
  };
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}

const panelJson = ({ title, unit, kind, queries }: Panel, id: number, gridPos: object): object => ({
  id,
  title,
  type: kind,
  datasource: DATASOURCE,
  gridPos,
  fieldConfig: { defaults: { unit }, overrides: [] },
  options: {},
  targets: Object.entries(queries).map(([legendFormat, expr], index) => ({
    refId: String.fromCharCode("A".charCodeAt(0) + index),
    datasource: DATASOURCE,
    expr,
    legendFormat,
  })),
});
