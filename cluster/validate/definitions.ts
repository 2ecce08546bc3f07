import { KV_PREFIX } from "../../consul/contract";
import { MAX_PART_BYTES, sizeInRequest } from "../../consul/request-json";
import { knownKeys, unknownKey } from "../file/schema-errors";
import { comparedToLists, ENTRY_KINDS, KNOWN_CONSUL } from "../known-consul";
import type { Draft } from "../model";
import { type KeyPath, keyText, type Violation } from "../problem";
import { definitionsOf, entryKey, locatedEntries } from "../resolve/definitions";
import { didYouMean } from "../suggest";
import { inexactNumbers } from "./consul-settings";

/** KV keys, config entries, intentions and prepared queries. */
export function definitionProblems({ file, agents }: Draft): Violation[] {
  const { kv = {}, config_entries = [], intentions = {}, prepared_queries = [] } = file;
  const entries = locatedEntries(file);
  const serverImages = agents.filter(({ role }) => role === "server").map(({ image }) => image);
  const mayHaveMore = serverImages.every((image) => comparedToLists(image) === "newer");
  const isKind = (kind: string) => mayHaveMore || ENTRY_KINDS.includes(kind);
  return [
    ...Object.keys(kv).flatMap(reserved),
    ...Object.entries(kv).flatMap(([key, value]) => (value === null ? [noValue(key)] : [])),
    ...Object.entries(intentions).flatMap(([name, callers]) =>
      Object.keys(callers).length === 0 ? [noCaller(name)] : [],
    ),
    ...inexactNumbers(kv, ["kv"]),
    ...config_entries.flatMap(({ kind }, index): Violation[] => {
      if (ENTRY_KINDS.includes(kind)) return [];
      const path = ["config_entries", index, "kind"];
      return [mayHaveMore ? newerKind(kind, path) : unknownKind(kind, path, serverImages)];
    }),
    ...entries.flatMap(({ kind, name, path }): Violation[] =>
      name === undefined && isKind(kind)
        ? [{ code: "missing-key", path, message: `\`name\` is missing: a ${kind} needs a name`, hint: "add `name:`" }]
        : [],
    ),
    ...inexactNumbers(config_entries, ["config_entries"]),
    ...repeated(
      entries.flatMap((entry) => (entry.name === undefined ? [] : [{ key: entryKey(entry), path: entry.path }])),
    ),
    ...prepared_queries.flatMap(({ name, template }, index): Violation[] =>
      name === undefined && !template
        ? [
            {
              code: "missing-key",
              path: ["prepared_queries", index],
              message: "`name` is missing: only a template can omit it",
              hint: "add `name:`",
            },
          ]
        : [],
    ),
    ...unlistedKeys(prepared_queries, ["prepared_queries"]).map(({ key, path }) =>
      mayHaveMore ? newerKey(key, path) : unlistedKey(key, path, serverImages),
    ),
    ...repeated(
      prepared_queries.map(({ name = "" }, index) => ({
        key: `prepared query "${name}"`,
        path: ["prepared_queries", index],
      })),
    ),
    ...tooMuch(sizeInRequest(definitionsOf(file))),
  ];
}

const reserved = (key: string): Violation[] =>
  key.startsWith(KV_PREFIX)
    ? [
        {
          code: "reserved-key",
          path: ["kv", key],
          atKey: true,
          message: `keys below ${KV_PREFIX} belong to the product`,
          hint: "use another key",
        },
      ]
    : [];

const noValue = (key: string): Violation => ({
  code: "invalid-value",
  path: ["kv", key],
  atKey: true,
  message: `${keyText(["kv", key])} is empty`,
  hint: 'write a value, `""` for an empty text, or remove the key',
});

/** Consul rejects such an intention. */
const noCaller = (name: string): Violation => ({
  code: "invalid-value",
  path: ["intentions", name],
  message: `intentions for "${name}" name no source service`,
  hint: `name one, as in ${name}: { "*": deny } for all services; or remove \`${name}\``,
});

/** The leader accepts a config entry or rejects it, and any server can become the leader. */
const newerKind = (kind: string, path: KeyPath): Violation => ({
  code: "newer-kind",
  path,
  message: `${KNOWN_CONSUL} has no config entries of kind "${kind}"; the servers' newer version may have it${didYouMean(kind, ENTRY_KINDS)}`,
  hint: "check the spelling, or silence this with `ignore: [newer-kind]`",
});

const unknownKind = (kind: string, path: KeyPath, serverImages: readonly string[]): Violation => ({
  code: "unknown-kind",
  path,
  message: `${KNOWN_CONSUL} has no config entries of kind "${kind}"${didYouMean(kind, ENTRY_KINDS)}`,
  hint: `use one of ${ENTRY_KINDS.join(", ")}${ifNewer(serverImages)}`,
});

/** What to do if an image is newer than its tag tells. */
function ifNewer(serverImages: readonly string[]): string {
  const unknown = serverImages.find((image) => comparedToLists(image) === "unknown");
  return unknown === undefined
    ? ""
    : `; or, if ${unknown} is newer than ${KNOWN_CONSUL}, add its version as a tag, which can precede a digest`;
}

/** Keys that the schema does not have, in mappings that may have further ones. */
function unlistedKeys(value: unknown, path: KeyPath): { readonly key: string; readonly path: KeyPath }[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => unlistedKeys(item, [...path, index]));
  if (typeof value !== "object" || value === null) return [];
  const known = knownKeys(path);
  // Without any, the keys are the user's own: metadata, or what is below an unlisted key.
  if (known.length === 0) return [];
  return Object.entries(value).flatMap(([key, item]) =>
    known.includes(key) ? unlistedKeys(item, [...path, key]) : [{ key, path }],
  );
}

function unlistedKey(key: string, path: KeyPath, serverImages: readonly string[]): Violation {
  const violation = unknownKey(key, path);
  return { ...violation, hint: `${violation.hint}${ifNewer(serverImages)}` };
}

/** The leader would ignore a key that it does not have, and any server can become the leader. */
const newerKey = (key: string, path: KeyPath): Violation => ({
  code: "unknown-consul-key",
  path: [...path, key],
  atKey: true,
  message: `${KNOWN_CONSUL} has no key "${key}" here; the servers' newer version may have it${didYouMean(key, knownKeys(path))}`,
  hint: "check the spelling, or silence this with `ignore: [unknown-consul-key]`",
});

function repeated(all: readonly { readonly key: string; readonly path: KeyPath }[]): Violation[] {
  const seen = new Set<string>();
  return all.flatMap(({ key, path }): Violation[] => {
    if (!seen.has(key)) {
      seen.add(key);
      return [];
    }
    return [{ code: "duplicate-definition", path, message: `${key} is defined twice`, hint: "merge them into one" }];
  });
}

const tooMuch = (size: number): Violation[] =>
  size <= MAX_PART_BYTES
    ? []
    : [
        {
          code: "too-much",
          path: [],
          message: `keys, config entries, intentions and prepared queries are ${size} bytes, and a deploy can pass on ${MAX_PART_BYTES}`,
          hint: "let programs write the large values of `kv` that they use",
        },
      ];
