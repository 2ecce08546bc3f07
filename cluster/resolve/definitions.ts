import { byApiNames } from "../../consul/api-names";
import type { ConsulConfig } from "../../consul/config";
import { byName, sorted, sortedByKey } from "../../consul/sort";
import type { ParsedClusterFile } from "../file/schema";
import type { Definitions } from "../model";
import type { KeyPath } from "../problem";

/** Kinds that have one entry in a cluster, with its name. */
const ONLY_NAMES: Readonly<Record<string, string>> = {
  "proxy-defaults": "global",
  mesh: "mesh",
  "exported-services": "default",
};

type File = Pick<ParsedClusterFile, "kv" | "config_entries" | "intentions" | "prepared_queries">;

/** A config entry, and where it is in the file. `name` is undefined where it is missing. */
export interface LocatedEntry {
  readonly kind: string;
  readonly name: string | undefined;
  readonly entry: ConsulConfig;
  readonly path: KeyPath;
}

/** The file's config entries, with the entries for its intentions. */
export function locatedEntries({ config_entries = [], intentions = {} }: File): LocatedEntry[] {
  const written = config_entries.map((entry, index): LocatedEntry => {
    const name = entry.name ?? (Object.hasOwn(ONLY_NAMES, entry.kind) ? ONLY_NAMES[entry.kind] : undefined);
    return {
      kind: entry.kind,
      name,
      entry: { ...entry, ...(name !== undefined && { name }) },
      path: ["config_entries", index],
    };
  });
  const fromIntentions = Object.entries(intentions).map(([name, sources]): LocatedEntry => {
    const kind = "service-intentions";
    const list = Object.entries(sources).map(([source, action]) => ({ name: source, action }));
    return { kind, name, entry: { kind, name, sources: list.sort(byName) }, path: ["intentions", name] };
  });
  return [...written, ...fromIntentions];
}

export const entryKey = ({ kind, name }: Pick<LocatedEntry, "kind" | "name">): string => `${kind}/${name}`;

/** The definitions, sorted by name: their order in the file changes nothing. */
export function definitionsOf(file: File): Definitions {
  const { kv = {}, prepared_queries = [] } = file;
  return {
    kv: sortedByKey(
      Object.fromEntries(
        Object.entries(kv).map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]),
      ),
    ),
    config_entries: sortedByKey(
      Object.fromEntries(locatedEntries(file).map((placed) => [entryKey(placed), sorted(placed.entry)])),
    ),
    prepared_queries: sortedByKey(
      Object.fromEntries(prepared_queries.map((query) => [query.name ?? "", byApiNames({ name: "", ...query })])),
    ),
  };
}
