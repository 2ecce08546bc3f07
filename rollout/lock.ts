import { KV } from "../consul/contract";
import { untilChange } from "./blocking";
import type { Clock } from "./clock";
import { answerTo, type ConsulApi, parsed } from "./consul-api";
import { acquiring, type Holder, holderOf, isSame } from "./holder";
import type { KvEntry } from "./queries";

/**
 * The deploy lock: which server is being replaced. It is an entry of the cluster's own KV store, so that it holds for
 * every deploy, from wherever. A pre-stop check acquires it, and the readiness check of the new container releases it:
 * while that container is not ready, no other server may be touched. The maintenance of a server's host holds it too.
 */
const LOCK = `/v1/kv/${KV.lock}`;
/** By the leader, after it has made sure that it still leads. */
const READ_LOCK = `${LOCK}?consistent`;

/** Who holds it; "" for nobody. */
export interface Held extends Holder {
  /** Of the entry, for compare-and-set. */
  readonly index: number;
}

const FREE: Held = { owner: "", index: 0 };

/** @returns undefined when the cluster does not say */
export async function lockHolder(api: ConsulApi): Promise<Held | undefined> {
  const answer = await answerTo(api, { method: "GET", path: READ_LOCK });
  if (answer?.status === 404) return FREE;
  const [entry] = (answer?.status === 200 ? parsed<readonly KvEntry[]>(answer.body) : undefined) ?? [];
  if (!entry) return undefined;
  const owner = Buffer.from(entry.Value ?? "", "base64").toString("utf8");
  return { ...holderOf(owner, entry.Flags), index: entry.ModifyIndex };
}

/**
 * @param begin is called if nobody holds it, before it is acquired
 * @returns who holds it afterwards, "" where the cluster refuses; undefined when it does not say
 */
export async function acquireLock(api: ConsulApi, holder: Holder, begin?: () => void): Promise<Held | undefined> {
  const held = await lockHolder(api);
  if (held?.owner !== "") return held;
  begin?.();
  // A lost answer does not mean that Consul rejected the request: the entry decides.
  await answerTo(api, { method: "PUT", path: `${LOCK}${acquiring(holder)}`, body: holder.owner });
  return lockHolder(api);
}

/**
 * Writes the held entry anew, in one transaction, so that nobody else can acquire it in between. Consul leaves an entry as
 * it is, index included, when the same is written (kvsSetTxn, hashicorp/consul); so it is deleted and created.
 * @returns the index of the new entry, which no server had before; undefined when the cluster rejects it, or does not say
 */
export async function renewLock(api: ConsulApi, held: Held): Promise<number | undefined> {
  const Value = Buffer.from(held.owner, "utf8").toString("base64");
  const body = JSON.stringify([
    { KV: { Verb: "delete-cas", Key: KV.lock, Index: held.index } },
    { KV: { Verb: "cas", Key: KV.lock, Index: 0, Value, Flags: held.maintenance ?? 0 } },
  ]);
  const answer = await answerTo(api, { method: "PUT", path: "/v1/txn", body });
  if (answer?.status !== 200) return undefined;
  return parsed<{ Results?: readonly { KV?: KvEntry }[] | null }>(answer.body)?.Results?.[0]?.KV?.ModifyIndex;
}

/** Waits until somebody else may have it, but no longer than about a second. */
export const untilLockChanges = ({ index }: Held, api: ConsulApi, clock: Clock): Promise<void> =>
  untilChange(READ_LOCK, index, api, clock);

/** @returns whether this holder has it no longer; false when the cluster does not say */
export async function releaseLock(api: ConsulApi, holder: Holder): Promise<boolean> {
  const held = await lockHolder(api);
  if (!held) return false;
  if (!isSame(held, holder)) return true;
  const answer = await answerTo(api, { method: "DELETE", path: `${LOCK}?cas=${held.index}` });
  return answer?.status === 200 && answer.body.trim() === "true";
}
