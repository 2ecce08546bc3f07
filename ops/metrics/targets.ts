import type { AgentDescription, Cluster } from "../../cluster/model";
import { bracketed, isLoopback, isTemplate, isWildcard } from "../../consul/address";
import { LOOPBACK, type Role } from "../../consul/ports";

/** One agent, as Prometheus' static configuration, its file_sd and its http_sd have it. */
export interface Target {
  readonly targets: readonly [string];
  readonly labels: Readonly<Record<"agent" | "cluster" | "datacenter" | "host" | "role", string>>;
}

/** Agents that are scraped in one way. */
export interface Job {
  readonly name: string;
  readonly role: Role;
  readonly scheme: "http" | "https";
  readonly targets: readonly Target[];
}

/** Servers and client agents have certificates of different CAs, and while security is turned on, different schemes. */
export function jobsOf(cluster: Cluster): Job[] {
  const agents = cluster.agents.filter(({ decommission }) => !decommission);
  return (["server", "client"] as const).flatMap((role) => {
    const name = `consul-${cluster.name}-${role}s`;
    const own = agents.filter((agent) => agent.role === role);
    const both = new Set(own.map(schemeOf)).size > 1;
    return (["https", "http"] as const).flatMap((scheme): Job[] => {
      const targets = own.filter((agent) => schemeOf(agent) === scheme).map((agent) => target(cluster, agent));
      // Prometheus rejects two jobs of one name.
      return targets.length === 0 ? [] : [{ name: both ? `${name}-${scheme}` : name, role, scheme, targets }];
    });
  });
}

const schemeOf = ({ ports }: AgentDescription): Job["scheme"] => (ports.https > 0 ? "https" : "http");

const target = (cluster: Cluster, agent: AgentDescription): Target => ({
  targets: [address(cluster, agent)],
  labels: {
    agent: agent.name,
    cluster: cluster.name,
    datacenter: cluster.datacenter,
    host: agent.host.name,
    role: agent.role,
  },
});

/** Where another machine scrapes an agent. */
function address({ network }: Cluster, agent: AgentDescription): string {
  const { host, ports, publish, container, clientAddresses } = agent;
  const scheme = schemeOf(agent);
  if (network === "bridge") {
    const port = publish[scheme];
    return port === undefined ? `${container}:${ports[scheme]}` : `${bracketed(host.address)}:${port}`;
  }
  const open = clientAddresses.filter((each) => !isTemplate(each) && !isLoopback(each));
  const atHost = scheme === "https" || open.some((each) => isWildcard(each) || each === host.address);
  return `${bracketed(atHost ? host.address : (open[0] ?? LOOPBACK))}:${ports[scheme]}`;
}
