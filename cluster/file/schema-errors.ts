import type { z } from "zod";
import { masked, namesSecret } from "../../consul/secret-detection";
import type { Stage } from "../../consul/security";
import { type KeyPath, keyText, type Violation } from "../problem";
import { didYouMean } from "../suggest";
import { clusterSchema, NAME_PATTERNS } from "./schema";
import { schemaMessage } from "./schema-messages";

type Issue = z.core.$ZodIssue;
type Schema = z.core.$ZodType;

/** How values are parsed, so that the issues tell what was found, and what to do. */
export const PARSING = { reportInput: true, error: schemaMessage } as const;

/**
 * Zod's issues as violations of the catalogue: the first one of each location, because the others mostly follow from
 * it.
 * @param root the schema that reported them
 */
export function schemaViolations(error: z.ZodError, root: Schema = clusterSchema): Violation[] {
  const problems = error.issues.flatMap((issue) => violationsOf(issue, [], root));
  const firsts = new Map(
    [...problems].reverse().map((problem) => [JSON.stringify([problem.path, problem.atKey]), problem]),
  );
  return problems.filter((problem) => firsts.get(JSON.stringify([problem.path, problem.atKey])) === problem);
}

function violationsOf(issue: Issue, base: KeyPath, root: Schema): Violation[] {
  const path: KeyPath = [...base, ...(issue.path as (string | number)[])];
  if (issue.input === null && path.length > 0) return [nothingWritten(path, root)];
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => unknownKey(key, path, root));
  if (issue.code === "invalid_key") return issue.issues.map((inner) => wrongKey(inner, path));
  if (issue.code === "invalid_union") {
    const meant = meantBranch(issue.errors as Issue[][]);
    if (meant) return meant.flatMap((inner) => violationsOf(inner, path, root));
  }
  if (issue.input === undefined && path.length > 0 && "input" in issue) return [missingKey(path)];
  return [wrongValue(issue, path, issue.input)];
}

/** The branch of a union whose type the value has: a mapping without a required key is still meant as a mapping. */
function meantBranch(branches: Issue[][]): Issue[] | undefined {
  return branches.find(
    (issues) =>
      !issues.some(({ code, path }) => path.length === 0 && (code === "invalid_type" || code === "invalid_value")),
  );
}

/** Names that keys and stages had in earlier cluster files. The error for an old name tells the new one. */
const RENAMED_KEYS: Readonly<Record<string, string>> = {
  wait: "ready_timeout",
  clients_at_a_time: "max_parallel_clients",
  client: "client_addr",
  bind: "bind_addr",
  advertise: "advertise_addr",
  accept: "ignore",
};
const RENAMED_STAGES: Readonly<Record<string, Stage>> = {
  accept: "permissive",
  use: "outgoing",
  require: "strict",
};

const renamed = (from: string, to: string, path: KeyPath, atKey: boolean): Violation => ({
  code: "renamed-key",
  path,
  atKey,
  message: `\`${from}\` is now called \`${to}\``,
  hint: `write \`${to}\` instead`,
});

/** A key that a mapping of the schema does not have. */
export function unknownKey(key: string, path: KeyPath, root: Schema = clusterSchema): Violation {
  const known = keysIn(root, path);
  const newKey = Object.hasOwn(RENAMED_KEYS, key) ? RENAMED_KEYS[key] : undefined;
  if (newKey !== undefined && known.includes(newKey)) return renamed(key, newKey, [...path, key], true);
  return {
    code: "unknown-key",
    path: [...path, key],
    atKey: true,
    message: `there is no key "${key}" here${didYouMean(key, known)}`,
    hint: `known here: ${known.join(", ")}`,
  };
}

function missingKey(path: KeyPath): Violation {
  const key = String(path.at(-1));
  const parent = path.slice(0, -1);
  return { code: "missing-key", path: parent, message: `\`${key}\` is missing`, hint: `add \`${key}:\`` };
}

/** Keys for which `{}` means all defaults. */
const ON_BY_DEFAULTS: readonly unknown[] = ["backups", "registrator"];

