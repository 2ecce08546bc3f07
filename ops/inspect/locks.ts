import type { AgentDescription } from "../../cluster/model";
import { KV } from "../../consul/contract";
import { type InspectedAgent, notReady } from "./inspected-agent";
import type { AgentProbe } from "./probe";

/** The deploy lock, or a client agent's rollout slot: see rollout/lock.ts and slots.ts. */
export interface LockEntry {
  readonly key: string;
  /** The agent that is being replaced. */
  readonly owner: string;
  /** Consul's ModifyIndex. */
  readonly index: number;
}

/** The locks and slots that an agent's view of the KV store has. */
export const locksOf = (view: AgentProbe | undefined): LockEntry[] =>
  (view?.locks ?? []).flatMap(({ Key: key, Value, ModifyIndex: index }): LockEntry[] => {
    const clientAgent = key.startsWith(KV.slots) ? key.slice(KV.slots.length) : undefined;
    if (clientAgent === undefined && key !== KV.lock) return [];
    return [{ key, owner: clientAgent ?? Buffer.from(Value ?? "", "base64").toString(), index }];
  });

/**
 * Why a lock is stale; undefined while its owner may need it. A ready owner may be about to stop, so callers check twice, and make sure that no deploy
 * runs.
 */
export function whyStale(
  { owner }: LockEntry,
  inspected: readonly InspectedAgent[],
  agents: readonly AgentDescription[],
): string | undefined {
  const holder = inspected.find(({ agent }) => agent.name === owner);
  // An agent to be decommissioned, or on an unreachable host, is not inspected: its deploy has yet to finish.
  if (!holder) return agents.some(({ name }) => name === owner) ? undefined : `the file has no ${owner}`;
  return holder.container?.State.Running && notReady(holder) === undefined ? `${owner} is ready` : undefined;
}
