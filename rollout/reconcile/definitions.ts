import { KV } from "../../consul/contract";
import { byCodeUnits } from "../../consul/sort";
import { type Clock, Stopwatch } from "../clock";
import type { Authority, ConsulApi } from "../consul-api";
import { LEADERLESS_SECONDS, SECOND } from "../limits";
import { allow, deny, type Log, type Outcome, unknown, Waiting } from "../outcome";
import { leader } from "../queries";
import type { DeclaredObjects, DefinitionsRequest } from "../request";
import { applyChanges, type Change, formatFailures } from "./changes";
import { authorize, readable, readJson, readList, type SecretIds, Unreadable } from "./management";

/** The objects that deploys have created, and may therefore change and delete. */
export interface Note {
  /** By `kind/name`. */
  readonly config_entries: readonly string[];
  /** By name. */
  readonly prepared_queries: readonly string[];
}

export interface ConfigEntry {
  readonly Kind: string;
  readonly Name: string;
}

export interface PreparedQuery {
  readonly ID: string;
  readonly Name: string;
  /** A query of a session is gone with it, so it is nobody's definition. */
  readonly Session?: string | null;
}

export interface ExistingObjects {
  readonly note: Note;
  /** Of each kind that is declared or noted. */
  readonly entries: readonly ConfigEntry[];
  readonly queries: readonly PreparedQuery[];
}

export interface DefinitionsPlan {
  /** Existing objects under declared names that no deploy created, and that differ. */
  readonly clashes: readonly string[];
  readonly changes: readonly Change[];
  /** What follows when all changes were made. */
  readonly last: readonly Change[];
}

const NOTE = `/v1/kv/${KV.definitions}`;
/**
 * For so many seconds a change that Consul rejects is retried: it may depend on another one, or the cluster may be
 * electing a leader.
 */
const REJECTED_SECONDS = 10;

/**
 * Creates, updates and deletes the cluster's keys, config entries and prepared queries. An existing key does not
 * change. The KV store has a note of the objects that deploys have created: they are deleted when they are not declared
 * any more. An object that somebody else created under a declared name, with other values, does not change: the step
 * fails.
 * @param secretIds undefined without security
 */
export async function definitions(
  { objects, seconds }: Pick<DefinitionsRequest, "objects" | "seconds">,
  secretIds: SecretIds | undefined,
  api: ConsulApi,
  clock: Clock,
  log: Log,
): Promise<Outcome> {
  const waiting = new Waiting("definitions", clock, log);
  const started = clock.now();
  const begun = new Stopwatch(clock);
  let plan: DefinitionsPlan | undefined;
  let changes: readonly Change[] = [];
  for (; !begun.reached(seconds); await clock.sleep(SECOND)) {
    const authority = await authorize(api, secretIds);
    if (!authority) {
      waiting.for("waiting for a leader that knows the management token");
      if (waiting.reached(LEADERLESS_SECONDS)) return unknown(waiting.reason);
      continue;
    }
    if (!plan) {
      const existing = await readable(existingObjects(objects, api, authority));
      if (typeof existing === "string") {
        waiting.for(`cannot be read: ${existing}`);
        continue;
      }
      plan = plannedDefinitions(objects, existing);
      if (plan.clashes.length > 0)
        return deny(
          `nothing was changed: ${plan.clashes.join(", ")} exists, differs from the file, and was not created by a deploy`,
          "write what exists into the file, or delete it in Consul, and deploy again",
        );
      changes = plan.changes;
    }
    let failed = await applyChanges(changes, api, authority);
    // The final note comes last. Until then the note has the earlier objects and the declared ones.
    if (failed.length === 0) failed = await applyChanges(plan.last, api, authority);
    if (failed.length === 0) return allow("complete");
    changes = failed.map(({ change }) => change);
    waiting.for(formatFailures(failed));
    if (waiting.reached(REJECTED_SECONDS) && (await leader(api)) !== undefined) break;
  }
  return deny(
    `not done after ${Math.floor((clock.now() - started) / SECOND)} s: ${waiting.reason}`,
    "change what Consul rejects, or look at the log of a server, and deploy again",
  );
}

/** @throws Unreadable */
async function existingObjects(
  { config_entries }: DeclaredObjects,
  api: ConsulApi,
  authority: Authority,
): Promise<ExistingObjects> {
  const path = `${NOTE}?raw&consistent`;
  const stored = await readJson<unknown>(api, path, authority, {});
  const note = noteOf(stored);
  if (!note) throw new Unreadable(`${path}: it is not the note of a deploy`);
  const kinds = new Set([...Object.keys(config_entries), ...note.config_entries].map(kindOf));
  const entries: ConfigEntry[] = [];
  for (const kind of [...kinds].sort(byCodeUnits))
    entries.push(...(await readList<ConfigEntry>(api, `/v1/config/${encodeURIComponent(kind)}`, authority, [])));
  return { note, entries, queries: await readList<PreparedQuery>(api, "/v1/query", authority, []) };
}

/** The note of stored JSON; undefined for any other JSON. */
function noteOf(stored: unknown): Note | undefined {
  if (typeof stored !== "object" || stored === null || Array.isArray(stored)) return undefined;
  const { config_entries, prepared_queries } = stored as { [key in keyof Note]?: unknown };
  const note = { config_entries: config_entries ?? [], prepared_queries: prepared_queries ?? [] };
  return areNames(note.config_entries) && areNames(note.prepared_queries) ? (note as Note) : undefined;
}

const areNames = (value: unknown): boolean => Array.isArray(value) && value.every((name) => typeof name === "string");