/** A key without a value is null in YAML: the value was forgotten, or removed. */
function nothingWritten(path: KeyPath, root: Schema): Violation {
  const isList = schemasAt(root, path).some((schema) => schema._zod.def.type === "array");
  const filled = ON_BY_DEFAULTS.includes(path.at(-1))
    ? "write {} for the defaults"
    : isList
      ? "list something below it"
      : "write something here";
  return {
    code: "invalid-value",
    path,
    atKey: true,
    message: `\`${keyText(path)}\` is empty`,
    hint: canBeLeftOut(path, root) ? `delete the line, or ${filled}` : filled,
  };
}

function canBeLeftOut(path: KeyPath, root: Schema): boolean {
  const keys = schemasAt(root, path.slice(0, -1)).flatMap((schema) => shapeOf(schema)[path.at(-1) as string] ?? []);
  return keys.every((schema) => schema._zod.optin !== undefined);
}

function wrongValue(issue: Issue, path: KeyPath, value: unknown): Violation {
  if (keyText(path) === "security.stage" && typeof value === "string" && Object.hasOwn(RENAMED_STAGES, value))
    return renamed(`stage: ${value}`, `stage: ${RENAMED_STAGES[value]}`, path, false);
  const name = issue.code === "invalid_format" && NAME_PATTERNS.has((issue as { pattern?: string }).pattern ?? "");
  return {
    code: name ? "invalid-name" : "invalid-value",
    path,
    message: `${shown(value, path)} cannot be used as ${path.length > 0 ? keyText(path) : "a cluster file"}`,
    hint: path.length > 0 ? issue.message : "describe a cluster: docs/cluster-file.md has every key",
  };
}

const wrongKey = (issue: Issue, path: KeyPath): Violation => ({
  ...wrongValue(issue, path, path.at(-1)),
  message: `${shown(path.at(-1), [])} cannot be used as a key of ${keyText(path.slice(0, -1))}`,
  atKey: true,
});

const LONGEST = 80;
/** A registry or a mirror can have user:password@ without a scheme. A digest has such an @, too. */
const USER_PASSWORD = /(?<=^[^\s/:@]*:)(?!\/\/)[^\s@]+(?=@(?!sha256:))/;

/** A value as messages quote it: shortened, and without secrets. */
function shown(value: unknown, path: KeyPath): string {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "a mapping";
  if (path.some((key) => typeof key === "string" && namesSecret(key))) return "the value";
  const written =
    typeof value === "string" ? JSON.stringify(masked(value).replace(USER_PASSWORD, "***")) : String(value);
  return written.length > LONGEST ? `${written.slice(0, LONGEST - 3)}...` : written;
}

/** The keys that a schema has at a path, in all branches of its unions. */
function keysIn(root: Schema, path: KeyPath): string[] {
  return [...new Set(schemasAt(root, path).flatMap((schema) => Object.keys(shapeOf(schema))))];
}

/** The keys of the cluster file at a path; none where its keys are the user's own. */
export const knownKeys = (path: KeyPath): string[] => keysIn(clusterSchema, path);

/** The schemas of a path: all branches, for a union. */
const schemasAt = (root: Schema, path: KeyPath): Schema[] =>
  path.reduce<Schema[]>((at, key) => at.flatMap((schema) => step(schema, key)), branchesOf(root));

function step(schema: Schema, key: string | number): Schema[] {
  const { element, valueType } = schema._zod.def as { element?: Schema; valueType?: Schema };
  const next = element ?? valueType ?? shapeOf(schema)[key];
  return next ? branchesOf(next) : [];
}

function branchesOf(schema: Schema): Schema[] {
  const { innerType, options } = schema._zod.def as { innerType?: Schema; options?: Schema[] };
  if (innerType) return branchesOf(innerType);
  return options ? options.flatMap(branchesOf) : [schema];
}

const shapeOf = (schema: Schema): Record<string, Schema> =>
  (schema._zod.def as { shape?: Record<string, Schema> }).shape ?? {};
