import { family } from "../../consul/address";
import { runsScriptChecks } from "../../consul/config";
import { MAX_PART_BYTES, sizeInRequest } from "../../consul/request-json";
import type { Check, Service } from "../file/schema";
import { CHECK_KEYS, SERVICE_KEYS } from "../file/service-schema";
import { comparedToLists, KNOWN_CONSUL } from "../known-consul";
import type { AgentDescription, AgentSettings, Draft } from "../model";
import { type KeyPath, keyText, type Violation } from "../problem";
import { didYouMean } from "../suggest";
import { inexactNumbers } from "./consul-settings";
import { unique, valueAt } from "./paths";

/**
 * Services and checks of agents. Consul reports many of these errors only when it loads the files: an agent that
 * reloads has then lost its services, and an agent that starts ends.
 */
export const serviceProblems = (draft: Draft): Violation[] =>
  unique(
    draft.agents.flatMap((agent) =>
      declarationProblems({
        ...agent,
        services: locatedIn<Service>(draft, agent, "services"),
        checks: locatedIn<Check>(draft, agent, "checks"),
        secured: draft.file.security !== "off",
      }),
    ),
  );

export interface Located<Value> {
  readonly value: Value;
  readonly path: KeyPath;
}

/** What an agent declares, and the settings that decide whether it may. */
export interface Declaration extends Pick<AgentSettings, "image" | "config" | "flags"> {
  readonly services: readonly Located<Service>[];
  readonly checks: readonly Located<Check>[];
  /** Whether the cluster has ACLs. */
  readonly secured: boolean;
  /** The agent's location. */
  readonly path: KeyPath;
}

export function declarationProblems(declaration: Declaration): Violation[] {
  const { services, checks: ofNode, image, secured } = declaration;
  if (services.length === 0 && ofNode.length === 0) return [];
  const ofServices = services.flatMap(checksOf);
  return [
    ...services.flatMap(({ value, path }) => unknownKeys(image, value, path, SERVICE_KEYS)),
    ...[...ofServices, ...ofNode].flatMap(({ value, path }) => unknownKeys(image, value, path, CHECK_KEYS)),
    ...services.flatMap((service) => serviceForm(service, secured)),
    ...[...ofServices, ...ofNode].flatMap(checkForm),
    ...ofNode.flatMap(nodeCheckForm),
    ...[...services, ...ofNode].flatMap(({ value, path }) => inexactNumbers(value, path)),
    ...duplicateIds(services, ofNode),
    ...undeclared(ofNode, services),
    ...(runsScriptChecks(declaration) ? [] : [...ofServices, ...ofNode].flatMap(forbidden)),
    ...tooMuch(declaration),
  ];
}

/** Services, and checks, of one id on an agent. */
export function duplicateIds(services: readonly Located<Service>[], ofNode: readonly Located<Check>[]): Violation[] {
  const ofServices = services.flatMap(checksOf).filter(({ value }) => value.id !== undefined);
  return [
    ...repeated("service", services, ({ id, name }) => id ?? name),
    ...repeated("check", [...ofServices, ...ofNode], ({ id, name }) => id ?? name),
  ];
}

/** The cluster's, and then the agent's own. */
function locatedIn<Value>({ file }: Draft, agent: AgentDescription, key: "services" | "checks"): Located<Value>[] {
  return [[key], [...agent.path, key]].flatMap((path: KeyPath) => {
    const values = valueAt(file, path);
    return Array.isArray(values) ? values.map((value: Value, index) => ({ value, path: [...path, index] })) : [];
  });
}

function checksOf({ value, path }: Located<Service>): Located<Check>[] {
  const several = (value.checks ?? []).map((check, index) => ({ value: check, path: [...path, "checks", index] }));
  return value.check ? [{ value: value.check, path: [...path, "check"] }, ...several] : several;
}

/** A label of DNS (agent/dnsutil of hashicorp/consul), and a name that an ACL rule can have (acl/validation.go). */
const DNS_LABEL = /^[a-zA-Z0-9-]{1,63}$/;
const ACL_NAME = /^[a-z0-9]([a-z0-9_-]{0,254}[a-z0-9])?$/;
/** The families of tagged addresses, by their names (agent.validateService, hashicorp/consul). */
const FAMILIES: Readonly<Record<string, 4 | 6>> = { lan_ipv4: 4, wan_ipv4: 4, lan_ipv6: 6, wan_ipv6: 6 };

function serviceForm({ value, path }: Located<Service>, secured: boolean): Violation[] {
  const { name, port, ports, tagged_addresses = {} } = value;
  const problems: Violation[] = [];
  if (secured && !ACL_NAME.test(name)) {
    problems.push({
      code: "invalid-name",
      path: [...path, "name"],
      message: `"${name}" is not a valid service name under ACLs`,
      hint: "use lower-case letters, digits, hyphens and underscores, up to 256, and begin and end with a letter or digit",
    });
  } else if (!DNS_LABEL.test(name)) {
    problems.push({
      code: "service-name",
      path: [...path, "name"],
      message: `DNS does not serve "${name}"`,
      hint: "use letters, digits and hyphens, up to 63, or silence this with `ignore: [service-name]`",
    });
  }
  if (port !== undefined && ports !== undefined) {
    problems.push({
      code: "invalid-value",
      path: [...path, "port"],
      message: `"${name}" has both \`port\` and \`ports\``,
      hint: "keep one of them",
    });
  }
  for (const [key, { address }] of Object.entries(tagged_addresses)) {
    const wanted = Object.hasOwn(FAMILIES, key) ? FAMILIES[key] : undefined;
    if (!wanted || family(address) === wanted) continue;
    problems.push({
      code: "invalid-address",
      path: [...path, "tagged_addresses", key, "address"],
      message: `${address} is not an IPv${wanted} address`,
      hint: `use an IPv${wanted} address, or another name than ${key}`,
    });
  }
  return problems;
}

