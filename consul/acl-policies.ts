import type { ConsulConfig } from "./config";
import { KV, KV_PREFIX } from "./contract";
import { sortedByKey } from "./sort";

/**
 * The policies and tokens that acl.sh creates. The SecretIDs, and a token for each agent, are in the servers' secrets.
 */
export interface AclDefinitions {
  readonly datacenter: string;
  /** Rules by policy name. */
  readonly policies: Readonly<Record<string, string>>;
  /** Policies by token name. */
  readonly tokens: Readonly<Record<string, readonly string[]>>;
  /** The services that a node's agent registers because the cluster file declares them. */
  readonly services: Readonly<Record<string, readonly string[]>>;
}

const prefix = (resource: string, policy: "read" | "write", name = ""): string =>
  `${resource}_prefix ${JSON.stringify(name)} { policy = "${policy}" }`;

/** Rules of the product's own tokens: only what its scripts and commands need. */
const OWN_POLICIES: Readonly<Record<string, string>> = {
  // Checks and steps in servers' containers: Raft, autopilot, members, services, the deploy lock, gossip keys.
  "rollout-server": [
    'operator = "write"',
    'keyring = "write"',
    prefix("agent", "write"),
    prefix("node", "read"),
    prefix("service", "read"),
    prefix("key", "write", KV_PREFIX),
  ].join("\n"),
  // Checks in client agents' containers: members, rollout slots, leaving. Not the note of objects that
  // the next deploy may delete.
  "rollout-client": [
    prefix("agent", "write"),
    prefix("node", "read"),
    prefix("service", "read"),
    prefix("key", "write", KV_PREFIX),
    `key "${KV.definitions}" { policy = "deny" }`,
  ].join("\n"),
  // The CLI in the containers, `npm run status`, monitoring.
  health: ['operator = "read"', prefix("agent", "read"), prefix("node", "read"), prefix("service", "read")].join("\n"),
  dns: [prefix("node", "read"), prefix("service", "read"), prefix("query", "read")].join("\n"),
};

/** Registrator's token, and its policy unless the cluster file names others. */
export const REGISTRATOR = "registrator";
/** The token of scheduled backups. It is not a token of the servers, so that it can be replaced alone. */
export const BACKUPS_TOKEN = "backups";
/** The token of a program that scrapes metrics, and its policy. Agents never use it. */
export const METRICS_TOKEN = "metrics";
/**
 * Consul checks `agent:read` of an agent's own name for its metrics, and has no smaller right (AgentMetrics in
 * agent/agent_endpoint.go, hashicorp/consul).
 */
const METRICS_RULES = prefix("agent", "read");
/** A policy of the cluster file for tokens that take snapshots. */
const SNAPSHOTS = "snapshots";
/** Consul's own policy. A snapshot needs all of its rights (developer.hashicorp.com/consul/commands/snapshot/save). */
const MANAGEMENT = "global-management";

/** Rules of policies that a token of the cluster file may have by name alone. */
const KNOWN_RULES: Readonly<Record<string, string>> = {
  [REGISTRATOR]: [prefix("agent", "read"), prefix("node", "read"), prefix("service", "write")].join("\n"),
};
/** Policies that a token may have without rules in the cluster file. */
export const KNOWN_POLICIES: readonly string[] = [REGISTRATOR, SNAPSHOTS, MANAGEMENT];

/** Tokens of every secured cluster, and the purpose of each. */
export const BUILT_IN_TOKENS: Readonly<Record<string, string>> = {
  management: "everything: policies, tokens, snapshots",
  "rollout-server": "a deploy's requests to servers",
  "rollout-client": "a deploy's requests to client agents",
  health: "monitoring of nodes and services",
  dns: "DNS queries to agents",
};
/** Names that no token of a cluster file may have: `npm run secrets -- show` prints built-in secrets by these names. */
export const RESERVED_TOKENS: readonly string[] = [...Object.keys(BUILT_IN_TOKENS), "gossip"];

export interface AclProps {
  readonly datacenter: string;
  readonly agents: readonly {
    /** Consul's node name. */
    readonly node: string;
    readonly config?: ConsulConfig;
    readonly services?: readonly { readonly name?: string }[];
  }[];
  /** The cluster file's own policies: rules by name. */
  readonly policies: Readonly<Record<string, string>>;
  /** The cluster file's own tokens, by name. */
  readonly tokens: Readonly<Record<string, { readonly policies: readonly string[] }>>;
  /** Whether the cluster has scheduled backups, which need a token. */
  readonly backups: boolean;
  /** Whether its agents' metrics are scraped, which needs a token. */
  readonly metrics: boolean;
}

export function aclDefinitions({ datacenter, agents, policies, tokens, backups, metrics }: AclProps): AclDefinitions {
  const own = Object.fromEntries(
    Object.entries(tokens).map(([name, token]) => [
      name,
      token.policies.map((policy) => (policy === SNAPSHOTS ? MANAGEMENT : policy)),
    ]),
  );
  const used = new Set(Object.values(own).flat());
  const known = Object.entries(KNOWN_RULES).filter(([name]) => used.has(name));
  const builtIn = Object.keys(OWN_POLICIES).map((name): [string, string[]] => [name, [name]]);
  if (backups) builtIn.push([BACKUPS_TOKEN, [MANAGEMENT]]);
  if (metrics) builtIn.push([METRICS_TOKEN, [METRICS_TOKEN]]);
  const services = agents
    .map((agent): [string, string[]] => [agent.node, serviceNames(agent)])
    .filter(([, names]) => names.length > 0);
  return {
    datacenter,
    policies: sortedByKey({
      ...OWN_POLICIES,
      ...(metrics ? { [METRICS_TOKEN]: METRICS_RULES } : {}),
      ...Object.fromEntries(known),
      ...policies,
    }),
    tokens: sortedByKey({ ...Object.fromEntries(builtIn), ...own }),
    services: sortedByKey(Object.fromEntries(services)),
  };
}

/** The services of an agent's configuration, and those that are declared on it. */
function serviceNames({ config = {}, services: declared = [] }: AclProps["agents"][number]): string[] {
  const { service, services } = config;
  const configured = [service, ...(Array.isArray(services) ? services : [services])] as (ConsulConfig | undefined)[];
  const names = [...configured, ...declared].flatMap((entry) => (typeof entry?.name === "string" ? [entry.name] : []));
  return [...new Set(names)].sort();
}
