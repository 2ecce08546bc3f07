import type { Cluster } from "../../cluster/model";
import { stackName } from "../../consul/contract";

/** What of some stacks can be done although hosts are left out or do not answer. */
export interface Exclusions {
  /** Stacks all of whose hosts are left out or do not answer: these hosts. */
  readonly stacks: ReadonlyMap<string, readonly string[]>;
  /** Stacks some of whose hosts are left out on demand: these hosts. */
  readonly hosts: ReadonlyMap<string, readonly string[]>;
  /** Stacks some of whose hosts do not answer: these hosts. Nothing can be done there before they are left out on demand. */
  readonly blocked: ReadonlyMap<string, readonly string[]>;
  /** Hosts that were to be done, and do not answer. */
  readonly missed: readonly string[];
}

/**
 * @param dead hosts that do not answer
 * @param without hosts to leave out on demand
 */
export function around(
  cluster: Cluster,
  names: readonly string[],
  dead: ReadonlySet<string>,
  without: readonly string[],
): Exclusions {
  const stacks = new Map<string, string[]>();
  const hosts = new Map<string, string[]>();
  const blocked = new Map<string, string[]>();
  const missed: string[] = [];
  for (const name of names) {
    const all = cluster.hosts.filter(({ group }) => stackName(cluster.name, group) === name).map((host) => host.name);
    const asked = all.filter((host) => without.includes(host));
    const silent = all.filter((host) => dead.has(host) && !asked.includes(host));
    if (asked.length + silent.length === 0) continue;
    if (asked.length + silent.length === all.length) {
      stacks.set(name, all);
      missed.push(...silent);
    } else if (silent.length > 0) blocked.set(name, silent);
    else hosts.set(name, asked);
  }
  return { stacks, hosts, blocked, missed };
}
