import { KV } from "../consul/contract";
import { answerTo, type ConsulApi } from "./consul-api";
import { kvEntries } from "./queries";

/**
 * Rollout slots: which client agents are being replaced. Each has an entry of its own in the KV store, and as many of
 * the earliest as may be replaced at a time hold a slot. A pre-stop check acquires it, and the readiness check of the
 * new container releases it: a change that breaks client agents stops at the first.
 */
const SLOTS = `/v1/kv/${KV.slots}`;

/** Owners of entries, the earliest first; undefined when the cluster does not say. */
export async function slotOwners(api: ConsulApi): Promise<readonly string[] | undefined> {
  const entries = await kvEntries(api, KV.slots);
  return (
    entries && [...entries].sort((a, b) => a.CreateIndex - b.CreateIndex).map(({ Key }) => Key.slice(KV.slots.length))
  );
}

export type SlotResult =
  | { readonly kind: "acquired"; readonly others: number }
  /** Who holds the slots, for a message. */
  | { readonly kind: "busy"; readonly others: readonly string[] }
  | { readonly kind: "refused" }
  | { readonly kind: "unknown" };

/**
 * @param node the agent's node name, which the entry holds
 * @param limit how many client agents may be replaced at a time
 */
export async function acquireSlot(api: ConsulApi, owner: string, node: string, limit: number): Promise<SlotResult> {
  const before = await slotOwners(api);
  if (!before) return { kind: "unknown" };
  const others = before.filter((other) => other !== owner);
  if (others.length >= limit) return { kind: "busy", others };
  if (!before.includes(owner)) await answerTo(api, { method: "PUT", path: `${SLOTS}${owner}?cas=0`, body: node });
  // Two may have come at once: the earlier entries count.
  const after = await slotOwners(api);
  if (!after) return { kind: "unknown" };
  if (!after.includes(owner)) return { kind: "refused" };
  const ahead = after.slice(0, after.indexOf(owner));
  if (ahead.length < limit) return { kind: "acquired", others: after.length - 1 };
  await releaseSlot(api, owner);
  return { kind: "busy", others: ahead };
}

/** @returns whether the entry is gone; false when the cluster does not say */
export async function releaseSlot(api: ConsulApi, owner: string): Promise<boolean> {
  const answer = await answerTo(api, { method: "DELETE", path: `${SLOTS}${owner}` });
  return answer?.status === 200;
}