const kindOf = (key: string): string => key.split("/")[0] as string;

/** The requests that bring the cluster's objects to the declared ones. */
export function plannedDefinitions(
  declared: DeclaredObjects,
  { note, entries, queries }: ExistingObjects,
): DefinitionsPlan {
  const entryOf = new Map(entries.map((entry) => [`${entry.Kind}/${entry.Name}`, entry]));
  const queryOf = new Map(queries.filter(({ Session }) => !Session).map((query) => [query.Name, query]));
  const declaredEntries = new Map(Object.entries(declared.config_entries));
  const declaredQueries = new Map(Object.entries(declared.prepared_queries));
  const names = sortedNote([...declaredEntries.keys()], [...declaredQueries.keys()]);

  const isForeign = (key: string, noted: readonly string[], wanted: unknown, existing: object | undefined): boolean =>
    !noted.includes(key) && existing !== undefined && !holds(folded(existing), folded(wanted));
  const clashes = [
    ...names.config_entries
      .filter((key) => isForeign(key, note.config_entries, declaredEntries.get(key), entryOf.get(key)))
      .map((key) => `config entry ${key}`),
    ...names.prepared_queries
      .filter((name) => isForeign(name, note.prepared_queries, declaredQueries.get(name), queryOf.get(name)))
      .map((name) => `prepared query "${name}"`),
  ];

  const before = sortedNote(note.config_entries, note.prepared_queries);
  const meanwhile = sortedNote(
    [...note.config_entries, ...names.config_entries],
    [...note.prepared_queries, ...names.prepared_queries],
  );
  const changes: Change[] = [];
  if (!areSame(before, meanwhile)) changes.push({ method: "PUT", path: NOTE, body: meanwhile });
  for (const [key, text] of Object.entries(declared.kv))
    changes.push({
      method: "PUT",
      path: `/v1/kv/${key.split("/").map(encodeURIComponent).join("/")}?cas=0`,
      body: text,
    });
  for (const key of [...names.config_entries].sort((a, b) => rank(a) - rank(b)))
    changes.push({ method: "PUT", path: "/v1/config", body: declaredEntries.get(key) });
  for (const name of names.prepared_queries) {
    const existing = queryOf.get(name);
    const body = declaredQueries.get(name);
    if (existing) changes.push({ method: "PUT", path: `/v1/query/${existing.ID}`, body });
    else changes.push({ method: "POST", path: "/v1/query", body });
  }
  for (const name of note.prepared_queries) {
    const existing = queryOf.get(name);
    if (existing && !declaredQueries.has(name)) changes.push({ method: "DELETE", path: `/v1/query/${existing.ID}` });
  }
  const undeclared = note.config_entries.filter((key) => !declaredEntries.has(key) && entryOf.has(key));
  for (const key of undeclared.sort((a, b) => rank(b) - rank(a))) changes.push({ method: "DELETE", path: pathOf(key) });

  const last: Change[] = [];
  if (!areSame(names, meanwhile)) {
    if (declaredEntries.size + declaredQueries.size === 0) last.push({ method: "DELETE", path: NOTE });
    else last.push({ method: "PUT", path: NOTE, body: names });
  }
  return { clashes, changes, last };
}

/** Kinds that others depend on: written before these, and deleted after them. */
const FIRST_KINDS = [
  "proxy-defaults",
  "mesh",
  "jwt-provider",
  "service-defaults",
  "service-resolver",
  "service-splitter",
  "service-router",
];

function rank(key: string): number {
  const index = FIRST_KINDS.indexOf(kindOf(key));
  return index < 0 ? FIRST_KINDS.length : index;
}

function pathOf(key: string): string {
  const [kind, ...name] = key.split("/");
  return `/v1/config/${[kind, name.join("/")].map((part) => encodeURIComponent(part as string)).join("/")}`;
}

function sortedNote(entries: readonly string[], queries: readonly string[]): Note {
  const unique = (names: readonly string[]): string[] => [...new Set(names)].sort(byCodeUnits);
  return { config_entries: unique(entries), prepared_queries: unique(queries) };
}

const areSame = (a: Note, b: Note): boolean => JSON.stringify(a) === JSON.stringify(b);

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * Names of fields without case and underscores: the cluster file has those of Consul's configuration files, and the API
 * has its own.
 */
function folded(value: unknown): Json {
  if (Array.isArray(value)) return value.map(folded);
  if (typeof value !== "object" || value === null) return value as Json;
  const fold = (name: string): string => name.replace(/[A-Z_]/g, (char) => (char === "_" ? "" : char.toLowerCase()));
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [fold(name), folded(item)]));
}

/** Whether an existing value has all that is declared. Only fields that the cluster file has are compared. */
function holds(existing: Json, declared: Json): boolean {
  if (isList(declared) && isList(existing))
    return (
      existing.length === declared.length && declared.every((item) => existing.some((other) => holds(other, item)))
    );
  if (isFields(declared))
    return Object.entries(declared).every(([name, item]) => {
      if (!isFields(existing)) return isNothing(item);
      return holds(Object.hasOwn(existing, name) ? (existing[name] as Json) : null, item);
    });
  return existing === declared || (isNothing(existing) && isNothing(declared));
}

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);

const isFields = (value: Json): value is { readonly [key: string]: Json } =>
  typeof value === "object" && value !== null && !isList(value);

/** Consul leaves out what has its type's zero value. */
function isNothing(value: Json): boolean {
  if (typeof value === "object" && value !== null) return Object.keys(value).length === 0;
  return !value;
}
