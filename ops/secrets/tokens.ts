import { randomUUID } from "node:crypto";
import type { Cluster } from "../../cluster/model";
import { BACKUPS_TOKEN, BUILT_IN_TOKENS, METRICS_TOKEN, REGISTRATOR } from "../../consul/acl-policies";

/** SecretIDs of ACL tokens by name: the content of tokens.json. */
export interface Tokens {
  readonly current: ReadonlyMap<string, string>;
  /** Tokens that were rotated or left the cluster file. The cluster accepts them until `revoke`. */
  readonly retiring: ReadonlyMap<string, readonly string[]>;
}

export const NO_TOKENS: Tokens = { current: new Map(), retiring: new Map() };

/** A SecretID is a UUID in lower case. */
export const SECRET_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export const agentToken = (node: string): string => `agent:${node}`;

/** Every token that a cluster needs, by name, with its purpose. */
export function tokensOf({ agents, registrators, backups, metrics, security }: Cluster): ReadonlyMap<string, string> {
  return new Map([
    ...Object.entries(BUILT_IN_TOKENS),
    ...agents.map(({ name, node }): [string, string] => [agentToken(node), `the agent ${name}`]),
    ...(backups ? [[BACKUPS_TOKEN, "the containers that save on a schedule"] as const] : []),
    ...(metrics ? [[METRICS_TOKEN, "programs that scrape the agents' metrics"] as const] : []),
    ...Object.keys(security?.tokens ?? {}).map((name): [string, string] => [
      name,
      name === REGISTRATOR && registrators.length > 0 ? "the hosts' registrators" : "one of the cluster file's own",
    ]),
  ]);
}

/**
 * Reads tokens.json.
 * @throws for another format; SecretIDs may still be malformed
 */
export function parseTokens(text: string): Tokens {
  const mapping = (value: unknown): value is object =>
    typeof value === "object" && value !== null && !Array.isArray(value);
  const parsed: unknown = JSON.parse(text);
  const { current, retiring } = (mapping(parsed) ? parsed : {}) as Record<string, unknown>;
  if (!mapping(current) || !mapping(retiring) || !Object.values(retiring).every(Array.isArray))
    throw new Error("it is not of the form {current, retiring}");
  return { current: new Map(Object.entries(current)), retiring: new Map(Object.entries(retiring)) };
}

export const tokensText = ({ current, retiring }: Tokens): string =>
  `${JSON.stringify({ current: inOrder(current), retiring: inOrder(retiring) }, null, 2)}\n`;

/** A mapping for JSON, sorted by name, so that the same tokens give the same bytes. */
export const inOrder = <Value>(mapping: ReadonlyMap<string, Value>): Record<string, Value> =>
  Object.fromEntries([...mapping].sort(([a], [b]) => (a < b ? -1 : 1)));

/** SecretIDs that the cluster still accepts and no agent is given any more. */
export const retiringIds = ({ retiring }: Tokens): string[] => [...retiring.values()].flat().sort();

/** Moves tokens to `retiring`, except malformed SecretIDs and those that another token uses too. */
export function withRetired({ current, retiring }: Tokens, names: readonly string[]): Tokens {
  const kept = new Map([...current].filter(([name]) => !names.includes(name)));
  const inUse = new Set(kept.values());
  const replaced = [...current].filter(([name, id]) => !kept.has(name) && SECRET_ID.test(id) && !inUse.has(id));
  return {
    current: kept,
    retiring: new Map([
      ...retiring,
      ...replaced.map(([name, id]) => [name, [...(retiring.get(name) ?? []), id]] as const),
    ]),
  };
}

/** Adds a new SecretID for each token that a cluster needs and that has none. */
export function withMissing(cluster: Cluster, { current, retiring }: Tokens): Tokens {
  const made = [...tokensOf(cluster).keys()]
    .filter((name) => !current.has(name))
    .map((name) => [name, randomUUID()] as const);
  return { current: new Map([...current, ...made]), retiring };
}
