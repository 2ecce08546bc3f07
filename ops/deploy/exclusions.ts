import type { Cluster } from "../../cluster/model";
import { stackName } from "../../consul/contract";

/** What a deploy skips, because hosts are unreachable or were excluded by `--without`. */
export interface Exclusions {
  /** Stacks of which all hosts are skipped: these hosts. */
  readonly skippedStacks: ReadonlyMap<string, readonly string[]>;
  /** Stacks of which some hosts are excluded, and no other host is unreachable: the excluded hosts. */
  readonly skippedHosts: ReadonlyMap<string, readonly string[]>;
  /** Stacks of which some hosts are unreachable: these hosts. They have to be excluded before the stack can be deployed. */
  readonly blockedStacks: ReadonlyMap<string, readonly string[]>;
  /** Hosts of skipped stacks that are unreachable, and were not excluded. */
  readonly unreachableHosts: readonly string[];
}

/**
 * @param names of the stacks to deploy
 * @param unreachable hosts that are unreachable
 * @param without hosts to exclude
 */
export function exclusionsOf(
  cluster: Cluster,
  names: readonly string[],
  unreachable: ReadonlySet<string>,
  without: readonly string[],
): Exclusions {
  const skippedStacks = new Map<string, string[]>();
  const skippedHosts = new Map<string, string[]>();
  const blockedStacks = new Map<string, string[]>();
  const unreachableHosts: string[] = [];
  for (const name of names) {
    const all = cluster.hosts.filter(({ group }) => stackName(cluster.name, group) === name).map((host) => host.name);
    const excluded = all.filter((host) => without.includes(host));
    const silent = all.filter((host) => unreachable.has(host) && !excluded.includes(host));
    if (excluded.length + silent.length === 0) continue;
    if (excluded.length + silent.length === all.length) {
      skippedStacks.set(name, all);
      unreachableHosts.push(...silent);
    } else if (silent.length > 0) blockedStacks.set(name, silent);
    else skippedHosts.set(name, excluded);
  }
  return { skippedStacks, skippedHosts, blockedStacks, unreachableHosts };
}
