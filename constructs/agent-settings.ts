import type { Settings } from "../cluster/file/schema";
import type { DnsSettings } from "../consul/agent-config";
import type { PortName } from "../consul/ports";
import type {
  AgentDns,
  AgentPorts,
  ConsulAgentProps,
  ContainerLog,
  ContainerResources,
  PublishedPorts,
} from "./agent-props";
import { renamed } from "./prop-names";

/** An agent's props that are no values. */
export const NO_VALUES = ["host", "join", "fileSettings", "cluster"] as const satisfies (keyof ConsulAgentProps)[];
type Value = Exclude<keyof ConsulAgentProps, (typeof NO_VALUES)[number]>;

/** Names of settings in a cluster file, by the props' names. */
export const SETTINGS = {
  image: "image",
  bindAddr: "bind_addr",
  advertiseAddr: "advertise_addr",
  clientAddr: "client_addr",
  ports: "ports",
  publish: "publish",
  ui: "ui",
  restart: "restart",
  log: "log",
  resources: "resources",
  dns: "dns",
  readyTimeout: "ready_timeout",
  labels: "labels",
  config: "config",
  flags: "flags",
  services: "services",
  checks: "checks",
} as const satisfies { readonly [Name in Value]?: keyof Settings };
/** Values that are no settings of a cluster file. */
export type OtherValue = Exclude<Value, keyof typeof SETTINGS>;

const PUBLISHED = {
  dns: "dns",
  http: "http",
  https: "https",
  grpc: "grpc",
  grpcTls: "grpc_tls",
} as const satisfies Record<keyof PublishedPorts, PortName>;

const PORTS = {
  ...PUBLISHED,
  serfLan: "serf_lan",
  serfWan: "serf_wan",
  server: "server",
} as const satisfies Record<keyof AgentPorts, PortName>;

const DNS = {
  recursors: "recursors",
  allowStale: "allow_stale",
  maxStale: "max_stale",
  nodeTtl: "node_ttl",
  serviceTtl: "service_ttl",
  onlyPassing: "only_passing",
  enableTruncate: "enable_truncate",
} as const satisfies Record<keyof AgentDns, keyof DnsSettings>;

const LOG = { driver: "driver", options: "options" } as const satisfies Record<keyof ContainerLog, string>;

const RESOURCES = {
  memory: "memory",
  cpus: "cpus",
  cpuset: "cpuset",
} as const satisfies Record<keyof ContainerResources, string>;

/** Settings that have names of their own. */
export const NESTED = { ports: PORTS, publish: PUBLISHED, dns: DNS, log: LOG, resources: RESOURCES } as const;

/** An agent's settings, as a cluster file has them. */
export function settingsOf(props: ConsulAgentProps): Settings {
  if (props.fileSettings) return props.fileSettings;
  const settings = renamed(props, SETTINGS);
  for (const [name, values] of nested(props)) settings[name] = renamed(values, NESTED[name]);
  return settings as Settings;
}

/** The settings that have names of their own and are given. */
export function nested(props: ConsulAgentProps): [keyof typeof NESTED, object][] {
  return (Object.keys(NESTED) as (keyof typeof NESTED)[]).flatMap((name) => {
    const values: unknown = props[name];
    return typeof values === "object" && values !== null ? [[name, values]] : [];
  });
}
