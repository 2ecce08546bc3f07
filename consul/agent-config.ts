import { type ConsulConfig, defined, isMapping, mergeConfig, runsScriptChecks } from "./config";
import { CONTAINER_VARIABLES, PATHS } from "./contract";
import type { EffectivePorts, Ports, Role } from "./ports";
import { SECRET_FILES } from "./secrets";
import { type Stage, secretFlags, securityConfig } from "./security";
import { sorted } from "./sort";

export interface AgentCommandProps {
  readonly role: Role;
  /** Consul's node name. */
  readonly node: string;
  /** The address to bind to. @default Consul chooses it */
  readonly bind?: string;
  /** The address that the agent tells others. @default the bind address */
  readonly advertise?: string;
  /** Addresses of HTTP and DNS, separated by spaces. */
  readonly client: string;
  /** How many servers the first bootstrap waits for. @default none: the agent never bootstraps a cluster */
  readonly bootstrapExpect?: number;
  /** Agents to join, as Consul takes them: `address`, or `address:port`. */
  readonly retryJoin: readonly string[];
  /** Whether the agent serves the web UI. */
  readonly ui: boolean;
  /** Further flags of `consul agent`, which come last. */
  readonly flags: readonly string[];
  /** How far security is enforced. */
  readonly stage: Stage;
}

/** DNS by Consul's names. In an agent's configuration `recursors` is not in `dns_config`. */
export interface DnsSettings {
  readonly recursors?: string[];
  readonly allow_stale?: boolean;
  readonly max_stale?: string;
  readonly node_ttl?: string;
  readonly service_ttl?: Record<string, string>;
  readonly only_passing?: boolean;
  readonly enable_truncate?: boolean;
}

export interface AgentConfigProps extends AgentCommandProps {
  readonly datacenter: string;
  /** The ports that the configuration states. The others are Consul's defaults. */
  readonly ports: Ports;
  readonly dns: DnsSettings;
  /** Any configuration keys, merged last. */
  readonly config: ConsulConfig;
  /** The agent's IP address, as others reach it. @default only Consul knows it */
  readonly address?: string;
  /** Whether the agent exports its metrics for Prometheus. */
  readonly metrics?: boolean;
  /** The addresses of HTTPS. @default those of the client */
  readonly httpsAddresses?: readonly string[];
}

/**
 * What the container runs. The article's flags are flags here too, in its order, so `docker inspect` shows the article's
 * command. Everything else is in one file, see `agentConfig`. The image's entrypoint adds -data-dir and -config-dir.
 */
export function agentCommand(props: AgentCommandProps): string[] {
  const { role, bind, advertise, bootstrapExpect, stage } = props;
  const words = ["agent"];
  if (role === "server") words.push("-server");
  if (bind !== undefined) words.push(`-bind=${bind}`);
  if (advertise !== undefined) words.push(`-advertise=${advertise}`);
  words.push(...props.retryJoin.map((address) => `-retry-join=${address}`));
  if (role === "server" && bootstrapExpect !== undefined) words.push(`-bootstrap-expect=${bootstrapExpect}`);
  words.push(`-node=${props.node}`, `-client=${props.client}`);
  if (props.ui) words.push("-ui");
  words.push(`-config-dir=${PATHS.declared}`);
  if (stage !== "off") words.push(...secretFlags(role, stage));
  return [...words, ...props.flags];
}

/**
 * An agent forgets a metric that it has not updated for this time. It has to be longer than the hour after which Consul
 * looks at its certificates again (certExpirationMonitorInterval in agent/consul/leader_metrics.go).
 */
const METRICS = {
  prometheus_retention_time: "2h",
  // A scrape has labels for the agent. A host's name in a metric's name would give each agent metrics of its own.
  disable_hostname: true,
};

/** The agent's configuration file. */
export const agentConfig = (props: AgentConfigProps): string =>
  `${JSON.stringify(sorted(configured(props)), null, 2)}\n`;

/**
 * The agent's configuration file with the command's flags as keys, because `consul validate` takes files only. Secret
 * files are not included: a configuration is valid without them.
 */
