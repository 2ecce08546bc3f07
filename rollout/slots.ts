import { KV } from "../consul/contract";
import { untilChange } from "./blocking";
import type { Clock } from "./clock";
import { answerTo, type ConsulApi } from "./consul-api";
import { acquiring, type Holder, holderOf, isSame } from "./holder";
import { entriesPath, type KvEntry, kvEntries } from "./queries";

/**
 * Rollout slots: which client agents are being replaced. Each has an entry of its own in the KV store, and as many of
 * the earliest as may be replaced at a time hold a slot. A pre-stop check acquires it, and the readiness check of the
 * new container releases it: a change that breaks client agents stops at the first. The maintenance of a client agent's
 * host holds one too.
 */
const SLOTS = `/v1/kv/${KV.slots}`;

export interface Slots {
  /** Of entries, the earliest first. */
  readonly holders: readonly Holder[];
  /** Of the answer, for a blocking query; 0 if it had none. */
  readonly index: number;
}

/** @returns undefined when the cluster does not say */
export async function slots(api: ConsulApi): Promise<Slots | undefined> {
  const found = await kvEntries(api, KV.slots);
  if (!found) return undefined;
  const earliest = [...found.entries].sort((a, b) => a.CreateIndex - b.CreateIndex);
  return { holders: earliest.map(holderOfSlot), index: found.index };
}

const holderOfSlot = ({ Key, Flags }: KvEntry): Holder => holderOf(Key.slice(KV.slots.length), Flags);

/** Waits until another slot may be free, but no longer than about a second. */
export const untilSlotsChange = (index: number, api: ConsulApi, clock: Clock): Promise<void> =>
  untilChange(entriesPath(KV.slots), index, api, clock);

export type SlotResult =
  /** How many others hold a slot. */
  | { readonly kind: "acquired"; readonly others: number }
  /** Who holds the slots, for a message, and as of when. */
  | { readonly kind: "busy"; readonly others: readonly Holder[]; readonly index: number }
  | { readonly kind: "refused" }
  | { readonly kind: "unknown" };

/**
 * @param node the agent's node name, which the entry holds
 * @param limit how many client agents may be replaced at a time
 * @param begin is called if the holder has none, before it is acquired
 */
export async function acquireSlot(
  api: ConsulApi,
  holder: Holder,
  { node, limit, begin }: { readonly node: string; readonly limit: number; readonly begin?: () => void },
): Promise<SlotResult> {
  const { owner } = holder;
  const isOwn = (other: Holder) => isSame(other, holder);
  const before = await slots(api);
  if (!before) return { kind: "unknown" };
  const others = before.holders.filter((other) => !isOwn(other));
  // Its entry may be of a deploy, and this holder a maintenance, or the other way round.
  const rival = others.find((other) => other.owner === owner);
  if (rival) return { kind: "busy", others: [rival], index: before.index };
  if (others.length >= limit) return { kind: "busy", others, index: before.index };
  if (!before.holders.some(isOwn)) {
    begin?.();
    await answerTo(api, { method: "PUT", path: `${SLOTS}${owner}${acquiring(holder)}`, body: node });
  }
  // Two may have come at once: the earlier entries count.
  const after = await slots(api);
  if (!after) return { kind: "unknown" };
  const place = after.holders.findIndex(isOwn);
  if (place < 0) return { kind: "refused" };
  const ahead = after.holders.slice(0, place);
  // Later entries than hold a slot are of holders that are about to take them back.
  if (ahead.length < limit) return { kind: "acquired", others: Math.min(after.holders.length, limit) - 1 };
  await releaseSlot(api, holder);
  return { kind: "busy", others: ahead, index: after.index };
}

/** Whether this holder has a slot; undefined when the cluster does not say. */
export async function holdsSlot(api: ConsulApi, holder: Holder): Promise<boolean | undefined> {
  return (await slots(api))?.holders.some((other) => isSame(other, holder));
}

/** @returns whether this holder's entry is gone; false when the cluster does not say */
export async function releaseSlot(api: ConsulApi, holder: Holder): Promise<boolean> {
  const path = `${SLOTS}${holder.owner}`;
  const found = await kvEntries(api, `${KV.slots}${holder.owner}`);
  if (!found) return false;
  const entry = found.entries.find(({ Key }) => Key === `${KV.slots}${holder.owner}`);
  if (!entry || !isSame(holderOfSlot(entry), holder)) return true;
  const answer = await answerTo(api, { method: "DELETE", path: `${path}?cas=${entry.ModifyIndex}` });
  return answer?.status === 200 && answer.body.trim() === "true";
}
