import type { ConsulConfig, Dns, Settings } from "../cluster/file/schema";
import { mergeConfig } from "../cluster/resolve/resolve";
import { runsPrograms } from "../cluster/validate/consul-settings";
import { type AgentSecurity, HEALTH_TOKEN, secretFlags, securityConfig } from "../constructs/agent-security";
import { defined, effectivePorts, type Role } from "./ports";
import { sorted } from "./sort";

export interface AgentCommandProps extends Settings {
  readonly role: Role;
  readonly node: string;
  /** Address to bind to; undefined leaves it to Consul. */
  readonly bind?: string;
  /** Addresses of HTTP and DNS. */
  readonly client: string;
  readonly bootstrapExpect?: number;
  /** As Consul takes them: `address`, or `address:port`. */
  readonly retryJoin: readonly string[];
  readonly security?: AgentSecurity;
  /** The agent's IP address, as others reach it; undefined when only Consul knows it. */
  readonly address?: string;
}

/** Where an agent finds the services and checks that it has been given: on a volume, so that its next container finds them too. */
export const DECLARED = "/consul/declared";

/**
 * What the container runs. What the article shows as flags are flags here, in its order, so that `docker inspect` reads like it; everything
 * else is in one file, by `agentConfig`. The image's entrypoint adds -data-dir and -config-dir.
 */
export function agentCommand(props: AgentCommandProps): string[] {
  return [
    "agent",
    ...(props.role === "server" ? ["-server"] : []),
    ...(props.bind === undefined ? [] : [`-bind=${props.bind}`]),
    ...(props.advertise === undefined ? [] : [`-advertise=${props.advertise}`]),
    ...props.retryJoin.map((address) => `-retry-join=${address}`),
    ...(props.role === "client" || props.bootstrapExpect === undefined
      ? []
      : [`-bootstrap-expect=${props.bootstrapExpect}`]),
    `-node=${props.node}`,
    `-client=${props.client}`,
    ...((props.ui ?? true) ? ["-ui"] : []),
    `-config-dir=${DECLARED}`,
    ...(props.security ? secretFlags(props.role, props.security) : []),
    ...(props.flags ?? []),
  ];
}

export interface AgentConfigProps extends AgentCommandProps {
  readonly datacenter: string;
}

/** The agent's configuration file. */
export const agentConfig = (props: AgentConfigProps): string =>
  `${JSON.stringify(sorted(configured(props)), null, 2)}\n`;

/** The same with what the command says, for `consul validate`, which takes files alone; what is in secret files is not needed to be valid. */
export function wholeConfig(props: AgentConfigProps): string {
  const { role, node, bind, advertise, client, bootstrapExpect } = props;
  const flags = {
    data_dir: "/consul/data",
    node_name: node,
    ...(bind !== undefined && { bind_addr: bind }),
    ...(advertise !== undefined && { advertise_addr: advertise }),
    client_addr: client,
    ...(role === "server" && {
      server: true,
      ...(bootstrapExpect !== undefined && { bootstrap_expect: bootstrapExpect }),
    }),
    enable_local_script_checks: runsPrograms(props),
  };
  return JSON.stringify(sorted(mergeConfig(configured(props), flags)));
}

function configured(props: AgentConfigProps): ConsulConfig {
  const ports = defined(props.ports ?? {}) as ConsulConfig;
  const config: ConsulConfig = {
    datacenter: props.datacenter,
    // Nobody's cluster should call home unasked.
    disable_update_check: true,
    // A container that is replaced comes back: its services stay registered, and its vote counts.
    leave_on_terminate: false,
    // With the default of 30 s, agents that start together wait 30 s for their leader (measured).
    retry_interval: "2s",
    // The default of 5 is for small machines; 1 is upstream's advice for production: a lost leader costs 1 to 3 s, not 5 to 15.
    ...(props.role === "server" && { performance: { raft_multiplier: 1 } }),
    // Below this many servers autopilot removes none that is down: one that is being replaced keeps its vote.
    ...(props.bootstrapExpect !== undefined &&
      props.role === "server" && { autopilot: { min_quorum: props.bootstrapExpect } }),
    ...(Object.keys(ports).length > 0 && { ports }),
    ...dnsConfig(props.dns),
  };
  const secured = props.security
    ? mergeConfig(config, securityConfig(props.role, props.security, props.address))
    : config;
  return mergeConfig(secured, props.config ?? {});
}

/** DNS by the agent configuration's names: what the file has in one mapping is in two places there. */
function dnsConfig({ recursors, ...settings }: Dns = {}): ConsulConfig {
  const dns_config = defined(settings) as ConsulConfig;
  return { ...(recursors && { recursors }), ...(Object.keys(dns_config).length > 0 && { dns_config }) };
}

const DEFAULT_HTTP = "http://127.0.0.1:8500";

/** Whether an agent listens on a port below 1024. */
export const listensOnPrivileged = ({ role, ports }: Pick<AgentCommandProps, "role" | "ports">): boolean =>
  Object.values(effectivePorts(role, ports)).some((port) => port > 0 && port < 1024);

/** Variables of the container; undefined where none is needed. */
export function agentEnvironment(
  props: Pick<AgentCommandProps, "role" | "ports" | "security"> & { readonly http: string },
): string[] | undefined {
  const { http, security } = props;
  const variables = [
    // Privileged ports need a capability, which the image's entrypoint grants when this is set.
    ...(listensOnPrivileged(props) ? ["CONSUL_ALLOW_PRIVILEGED_PORTS=1"] : []),
    // For `docker exec ... consul`, and for scripts of a later configuration, which may find the API elsewhere.
    ...(http === DEFAULT_HTTP ? [] : [`CONSUL_HTTP_ADDR=${http}`]),
    // Whoever gets in by `docker exec` may look.
    ...(security ? [`CONSUL_HTTP_TOKEN_FILE=${HEALTH_TOKEN}`] : []),
  ];
  return variables.length > 0 ? variables : undefined;
}
