import { Token } from "cdktf";
import type { Construct } from "constructs";
import type { z } from "zod";
import { catalogue } from "../cluster/catalogue";
import { PARSING, schemaViolations } from "../cluster/file/schema-errors";
import type { AgentSettings } from "../cluster/model";
import { ClusterError, type KeyPath, keyText, located, type Violation } from "../cluster/problem";
import { secretsIn } from "../cluster/secret-settings";
import { valueAt } from "../cluster/validate/paths";
import { declarationProblems, duplicateIds, type Located } from "../cluster/validate/services";
import type { Role } from "../consul/ports";
import type { ConsulAgentProps } from "./agent-props";
import { ADDITIONS, AGENT_SCHEMAS } from "./agent-schema";
import { NESTED, nested, OTHERS, SETTINGS } from "./agent-settings";
import type { Declared } from "./declared-services";
import { rejectUnknown } from "./prop-names";

/**
 * What is checked of the props of a program, by the rules of the cluster file. Each problem has the construct's path and
 * the prop's name.
 */

/** The names of the props that only one of the roles has. */
const OF_ROLE: Readonly<Record<Role, readonly string[]>> = {
  server: ["bootstrapExpect"],
  client: ["bootstrapExpect", "maxParallelClients"],
};

/**
 * Rejects props that an agent does not have, and wrong values.
 * @throws ClusterError with every wrong value, or with every secret, which the synthesized JSON would contain
 * @throws Error for a prop that does not exist
 */
export function checkProps(agent: Construct, role: Role, props: ConsulAgentProps): void {
  rejectUnknown(agent, props, [...OTHERS, ...Object.keys(SETTINGS), ...OF_ROLE[role]]);
  for (const [name, values] of nested(props)) rejectUnknown(agent, values, Object.keys(NESTED[name]), name);
  const { host, join, fileSettings, ...values } = props;
  // The id is the container's name. As a node's name, Consul takes any id.
  rejectWrong(agent, { ...values, container: values.container ?? agent.node.id }, AGENT_SCHEMAS[role]);
  const { config, flags, services = [], checks = [], labels, log } = props;
  rejectSecrets(agent, { config, flags, labels, log });
  checkDeclared(agent, { services, checks });
}

/**
 * Checks services and checks that an agent has, or is about to have.
 * @throws ClusterError with every wrong value, every secret, or every id that two of them have
 */
export function checkDeclared(agent: Construct, declared: Declared): void {
  const { services, checks } = declared;
  rejectWrong(agent, { services, checks }, ADDITIONS);
  rejectSecrets(agent, { services, checks });
  reject(agent, duplicateIds(locatedIn("services", services), locatedIn("checks", checks)));
}

/** @throws ClusterError if a label is no text, or a secret */
export function checkLabel(agent: Construct, name: string, value: string): void {
  const labels = { [name]: value };
  rejectWrong(agent, { labels }, ADDITIONS);
  rejectSecrets(agent, { labels });
}

/**
 * What is wrong with all services and checks of an agent, at its synthesis: a program adds them in any order.
 * @param settings decide what the agent may declare
 */
export function declaredErrors(settings: AgentSettings, declared: Declared): string[] {
  const services = locatedIn("services", declared.services);
  const checks = locatedIn("checks", declared.checks);
  return declarationProblems({ ...settings, secured: settings.stage !== "off", services, checks, path: [] })
    .filter(({ code, path }) => catalogue[code].severity === "error" && !isComputed(declared, path))
    .map(({ path, message, hint }) => `${path.length === 0 ? "" : `${keyText(path)}: `}${message}; ${hint}`);
}

const locatedIn = <Value>(name: string, values: readonly Value[]): Located<Value>[] =>
  values.map((value, index) => ({ value, path: [name, index] }));

function rejectWrong(agent: Construct, props: object, schema: z.ZodType): void {
  const values = withoutUndefined(props) as object;
  const { error } = schema.safeParse(values, PARSING);
  if (error === undefined) return;
  const violations = schemaViolations(error, schema);
  reject(
    agent,
    violations.filter(({ path }) => !isComputed(values, path)),
  );
}

const rejectSecrets = (agent: Construct, settings: Partial<ConsulAgentProps>): void =>
  reject(agent, secretsIn(settings));

function reject(agent: Construct, violations: readonly Violation[]): void {
  if (violations.length === 0) return;
  throw new ClusterError(
    violations.map((violation) => located(violation, ({ path }) => ({ path: keyText([agent.node.path, ...path]) }))),
  );
}

/**
 * Whether only Terraform knows a value, or what the value is in, so that its format cannot be checked here: a token of
 * CDKTF's, or an expression.
 */
const isComputed = (values: object, path: KeyPath): boolean =>
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
