import { stackName } from "../../consul/contract";
import type { Cluster, HostDescription, StackDescription } from "../model";

/** Names of a cluster's stacks, its own first. */
export const stackNames = (cluster: string, hosts: readonly HostDescription[]): string[] => [
  ...new Set([cluster, ...hosts.map(({ group }) => stackName(cluster, group))]),
];

/**
 * A cluster's stacks, its own first. Stacks with servers come before the last step, which is in the cluster's own
 * stack, and clients after it.
 */
export function stacksOf({ name: own, hosts, agents }: Pick<Cluster, "name" | "hosts" | "agents">): StackDescription[] {
  const names = stackNames(own, hosts);
  const withServers = new Set(
    agents.flatMap(({ role, host }) => (role === "server" ? [stackName(own, host.group)] : [])),
  );
  const before = names.filter((name) => name !== own && withServers.has(name));
  return names.map((name) => ({ name, dependencies: name === own ? before : before.includes(name) ? [] : [own] }));
}
