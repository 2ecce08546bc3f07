import type { StackState } from "../terraform/state";
import type { ResourceJson, StackJson } from "../terraform/synth";

export interface LeftOut {
  /** The stack's JSON without the edges to what is left out. */
  readonly json: StackJson;
  /** Addresses of all the rest, for Terraform's `-target`. */
  readonly targets: readonly string[];
}

/**
 * Leaves hosts' resources out of a deploy, so that their daemons are asked nothing: theirs, and whatever is made of their values (gates, the last step
 * of the servers). What merely comes after them is deployed without waiting.
 * @param state for what is to be removed, which the JSON no longer has
 */
export function leaveOut(json: StackJson, state: StackState, hosts: readonly string[]): LeftOut {
  const resources = new Map(
    Object.entries(json.resource ?? {}).flatMap(([type, named]) =>
      Object.entries(named).map(([name, resource]) => [`${type}.${name}`, resource]),
    ),
  );
  const aliases = new Set(hosts.map((host) => `${host}_host`));
  const left = new Set(
    [...resources]
      .filter(([, { provider }]) => aliases.has(String(provider).replace(/^docker\./, "")))
      .map(([address]) => address),
  );
  for (let before = -1; before < left.size; ) {
    before = left.size;
    for (const [address, resource] of resources) if (refersTo(resource, left)) left.add(address);
  }
  // Of an agent that is to go from a host that is left out, the gate has no provider, but the agent's name.
  const gone = state.resources.filter(
    ({ mode, type, name }) => mode === "managed" && !resources.has(`${type}.${name}`),
  );
  const goneThere = new Set(gone.filter(({ provider }) => aliases.has(provider ?? "")).map(({ name }) => name));
  const targets = [
    ...[...resources.keys()].filter((address) => !left.has(address)),
    ...gone.filter(({ name }) => !goneThere.has(name)).map(({ address }) => address),
  ];
  return { json: withoutEdges(json, left), targets: [...new Set(targets)].sort() };
}

function refersTo({ depends_on: _, ...resource }: ResourceJson, addresses: ReadonlySet<string>): boolean {
  const expressions = JSON.stringify(resource).match(/(?<!\$)\$\{[^}]*\}/g) ?? [];
  return expressions.some((expression) =>
    (expression.match(/\b[a-z]\w*\.[\w-]+/g) ?? []).some((address) => addresses.has(address)),
  );
}

function withoutEdges(json: StackJson, left: ReadonlySet<string>): StackJson {
  const cut = (resource: ResourceJson): ResourceJson =>
    resource.depends_on
      ? { ...resource, depends_on: resource.depends_on.filter((address) => !left.has(address)) }
      : resource;
  const resource = Object.fromEntries(
    Object.entries(json.resource ?? {}).map(([type, named]) => [
      type,
      Object.fromEntries(Object.entries(named).map(([name, one]) => [name, cut(one)])),
    ]),
  );
  return { ...json, resource };
}
