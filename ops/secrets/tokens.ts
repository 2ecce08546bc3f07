import { randomUUID } from "node:crypto";
import type { Cluster } from "../../cluster/cluster";

/** SecretIDs of ACL tokens, by the tokens' names. */
export interface Tokens {
  readonly current: Readonly<Record<string, string>>;
  /** What a rotation replaced, and what the cluster file no longer has: taken until `retire`. */
  readonly retiring: Readonly<Record<string, readonly string[]>>;
}

export const NO_TOKENS: Tokens = { current: {}, retiring: {} };

/** The form of a SecretID: a UUID in lower case. */
export const SECRET_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Names of tokens that every cluster has, and what each is for. */
const EVERY_CLUSTERS: Readonly<Record<string, string>> = {
  management: "everything: policies, tokens, snapshots",
  "rollout-server": "what a deploy asks and tells servers",
  "rollout-client": "what a deploy asks and tells clients",
  health: "whoever watches nodes and services",
  dns: "DNS, for whoever asks an agent",
};

export const agentToken = (node: string): string => `agent:${node}`;

/** Every token that a cluster needs, with what it is for. */
export function tokensOf({ agents, security }: Cluster): ReadonlyMap<string, string> {
  return new Map([
    ...Object.entries(EVERY_CLUSTERS),
    ...agents.map(({ name, node }): [string, string] => [agentToken(node), `the agent ${name}`]),
    ...Object.keys(security?.tokens ?? {}).map((name): [string, string] => [name, "one of the cluster file's own"]),
  ]);
}

/**
 * Reads tokens.json.
 * @throws for what is no such file; SecretIDs may still be malformed
 */
export function parseTokens(text: string): Tokens {
  const { current, retiring } = JSON.parse(text) as Partial<Tokens>;
  const mapping = (value: unknown): value is object => typeof value === "object" && value !== null && !Array.isArray(value);
  if (!mapping(current) || !mapping(retiring) || !Object.values(retiring).every(Array.isArray))
    throw new Error("not of the form {current, retiring}");
  return { current, retiring };
}

/** In the order of names, so that the same tokens are the same bytes. */
export const tokensText = ({ current, retiring }: Tokens): string =>
  `${JSON.stringify({ current: sorted(current), retiring: sorted(retiring) }, null, 2)}\n`;

export const sorted = <Value>(mapping: Readonly<Record<string, Value>>): Record<string, Value> =>
  Object.fromEntries(Object.entries(mapping).sort(([a], [b]) => (a < b ? -1 : 1)));

/** All SecretIDs that are still taken, but not handed out any more. */
export const retiringIds = ({ retiring }: Tokens): string[] => Object.values(retiring).flat().sort();

/** Takes tokens out of use; they stay valid until `retire`, but for what is no SecretID, or that of another token too. */
export function retiringToo({ current, retiring }: Tokens, names: readonly string[]): Tokens {
  const kept = Object.fromEntries(Object.entries(current).filter(([name]) => !names.includes(name)));
  const inUse = new Set(Object.values(kept));
  const old = names.flatMap((name) => {
    const id = current[name];
    return id !== undefined && SECRET_ID.test(id) && !inUse.has(id) ? [[name, [...(retiring[name] ?? []), id]] as const] : [];
  });
  return { current: kept, retiring: { ...retiring, ...Object.fromEntries(old) } };
}

/** The tokens that a cluster needs, with a new SecretID for each that has none. */
export function complete(cluster: Cluster, { current, retiring }: Tokens): Tokens {
  const made = [...tokensOf(cluster).keys()].flatMap((name) => (current[name] === undefined ? [[name, randomUUID()]] : []));
  return { current: { ...current, ...Object.fromEntries(made) }, retiring };
}
