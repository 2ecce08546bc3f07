import { isMapping } from "../../consul/config";
import { CHECK_KEYS, SERVICE_KEYS } from "./service-schema";

/**
 * Consul's own pages spell keys of services, checks and config entries in two ways: `service_id` in files, `ServiceID` in
 * the HTTP API, and `Kind` and `Name` in config entries. Consul takes both.
 */

/** Whether two keys differ only in case and underscores. */
export const sameSpelling = (one: string, other: string): boolean => letters(one) === letters(other);

const letters = (key: string): string => key.replaceAll("_", "").toLowerCase();

/** A file with the keys of files in its services, checks and config entries. What has another type stays. */
export function withFileKeys(file: unknown): unknown {
  if (!isMapping(file)) return file;
  const ofAgents = Object.fromEntries(
    ["servers", "clients"].filter((role) => role in file).map((role) => [role, eachOf(file[role], agentKeys)]),
  );
  return {
    ...agentKeys(file),
    ...ofAgents,
    ...ifPresent(file, "config_entries", (entries) => eachOf(entries, entryKeys)),
  };
}

type Mapping = Readonly<Record<string, unknown>>;

const eachOf = (value: unknown, change: (item: Mapping) => Mapping): unknown =>
  Array.isArray(value) ? value.map((item) => (isMapping(item) ? change(item) : item)) : value;

const ifPresent = (mapping: Mapping, key: string, change: (value: unknown) => unknown): Mapping =>
  key in mapping ? { [key]: change(mapping[key]) } : {};

const agentKeys = (agent: Mapping): Mapping => ({
  ...agent,
  ...ifPresent(agent, "services", (services) => eachOf(services, serviceKeys)),
  ...ifPresent(agent, "checks", (checks) => eachOf(checks, checkKeys)),
});

const entryKeys = (entry: Mapping): Mapping => renamed(entry, ["kind", "name"]);
const checkKeys = (check: Mapping): Mapping => renamed(check, CHECK_KEYS);

function serviceKeys(service: Mapping): Mapping {
  const own = renamed(service, SERVICE_KEYS);
  return {
    ...own,
    ...ifPresent(own, "check", (check) => (isMapping(check) ? checkKeys(check) : check)),
    ...ifPresent(own, "checks", (checks) => eachOf(checks, checkKeys)),
  };
}

/** A mapping with its keys in the spelling of files. A key that is there in both spellings stays. */
function renamed(mapping: Mapping, known: readonly string[]): Mapping {
  return Object.fromEntries(
    Object.entries(mapping).map(([key, value]) => {
      const inFiles = known.includes(key) ? key : known.find((each) => sameSpelling(each, key));
      return [inFiles === undefined || Object.hasOwn(mapping, inFiles) ? key : inFiles, value];
    }),
  );
}
