import { sortedByKey } from "./sort";

/**
 * The HTTP API's name of a key of Consul's configuration files: OnlyPassing for `only_passing`. The API takes its own
 * names in any case: Ttl for TTL.
 */
const apiName = (name: string): string =>
  name.replace(/(^|_)([a-z])/g, (_, __, letter: string) => letter.toUpperCase());

/** Mappings whose keys are the user's own. */
const OWN_KEYS = ["node_meta", "service_meta"];

/** A value with the API's names, sorted by name, without undefined values. */
export function byApiNames(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(byApiNames);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return sortedByKey(
    Object.fromEntries(entries.map(([key, item]) => [apiName(key), OWN_KEYS.includes(key) ? item : byApiNames(item)])),
  );
}
