import { Token } from "cdktf";
import type { Construct } from "constructs";
import type { z } from "zod";
import { PARSING, schemaViolations } from "../cluster/file/schema-errors";
import { ClusterError, type KeyPath, keyText, type Locate, located, type Violation } from "../cluster/problem";
import { valueAt } from "../cluster/validate/paths";
import type { SettingNames } from "./prop-names";

/** The rules of a cluster file's settings, by the props' names. */
export const byProps = (
  names: SettingNames,
  ofFile: Readonly<Record<string, z.ZodType>>,
): Readonly<Record<string, z.ZodType>> =>
  Object.fromEntries(Object.entries(names).map(([prop, key]) => [prop, ofFile[key] as z.ZodType]));

/**
 * Rejects values that a cluster file cannot have.
 * @throws ClusterError with every wrong value, each with the construct's path and the prop's name
 */
export function rejectWrong(construct: Construct, props: object, schema: z.ZodType): void {
  const values = withoutUndefined(props) as object;
  const { error } = schema.safeParse(values, PARSING);
  if (error === undefined) return;
  const violations = schemaViolations(error, schema);
  reject(
    construct,
    violations.filter(({ path }) => !isComputed(values, path)),
  );
}

/** @throws ClusterError with each violation at the construct's path, unless there is none */
export function reject(construct: Construct, violations: readonly Violation[]): void {
  if (violations.length === 0) return;
  const locate: Locate = ({ path }) => ({ path: keyText([construct.node.path, ...path]) });
  throw new ClusterError(violations.map((violation) => located(violation, locate)));
}

/**
 * Whether only Terraform knows a value, or what the value is in, so that its format cannot be checked here: a token of
 * CDKTF's, or an expression.
 */
export const isComputed = (values: object, path: KeyPath): boolean =>
  path.some((_, depth) => {
    const value = valueAt(values, path.slice(0, depth + 1));
    return Token.isUnresolved(value) || (typeof value === "string" && value.includes("${"));
  });

/** Programs write `key: undefined` for a key that is absent. Objects that CDKTF resolves stay as they are. */
function withoutUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutUndefined);
  if (typeof value !== "object" || value === null || Token.isUnresolved(value)) return value;
  const given = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(given.map(([key, item]) => [key, withoutUndefined(item)]));
}
