import type { AgentDescription, Cluster } from "../../cluster/model";
import { KV } from "../../consul/contract";
import { type Holder, holderOf } from "../../rollout/holder";
import { type InspectedAgent, notReady } from "./inspected-agent";
import type { AgentProbe } from "./probe";

/** The deploy lock, or a client agent's rollout slot: see rollout/lock.ts and slots.ts. */
export interface LockEntry extends Holder {
  readonly key: string;
  /** Consul's ModifyIndex. */
  readonly index: number;
}

/** The locks and slots that an agent's view of the KV store has. */
export const locksOf = (view: AgentProbe | undefined): LockEntry[] =>
  (view?.locks ?? []).flatMap(({ Key: key, Value, ModifyIndex: index, Flags }): LockEntry[] => {
    const clientAgent = key.startsWith(KV.slots) ? key.slice(KV.slots.length) : undefined;
    if (clientAgent === undefined && key !== KV.lock) return [];
    const owner = clientAgent ?? Buffer.from(Value ?? "", "base64").toString();
    return [{ key, index, ...holderOf(owner, Flags) }];
  });

/**
 * Why a lock is stale; undefined while its owner may need it. A ready owner may be about to stop, so callers check twice, and make sure that no deploy
 * runs. A maintenance ends by `maintain --end` alone: its agent is ready before its host goes down, and after.
 */
export function whyStale(
  { owner, maintenance }: LockEntry,
  inspected: readonly InspectedAgent[],
  agents: readonly AgentDescription[],
): string | undefined {
  const holder = inspected.find(({ agent }) => agent.name === owner);
  // An agent to be decommissioned, or on an unreachable host, is not inspected: its deploy has yet to finish.
  if (!holder) return agents.some(({ name }) => name === owner) ? undefined : `the file has no ${owner}`;
  if (maintenance !== undefined) return undefined;
  return holder.container?.State.Running && notReady(holder) === undefined ? `${owner} is ready` : undefined;
}

/** Hosts in maintenance, by name, with since when: in seconds since 1970. */
export function maintainedHosts({ agents }: Cluster, locks: readonly LockEntry[]): ReadonlyMap<string, number> {
  const since = new Map<string, number>();
  for (const { owner, maintenance } of locks) {
    const host = agents.find(({ name }) => name === owner)?.host.name;
    if (host === undefined || maintenance === undefined) continue;
    since.set(host, Math.min(maintenance, since.get(host) ?? maintenance));
  }
  return since;
}
