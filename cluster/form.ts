import type { z } from "zod";
import { didYouMean } from "./nearest";
import type { KeyPath, Problem } from "./problem";
import { clusterSchema, NAME_PATTERNS } from "./schema";

type Issue = z.core.$ZodIssue;
type Schema = z.core.$ZodType;

/** What zod found wrong with a cluster file's form, as problems of the catalogue. */
export function formProblems(error: z.ZodError): Problem[] {
  return error.issues.flatMap((issue) => problemsOf(issue, []));
}

function problemsOf(issue: Issue, base: KeyPath): Problem[] {
  const path: KeyPath = [...base, ...(issue.path as (string | number)[])];
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => unknownKey(key, path));
  if (issue.code === "invalid_key") return issue.issues.map((inner) => ({ ...wrongValue(inner, path, path.at(-1)), atKey: true }));
  if (issue.code === "invalid_union") {
    const meant = meantBranch(issue.errors as Issue[][]);
    if (meant) return meant.flatMap((inner) => problemsOf(inner, path));
  }
  if (issue.input === undefined && path.length > 0 && "input" in issue) return [missingKey(path)];
  return [wrongValue(issue, path, issue.input)];
}

/** Of a union's branches, the one whose type the value has: a mapping that lacks a key was not meant as a name. */
function meantBranch(branches: Issue[][]): Issue[] | undefined {
  return branches.find((issues) => !issues.some(({ code, path }) => path.length === 0 && (code === "invalid_type" || code === "invalid_value")));
}

function unknownKey(key: string, path: KeyPath): Problem {
  const known = knownKeys(path);
  return {
    code: "unknown-key",
    path: [...path, key],
    atKey: true,
    message: `"${key}" means nothing here${didYouMean(key, known)}`,
    mend: `known here: ${known.join(", ")}`,
  };
}

function missingKey(path: KeyPath): Problem {
  const key = String(path.at(-1));
  const parent = path.slice(0, -1);
  return { code: "missing-key", path: parent, message: `\`${key}\` is missing`, mend: `add \`${key}:\`` };
}

function wrongValue(issue: Issue, path: KeyPath, value: unknown): Problem {
  const name = issue.code === "invalid_format" && NAME_PATTERNS.has((issue as { pattern?: string }).pattern ?? "");
  const written = JSON.stringify(value) ?? String(value);
  return {
    code: name ? "invalid-name" : "invalid-value",
    path,
    message: `${written.length > 80 ? `${written.slice(0, 77)}...` : written} cannot be used ${path.length > 0 ? `as ${path.map((key, index) => (typeof key === "number" ? `[${key}]` : index === 0 ? key : `.${key}`)).join("")}` : "as a cluster file"}`,
    mend: issue.message.replace(/^Invalid (input|option): /, ""),
  };
}

/** The keys that the schema knows at a path, in all branches of its unions. */
function knownKeys(path: KeyPath): string[] {
  const schemas = path.reduce<Schema[]>((at, key) => at.flatMap((schema) => step(schema, key)), branchesOf(clusterSchema));
  return [...new Set(schemas.flatMap((schema) => Object.keys(shapeOf(schema))))];
}

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

const shapeOf = (schema: Schema): Record<string, Schema> => (schema._zod.def as { shape?: Record<string, Schema> }).shape ?? {};