export function wholeConfig(props: AgentConfigProps): ConsulConfig {
  const { role, node, bind, advertise, client, bootstrapExpect } = props;
  const flags: ConsulConfig = {
    data_dir: PATHS.data,
    node_name: node,
    client_addr: client,
    enable_local_script_checks: runsScriptChecks(props),
  };
  if (bind !== undefined) flags.bind_addr = bind;
  if (advertise !== undefined) flags.advertise_addr = advertise;
  if (role === "server") {
    flags.server = true;
    if (bootstrapExpect !== undefined) flags.bootstrap_expect = bootstrapExpect;
  }
  return sorted(mergeConfig(configured(props), flags));
}

function configured(props: AgentConfigProps): ConsulConfig {
  const { role, stage, bootstrapExpect } = props;
  const ports = defined(props.ports) as ConsulConfig;
  const config: ConsulConfig = {
    datacenter: props.datacenter,
    // An agent should not call HashiCorp's servers unless its owner wants that.
    disable_update_check: true,
    // A replaced container comes back: its services stay registered, and its vote counts.
    leave_on_terminate: false,
    // With the default of 30 s, agents that start together wait 30 s for their leader (measured).
    retry_interval: "2s",
    ...dnsConfig(props.dns),
  };
  if (role === "server") {
    // The default of 5 is for small machines. Upstream advises 1 for production: the loss of a leader then costs 1 to 3 s
    // without writes, not 5 to 15 s.
    config.performance = { raft_multiplier: 1 };
    // With this many servers or fewer, autopilot removes no failed server, so a server that is being replaced keeps its vote.
    if (bootstrapExpect !== undefined) config.autopilot = { min_quorum: bootstrapExpect };
  }
  if (Object.keys(ports).length > 0) config.ports = ports;
  if (props.metrics) config.telemetry = METRICS;
  if (props.httpsAddresses) config.addresses = { https: props.httpsAddresses.join(" ") };
  const secured = stage === "off" ? config : mergeConfig(config, securityConfig(role, stage, props.address));
  return mergeConfig(secured, props.config);
}

function dnsConfig({ recursors, ...settings }: DnsSettings): ConsulConfig {
  const config: ConsulConfig = {};
  const dns = defined(settings) as ConsulConfig;
  if (recursors) config.recursors = recursors;
  if (Object.keys(dns).length > 0) config.dns_config = dns;
  return config;
}

/** Where an agent's UI is, below the address of its API. Consul adds the slashes that are missing. */
export function uiPath({
  config,
  flags,
}: {
  readonly config: ConsulConfig;
  readonly flags: readonly string[];
}): string {
  const { ui_config: section, ui_content_path: former } = config;
  const own = isMapping(section) ? section.content_path : undefined;
  const byFlag = flags.flatMap((flag) => /^--?ui-content-path=(.*)$/.exec(flag)?.slice(1) ?? []).at(-1);
  const path = String(byFlag ?? own ?? former ?? "ui").replace(/^\/+|\/+$/g, "");
  return path === "" ? "/" : `/${path}`;
}

/** The API's address that the CLI and the container's scripts assume. */
export const DEFAULT_HTTP_URL = "http://127.0.0.1:8500";

/** Whether an agent listens on a port below 1024. */
export const listensOnPrivileged = (ports: EffectivePorts): boolean =>
  Object.values(ports).some((port) => port > 0 && port < 1024);

/**
 * Environment variables of the agent's container; undefined if none is needed.
 * @param http the API's URL from inside the container
 */
export function agentEnvironment({
  ports,
  stage,
  http,
}: {
  readonly ports: EffectivePorts;
  readonly stage: Stage;
  readonly http: string;
}): string[] | undefined {
  const variables: string[] = [];
  // Ports below 1024 need a capability, which the image's entrypoint grants if this is set.
  if (listensOnPrivileged(ports)) variables.push(`${CONTAINER_VARIABLES.privilegedPorts}=1`);
  // For `docker exec ... consul`, and for scripts of a later configuration, whose API may have another address.
  if (http !== DEFAULT_HTTP_URL) variables.push(`${CONTAINER_VARIABLES.httpAddress}=${http}`);
  // Users of `docker exec` may read the cluster's health.
  if (stage !== "off") variables.push(`${CONTAINER_VARIABLES.tokenFile}=${PATHS.secrets}/${SECRET_FILES.healthToken}`);
  return variables.length > 0 ? variables : undefined;
}
