import { type Authority, type ConsulApi, parsed } from "../consul-api";
import { EXTRA_SECONDS } from "../limits";
import { leader } from "../queries";
import { formatAnswer, replyTo } from "./changes";

/** The SecretIDs of the cluster's tokens: what the file `acl.json` of the cluster's secrets holds. */
export interface SecretIds {
  /** By token name. */
  readonly current: Readonly<Record<string, string>>;
  /** Of tokens that are being replaced, and that the cluster still accepts. */
  readonly retiring: readonly string[];
}

/** Consul's own policy with all rights (hashicorp/consul, agent/structs/acl.go). */
const GLOBAL_MANAGEMENT = "00000000-0000-0000-0000-000000000001";

/**
 * The authority to change the cluster's objects. While the management token is being replaced, the cluster only knows
 * the one before, which is among the retiring ones. Without security there is no token, and none is needed; there has
 * to be a leader.
 * @returns undefined while nobody has it
 */
export async function authorize(api: ConsulApi, secretIds: SecretIds | undefined): Promise<Authority | undefined> {
  if (!secretIds) return (await leader(api)) === undefined ? undefined : "management";
  const candidates: readonly Authority[] = ["management", ...secretIds.retiring.map((secretId) => ({ secretId }))];
  for (const authority of candidates) if (await hasManagement(api, authority)) return authority;
  return undefined;
}

/** Whether an authority has all rights. */
export async function hasManagement(api: ConsulApi, authority: Authority): Promise<boolean> {
  const answer = await replyTo(api, {
    method: "GET",
    path: "/v1/acl/token/self",
    authority,
    waitSeconds: EXTRA_SECONDS,
  });
  if (answer.status !== 200) return false;
  const token = parsed<{ Policies?: readonly { ID: string }[] | null }>(answer.body);
  return token?.Policies?.some(({ ID }) => ID === GLOBAL_MANAGEMENT) ?? false;
}

/** What the cluster has could not be read; the message says why. */
export class Unreadable extends Error {
  override readonly name = "Unreadable";
}

/**
 * JSON of an answer.
 * @param absent where an object that does not exist is an answer too
 * @throws Unreadable
 */
export async function readJson<Value>(
  api: ConsulApi,
  path: string,
  authority: Authority,
  absent?: Value,
): Promise<Value> {
  const answer = await replyTo(api, { method: "GET", path, authority, waitSeconds: EXTRA_SECONDS });
  if (answer.status === 404 && absent !== undefined) return absent;
  if (answer.status !== 200) throw new Unreadable(`${path}: ${formatAnswer(answer)}`);
  const value = parsed<Value>(answer.body);
  // Without the text: it may hold SecretIDs.
  if (value === undefined) throw new Unreadable(`${path}: its answer is not JSON`);
  return value;
}

/** A list of objects; Go writes an empty one as null, too. @throws Unreadable */
export async function readList<Item>(
  api: ConsulApi,
  path: string,
  authority: Authority,
  absent?: readonly Item[],
): Promise<readonly Item[]> {
  const value = (await readJson<readonly Item[] | null>(api, path, authority, absent)) ?? [];
  if (!Array.isArray(value)) throw new Unreadable(`${path}: its answer is not a list`);
  return value;
}

/** What some work returns; the message of an Unreadable that it throws. */
export async function readable<Value extends object>(work: Promise<Value>): Promise<Value | string> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Unreadable) return error.message;
    throw error;
  }
}