/** Kinds of checks, as messages call them, with their keys. */
const KINDS: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(
    ["http", "tcp", "udp", "grpc", "h2ping", "args", "os_service", "ttl"].map((key) => [key, [key]]),
  ),
  alias: ["alias_service", "alias_node"],
};
/** The agent does not run checks of these kinds. */
const WITHOUT_INTERVAL = ["ttl", "alias"];

function checkForm({ value, path }: Located<Check>): Violation[] {
  const kinds = Object.keys(KINDS).filter((kind) => KINDS[kind]?.some((key) => value[key] !== undefined));
  const [kind, other] = kinds;
  const problems: Violation[] = [];
  if (kind === undefined) {
    const { docker_container_id: container } = value;
    problems.push({
      code: "check-kind",
      path,
      message:
        container === undefined
          ? Object.hasOwn(value, "script")
            ? "this check has a `script`, which ended with Consul 1.1"
            : "this check has no kind"
          : `this check has no script to run in the container ${container}`,
      hint:
        container === undefined
          ? Object.hasOwn(value, "script")
            ? 'write `args: ["/bin/sh", "-c", "..."]` in its place'
            : `give it one of ${Object.values(KINDS).flat().join(", ")}`
          : "add `args:`, the script and its arguments",
    });
  } else if (other !== undefined) {
    const key = KINDS[other]?.find((each) => value[each] !== undefined) as string;
    problems.push({
      code: "check-kind",
      path: [...path, key],
      atKey: true,
      message: `this check has two kinds: ${kind} and ${other}`,
      hint: "split it into two checks, under `checks:`",
    });
  } else if (WITHOUT_INTERVAL.includes(kind) && value.interval !== undefined) {
    problems.push({
      code: "check-kind",
      path: [...path, "interval"],
      atKey: true,
      message: `a check of kind ${kind} has no interval, because the agent does not run it`,
      hint: "remove `interval`",
    });
  } else if (!WITHOUT_INTERVAL.includes(kind) && value.interval === undefined) {
    problems.push({
      code: "missing-key",
      path,
      message: `\`interval\` is missing: how often the agent runs the ${kind} check`,
      hint: "add `interval: 10s`",
    });
  }
  return problems;
}

const nodeCheckForm = ({ value, path }: Located<Check>): Violation[] =>
  value.id !== undefined || value.name !== undefined
    ? []
    : [
        {
          code: "missing-key",
          path,
          message: "`name` is missing: a check outside a service needs one",
          hint: "add `name:`",
        },
      ];

function unknownKeys(image: string, value: object, path: KeyPath, known: readonly string[]): Violation[] {
  const forNewer = comparedToLists(image) === "newer" ? "; the agent's newer version may have it" : "";
  return Object.keys(value)
    .filter((key) => !known.includes(key))
    .map((key) => ({
      code: "unknown-consul-key",
      path: [...path, key],
      atKey: true,
      message: `${KNOWN_CONSUL} has no key "${key}" here${forNewer}${didYouMean(key, known)}`,
      hint: "fix it; or, if your version has it, silence this with `ignore: [unknown-consul-key]`",
    }));
}

function repeated<Value>(
  what: string,
  all: readonly Located<Value>[],
  idOf: (value: Value) => string | undefined,
): Violation[] {
  const firsts = new Map<string, KeyPath>();
  return all.flatMap(({ value, path }): Violation[] => {
    const id = idOf(value);
    if (id === undefined) return [];
    const first = firsts.get(id);
    if (first === undefined) {
      firsts.set(id, path);
      return [];
    }
    const message = `this ${what} has the id "${id}", as ${keyText(first)} of the same agent, and would replace it`;
    return [{ code: "duplicate-service", path, message, hint: "give one of them another `id:`" }];
  });
}

/** An agent does not start if the service of a check does not exist. */
function undeclared(checks: readonly Located<Check>[], services: readonly Located<Service>[]): Violation[] {
  const ids = services.map(({ value: { id, name } }) => id ?? name);
  return checks.flatMap(({ value: { service_id: id }, path }): Violation[] => {
    if (id === undefined || ids.includes(id)) return [];
    const message = `"${id}" is not a declared service of the agent${didYouMean(id, ids)}`;
    return [
      {
        code: "undeclared-service",
        path: [...path, "service_id"],
        message,
        hint: "declare it under `services:`, or remove `service_id`",
      },
    ];
  });
}

/** An agent does not start with a script check if those are disabled. */
const forbidden = ({ value, path }: Located<Check>): Violation[] =>
  value.args === undefined
    ? []
    : [
        {
          code: "script-checks-disabled",
          path: [...path, "args"],
          atKey: true,
          message: "this check runs a script, and its agent does not allow script checks",
          hint: "allow it with `config: { enable_local_script_checks: true }`, or use a check of kind http, tcp, udp or grpc",
        },
      ];

function tooMuch({ path, services, checks }: Declaration): Violation[] {
  const values = { services: services.map(({ value }) => value), checks: checks.map(({ value }) => value) };
  const size = sizeInRequest(JSON.stringify(values));
  if (size <= MAX_PART_BYTES) return [];
  return [
    {
      code: "too-much",
      path,
      message: `the agent's services and checks are ${size} bytes, and a deploy can pass on ${MAX_PART_BYTES}`,
      hint: "let the services register themselves by the API, or distribute them over agents",
    },
  ];
}
