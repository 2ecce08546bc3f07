import { sortedByKey } from "./sort";

/** Of the file's names, which are those of Consul's configuration, the HTTP API's: `only_passing` is OnlyPassing there. Consul takes its own in any case: Ttl is TTL. */
const apiName = (name: string): string =>
  name.replace(/(^|_)([a-z])/g, (_, __, letter: string) => letter.toUpperCase());

/** Mappings whose keys are the user's own. */
const FREE = ["node_meta", "service_meta"];

/** A value by the API's names, in the order of names, without what is undefined. */
export function byApiNames(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(byApiNames);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return sortedByKey(
    Object.fromEntries(entries.map(([key, item]) => [apiName(key), FREE.includes(key) ? item : byApiNames(item)])),
  );
}
