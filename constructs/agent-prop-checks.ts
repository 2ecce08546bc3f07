import type { Construct } from "constructs";
import { catalogue } from "../cluster/catalogue";
import type { AgentSettings } from "../cluster/model";
import { keyText } from "../cluster/problem";
import { secretsIn } from "../cluster/secret-settings";
import { declarationProblems, duplicateIds, type Located } from "../cluster/validate/services";
import type { Role } from "../consul/ports";
import type { ConsulAgentProps } from "./agent-props";
import { ADDITIONS, AGENT_SCHEMAS } from "./agent-schema";
import { NESTED, NO_VALUES, nested } from "./agent-settings";
import type { Declared } from "./declared-services";
import { rejectUnknown } from "./prop-names";
import { isComputed, reject, rejectWrong } from "./prop-values";

/**
 * What is checked of an agent's props, by the rules of the cluster file. Each problem has the construct's path and the
 * prop's name.
 */

/**
 * Rejects props that an agent does not have, and wrong values.
 * @throws ClusterError with every wrong value, every secret, or every id that two services or checks have
 * @throws Error for a prop that does not exist
 */
export function checkProps(agent: Construct, role: Role, props: ConsulAgentProps): void {
  const schema = AGENT_SCHEMAS[role];
  rejectUnknown(agent, props, [...NO_VALUES, ...Object.keys(schema.shape)]);
  for (const [name, values] of nested(props)) rejectUnknown(agent, values, Object.keys(NESTED[name]), name);
  const { host, join, fileSettings, ...values } = props;
  // The id is the container's name. As a node's name, Consul takes any id.
  rejectWrong(agent, { ...values, container: values.container ?? agent.node.id }, schema);
  const { config, flags, services = [], checks = [], labels, log } = props;
  rejectSecrets(agent, { config, flags, services, checks, labels, log });
  rejectDuplicates(agent, { services, checks });
}

/**
 * Checks services and checks that an agent is about to have.
 * @throws ClusterError with every wrong value, every secret, or every id that two of them have
 */
export function checkDeclared(agent: Construct, declared: Declared): void {
  rejectWrong(agent, declared, ADDITIONS);
  rejectSecrets(agent, declared);
  rejectDuplicates(agent, declared);
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

const rejectSecrets = (agent: Construct, settings: Partial<ConsulAgentProps>): void =>
  reject(agent, secretsIn(settings));

const rejectDuplicates = (agent: Construct, { services, checks }: Declared): void =>
  reject(agent, duplicateIds(locatedIn("services", services), locatedIn("checks", checks)));
