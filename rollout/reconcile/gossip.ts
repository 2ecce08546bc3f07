import { type Clock, Stopwatch } from "../clock";
import { type ConsulAnswer, type ConsulApi, parsed } from "../consul-api";
import { SECOND } from "../limits";
import { allow, deny, type Log, type Outcome, unknown, Waiting } from "../outcome";
import type { GossipRequest } from "../request";
import { formatAnswer, replyTo } from "./changes";

const PATH = "/v1/operator/keyring";
/** Enough of an answer to show why. */
const MAX_LENGTH = 200;

/** Keys of one gossip pool (developer.hashicorp.com/consul/api-docs/operator/keyring). */
interface Keyring {
  readonly NumNodes: number;
  /** How many agents have a key, by key. */
  readonly Keys: Readonly<Record<string, number>> | null;
  /** How many agents use a key; agents of old versions do not report it. */
  readonly PrimaryKeys?: Readonly<Record<string, number>> | null;
}

export type KeyChange =
  | { readonly method: "POST" | "PUT" | "DELETE"; readonly key: string }
  /** All agents have this key alone. */
  | "done";

const REASONS = { POST: "installing the new key", PUT: "using the new key", DELETE: "removing the old key" } as const;

/**
 * Makes a gossip key the cluster's only one: it installs the key in all agents, makes it their primary key, and removes
 * all other keys. No agent restarts. A restart alone would not change the key, because the key in an agent's data has
 * precedence over the configured one (hashicorp/consul, agent/keyring.go).
 * @param key of the secrets of the server that is asked; undefined if they could not be read
 */
export async function gossip(
  { seconds }: Pick<GossipRequest, "seconds">,
  key: string | undefined,
  api: ConsulApi,
  clock: Clock,
  log: Log,
): Promise<Outcome> {
  if (key === undefined) return unknown("this server's gossip key could not be read");
  // While gossip encryption is being turned on, other agents have no keys yet: servers that all have this one alone
  // need no change. With `local-only`, only servers report their keys.
  if (nextOf(await listed(api, "?local-only=true"), key) === "done") return allow("the servers use one key");
  const waiting = new Waiting("gossip", clock, log);
  const begun = new Stopwatch(clock);
  for (; !begun.reached(seconds); await clock.sleep(SECOND)) {
    const answer = await listed(api, "");
    const change = nextOf(answer, key);
    if (change === "done") return allow("all agents use one key");
    if (change === undefined) {
      waiting.for(`this server does not list the keys: ${reasonOf(answer)}`);
      continue;
    }
    waiting.for(REASONS[change.method]);
    // The next list of keys says whether it was done.
    await replyTo(api, { method: change.method, path: PATH, body: { Key: change.key } });
  }
  return deny(
    `not changed after ${seconds} s: ${waiting.reason}`,
    "bring back an agent that is unreachable, or remove it from the members",
  );
}

const listed = (api: ConsulApi, query: string): Promise<ConsulAnswer> =>
  replyTo(api, { method: "GET", path: `${PATH}${query}` });

function nextOf({ status, body }: ConsulAnswer, key: string): KeyChange | undefined {
  const keyrings = status === 200 ? parsed<unknown>(body) : undefined;
  return Array.isArray(keyrings) ? plannedKeyChange(keyrings, key) : undefined;
}

/** Why there is no list, without what looks like a key: base64 of 16 to 32 bytes. */
function reasonOf(answer: ConsulAnswer): string {
  if (answer.status === 200) return "its answer is no list of keyrings";
  return formatAnswer(answer)
    .replace(/[A-Za-z0-9+/]{22,}={0,2}/g, "(a key)")
    .slice(0, MAX_LENGTH);
}

/** The next change of the cluster's keys; undefined if the list does not say. */
export function plannedKeyChange(keyrings: readonly Keyring[], key: string): KeyChange | undefined {
  const isKnown = keyrings.length > 0 && keyrings.every((keyring) => typeof keyring?.NumNodes === "number");
  if (!isKnown) return undefined;
  const isMissing = keyrings.some(({ Keys, NumNodes }) => (Keys?.[key] ?? 0) < NumNodes);
  if (isMissing) return { method: "POST", key };
  const isUnused = keyrings.some(({ PrimaryKeys, NumNodes }) => PrimaryKeys && (PrimaryKeys[key] ?? 0) < NumNodes);
  if (isUnused) return { method: "PUT", key };
  const other = keyrings.flatMap(({ Keys }) => Object.keys(Keys ?? {})).find((installed) => installed !== key);
  return other === undefined ? "done" : { method: "DELETE", key: other };
}
