import { KV } from "../consul/contract";
import { untilChange } from "./blocking";
import type { Clock } from "./clock";
import { answerTo, type ConsulApi } from "./consul-api";
import { entriesPath, kvEntries } from "./queries";

/**
 * Rollout slots: which client agents are being replaced. Each has an entry of its own in the KV store, and as many of
 * the earliest as may be replaced at a time hold a slot. A pre-stop check acquires it, and the readiness check of the
 * new container releases it: a change that breaks client agents stops at the first.
 */
const SLOTS = `/v1/kv/${KV.slots}`;

export interface Slots {
  /** Of entries, the earliest first. */
  readonly owners: readonly string[];
  /** Of the answer, for a blocking query; 0 if it had none. */
  readonly index: number;
}

/** @returns undefined when the cluster does not say */
export async function slots(api: ConsulApi): Promise<Slots | undefined> {
  const found = await kvEntries(api, KV.slots);
  if (!found) return undefined;
  const earliest = [...found.entries].sort((a, b) => a.CreateIndex - b.CreateIndex);
  return { owners: earliest.map(({ Key }) => Key.slice(KV.slots.length)), index: found.index };
}

/** Waits until another slot may be free, but no longer than about a second. */
export const untilSlotsChange = (index: number, api: ConsulApi, clock: Clock): Promise<void> =>
  untilChange(entriesPath(KV.slots), index, api, clock);

export type SlotResult =
  | { readonly kind: "acquired"; readonly others: number }
  /** Who holds the slots, for a message, and as of when. */
  | { readonly kind: "busy"; readonly others: readonly string[]; readonly index: number }
  | { readonly kind: "refused" }
  | { readonly kind: "unknown" };

/**
 * @param node the agent's node name, which the entry holds
 * @param limit how many client agents may be replaced at a time
 */
export async function acquireSlot(api: ConsulApi, owner: string, node: string, limit: number): Promise<SlotResult> {
  const before = await slots(api);
  if (!before) return { kind: "unknown" };
  const others = before.owners.filter((other) => other !== owner);
  if (others.length >= limit) return { kind: "busy", others, index: before.index };
  if (!before.owners.includes(owner))
    await answerTo(api, { method: "PUT", path: `${SLOTS}${owner}?cas=0`, body: node });
  // Two may have come at once: the earlier entries count.
  const after = await slots(api);
  if (!after) return { kind: "unknown" };
  if (!after.owners.includes(owner)) return { kind: "refused" };
  const ahead = after.owners.slice(0, after.owners.indexOf(owner));
  if (ahead.length < limit) return { kind: "acquired", others: after.owners.length - 1 };
  await releaseSlot(api, owner);
  return { kind: "busy", others: ahead, index: after.index };
}

/** @returns whether the entry is gone; false when the cluster does not say */
export async function releaseSlot(api: ConsulApi, owner: string): Promise<boolean> {
  const answer = await answerTo(api, { method: "DELETE", path: `${SLOTS}${owner}` });
  return answer?.status === 200;
}
