import { hostId } from "../../consul/contract";
import type { StackState } from "../terraform/state";
import type { ResourceJson, StackJson } from "../terraform/synth";

/** A stack without the resources of some hosts. */
export interface PartialStack {
  /** The stack's JSON, without dependencies on the excluded resources. */
  readonly json: StackJson;
  /** Addresses of all other resources, for Terraform's `-target`. */
  readonly targets: readonly string[];
}

/**
 * Excludes the resources of hosts from a deploy, so that Terraform does not connect to their daemons. Resources that
 * refer to an excluded resource are excluded too (its readiness check, the voters step). Resources that only depend on
 * an excluded resource are deployed without it.
 * @param state has the resources that are to be removed, which the JSON no longer has
 */
export function excludeHosts(json: StackJson, state: StackState, hosts: readonly string[]): PartialStack {
  const resources = new Map(
    Object.entries(json.resource ?? {}).flatMap(([type, named]) =>
      Object.entries(named).map(([name, resource]) => [`${type}.${name}`, resource]),
    ),
  );
  const aliases = new Set(hosts.map(hostId));
  const excluded = new Set(
    [...resources]
      .filter(([, { provider }]) => aliases.has(String(provider).replace(/^docker\./, "")))
      .map(([address]) => address),
  );
  for (let before = -1; before < excluded.size; ) {
    before = excluded.size;
    for (const [address, resource] of resources) if (refersTo(resource, excluded)) excluded.add(address);
  }
  // The readiness check of an agent that is to be removed has no provider, but it has the agent's name.
  const removed = state.resources.filter(
    ({ mode, type, name }) => mode === "managed" && !resources.has(`${type}.${name}`),
  );
  const excludedAgents = new Set(removed.filter(({ provider }) => aliases.has(provider ?? "")).map(({ name }) => name));
  const targets = [
    ...[...resources.keys()].filter((address) => !excluded.has(address)),
    ...removed.filter(({ name }) => !excludedAgents.has(name)).map(({ address }) => address),
  ];
  return { json: withoutDependencies(json, excluded), targets: [...new Set(targets)].sort() };
}

function refersTo({ depends_on: _, ...resource }: ResourceJson, addresses: ReadonlySet<string>): boolean {
  const expressions = JSON.stringify(resource).match(/(?<!\$)\$\{[^}]*\}/g) ?? [];
  return expressions.some((expression) =>
    (expression.match(/\b[a-z]\w*\.[\w-]+/g) ?? []).some((address) => addresses.has(address)),
  );
}

function withoutDependencies(json: StackJson, excluded: ReadonlySet<string>): StackJson {
  const independent = (resource: ResourceJson): ResourceJson =>
    resource.depends_on
      ? { ...resource, depends_on: resource.depends_on.filter((address) => !excluded.has(address)) }
      : resource;
  const resource = Object.fromEntries(
    Object.entries(json.resource ?? {}).map(([type, named]) => [
      type,
      Object.fromEntries(Object.entries(named).map(([name, resource]) => [name, independent(resource)])),
    ]),
  );
  return { ...json, resource };
}
