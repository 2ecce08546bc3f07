import type { ConsulConfig } from "../cluster/file/schema";
import type { AgentDescription, Cluster } from "../cluster/model";
import { BACKUPS_TOKEN, type Security } from "../cluster/resolve/security";
import { sortedByKey } from "./sort";

/** What acl.sh makes of a cluster's ACLs; the tokens' SecretIDs, and one token for each agent, are in the servers' secrets. */
export interface AclDefinitions {
  readonly datacenter: string;
  /** Rules by policy's name. */
  readonly policies: Readonly<Record<string, string>>;
  /** Policies by token's name. */
  readonly tokens: Readonly<Record<string, readonly string[]>>;
  /** The services that a node's agent registers because the file says so. */
  readonly services: Readonly<Record<string, readonly string[]>>;
}

const prefix = (resource: string, policy: "read" | "write", name = ""): string =>
  `${resource}_prefix ${JSON.stringify(name)} { policy = "${policy}" }`;

/** What the product's own tokens may do: no more than its scripts and commands ask for. */
const OWN_POLICIES: Readonly<Record<string, string>> = {
  // Questions, gates and steps in the servers' containers: raft, autopilot, who is a member, which services there are, the lock, the gossip keys.
  "rollout-server": [
    'operator = "write"',
    'keyring = "write"',
    prefix("agent", "write"),
    prefix("node", "read"),
    prefix("service", "read"),
    prefix("key", "write", "consul-cdktf/"),
  ].join("\n"),
  // The same in the clients': who is a member, turns, leaving. Not what the next deploy takes for its own, and may delete.
  "rollout-client": [
    prefix("agent", "write"),
    prefix("node", "read"),
    prefix("service", "read"),
    prefix("key", "write", "consul-cdktf/"),
    'key "consul-cdktf/definitions" { policy = "deny" }',
  ].join("\n"),
  // For whoever watches: the CLI in the containers, `npm run status`, monitoring.
  health: ['operator = "read"', prefix("agent", "read"), prefix("node", "read"), prefix("service", "read")].join("\n"),
  dns: [prefix("node", "read"), prefix("service", "read"), prefix("query", "read")].join("\n"),
};

/** For tokens that a cluster file may ask for by name alone. */
const KNOWN_POLICIES: Readonly<Record<string, string>> = {
  registrator: [prefix("agent", "read"), prefix("node", "read"), prefix("service", "write")].join("\n"),
};

/** Consul's own; a snapshot takes all of its rights (developer.hashicorp.com/consul/commands/snapshot/save). */
const MANAGEMENT = "global-management";

export function aclDefinitions(
  { datacenter, agents, backups }: Pick<Cluster, "datacenter" | "agents" | "backups">,
  { policies, tokens }: Security,
): AclDefinitions {
  const own = Object.fromEntries(
    Object.entries(tokens).map(([name, token]) => [
      name,
      token.policies.map((policy) => (policy === "snapshots" ? MANAGEMENT : policy)),
    ]),
  );
  const asked = new Set(Object.values(own).flat());
  const known = Object.entries(KNOWN_POLICIES).filter(([name]) => asked.has(name));
  return {
    datacenter,
    policies: sortedByKey({ ...OWN_POLICIES, ...Object.fromEntries(known), ...policies }),
    tokens: sortedByKey({
      ...Object.fromEntries(Object.keys(OWN_POLICIES).map((name) => [name, [name]])),
      ...(backups && { [BACKUPS_TOKEN]: [MANAGEMENT] }),
      ...own,
    }),
    services: sortedByKey(
      Object.fromEntries(
        agents.map((agent) => [agent.node, servicesOf(agent)] as const).filter(([, services]) => services.length > 0),
      ),
    ),
  };
}

function servicesOf({ settings: { config = {}, services: declared = [] } }: AgentDescription): string[] {
  const { service, services } = config;
  const configured = [service, ...(Array.isArray(services) ? services : [services])] as (ConsulConfig | undefined)[];
  return [
    ...new Set([...configured, ...declared].flatMap((one) => (typeof one?.name === "string" ? [one.name] : []))),
  ].sort();
}
