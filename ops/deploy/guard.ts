import type { Cluster } from "../../cluster/model";
import { located, type Problem, type Violation } from "../../cluster/problem";
import { hostOfAlias } from "../../consul/contract";
import { foreignStates } from "../inspect/foreign-state";
import type { StackState, StateResource } from "../terraform/state";
import type { ResourceJson, Stack } from "../terraform/synth";

/**
 * Finds problems that only show when the file is compared with the Terraform states: containers that a deploy would stop
 * without a pre-stop check, leave running, or create twice.
 * @param states by the stacks' names, including stacks that the file no longer has
 */
export function guard(cluster: Cluster, stacks: readonly Stack[], states: ReadonlyMap<string, StackState>): Problem[] {
  const foreign = foreignStates(cluster, states).map(
    (found): Violation => ({ code: "state-of-other-cluster", path: ["name"], ...found }),
  );
  // What such a state has would otherwise look like agents whose lines were deleted.
  const found = foreign.length > 0 ? foreign : violations(cluster, stacks, states);
  return found.map((violation) => located(violation, cluster.locate));
}

function violations(cluster: Cluster, stacks: readonly Stack[], states: ReadonlyMap<string, StackState>): Violation[] {
  const stackOf = new Map(
    stacks.flatMap(({ name, json }) =>
      Object.keys(json.resource?.docker_container ?? {}).map((agent) => [agent, name]),
    ),
  );
  return [...states].flatMap(([name, { resources }]) => {
    const managed = resources.filter(({ mode }) => mode === "managed");
    const agents = managed.filter(isAgent);
    const stack = stacks.find((one) => one.name === name);
    const movedAgents = agents.filter((agent) => (stackOf.get(agent.name) ?? name) !== name);
    const moved = movedAgents.map((agent) => stackMoved(cluster, agent, name, stackOf.get(agent.name) as string));
    const gone = agents.filter((agent) => !stackOf.has(agent.name));
    if (!stack)
      return managed.length === 0 || (moved.length > 0 && gone.length === 0)
        ? moved
        : [...moved, stackGone(name, managed, gone)];
    const elsewhere = new Set(movedAgents.map(({ provider }) => provider));
    const here = agents.filter((agent) => stackOf.get(agent.name) === name);
    return [
      ...gone.map((agent) => lineDeleted(agent, name)),
      ...moved,
      ...here.flatMap((agent) => hostMoved(cluster, agent, stack)),
      ...networksReplaced(managed, agents, stack),
      ...hostsGone(
        managed.filter(({ provider }) => !elsewhere.has(provider)),
        stack,
      ),
    ];
  });
}

/** Whether it is a Consul agent's container: users may add others to a stack. */
const isAgent = ({ type, deposed, attributes: { command } }: StateResource): boolean =>
  type === "docker_container" && !deposed && Array.isArray(command) && command[0] === "agent";

const roleOf = ({ attributes: { command } }: StateResource): "server" | "client" =>
  Array.isArray(command) && command.includes("-server") ? "server" : "client";

const placeOf = (cluster: Cluster, { name }: StateResource): Violation["path"] =>
  cluster.agents.find((agent) => agent.name === name)?.path ?? [];

const hostOf = (alias: string | undefined): string => hostOfAlias(alias ?? "");

function lineDeleted(agent: StateResource, stack: string): Violation {
  const role = roleOf(agent);
  const harm =
    role === "server"
      ? "it would be stopped without a pre-stop check, and stay a voter that is down"
      : "it would be stopped, and stay a member that has failed";
  return {
    code: "line-deleted",
    path: [`${role}s`],
    atKey: true,
    message: `${role} "${agent.name}" is no longer in the file, and stack "${stack}" has its container: ${harm}`,
    hint: "restore its line with `decommission: true` and deploy, then delete the line. To stop it as it is: --allow line-deleted. If its container is gone, and the Terraform state is an older one: npm run adopt (docs/lost-state.md)",
  };
}

function stackMoved(cluster: Cluster, agent: StateResource, from: string, to: string): Violation {
  return {
    code: "stack-moved",
    path: placeOf(cluster, agent),
    message: `the file has "${agent.name}" in stack "${to}", and its container is in stack "${from}": one stack would create it while the other still has it`,
    hint: "move its Terraform state first, as docs/layouts.md describes, or restore the `group` of its host",
  };
}

function hostMoved(cluster: Cluster, agent: StateResource, { json }: Stack): Violation[] {
  const to = hostOf(json.resource?.docker_container?.[agent.name]?.provider?.replace(/^docker\./, ""));
  const from = hostOf(agent.provider);
  if (from === to) return [];
  return [
    {
      code: "host-moved",
      path: placeOf(cluster, agent),
      message: `the file has "${agent.name}" on host "${to}", and its container is on host "${from}": that container would keep running`,
      hint: `restore it on "${from}" with \`decommission: true\` and deploy, then move it. If it is the same host under another name: --allow host-moved`,
    },
  ];
}

/**
 * Terraform destroys all containers of a network before it creates that anew: the first agent could not be started again
 * before the others are stopped, and their pre-stop checks would wait for it.
 */
function networksReplaced(
  managed: readonly StateResource[],
  agents: readonly StateResource[],
  { json }: Stack,
): Violation[] {
  // Another network may be of the stack's owner.
  const ofHosts = managed.filter(({ type, name, provider }) => type === "docker_network" && name === provider);
  return ofHosts.flatMap((network) => {
    const before = subnetOf(network.attributes);
    const after = subnetOf(json.resource?.docker_network?.[network.name]);
    const on = agents.filter(({ provider }) => provider === network.provider).map(({ name }) => name);
    if (after === undefined || after === before || on.length < 2) return [];
    return {
      code: "network-replaced",
      path: ["subnet"],
      message: `host "${hostOf(network.provider)}" has a bridge network with subnet ${before}, and ${on.join(", ")} would all be stopped before it could be replaced`,
      hint: `restore \`subnet: ${before}\`. To stop them all at once: CONSUL_ALLOW_QUORUM_LOSS=yes, and --allow network-replaced`,
    };
  });
}

const subnetOf = (network: Pick<ResourceJson, "ipam_config"> | undefined): string | undefined =>
  network?.ipam_config?.[0]?.subnet;

function stackGone(stack: string, resources: readonly StateResource[], agents: readonly StateResource[]): Violation {
  const what = (agents.length > 0 ? agents : resources).map(({ address }) => address).join(", ");
  return {
    code: "stack-gone",
    path: ["hosts"],
    atKey: true,
    message: `no host of the file is in stack "${stack}" any more, and its Terraform state has ${what}: no deploy would manage them`,
    hint: `restore its hosts and agents, the agents with \`decommission: true\`, deploy, \`npm run destroy -- ${stack}\`, then delete them. If the hosts have failed permanently: --allow stack-gone`,
  };
}

/** Terraform needs the provider of each resource, and every plan fails without it. */
function hostsGone(resources: readonly StateResource[], { name, folder, json }: Stack): Violation[] {
  const aliases = new Set((json.provider?.docker ?? []).map(({ alias }) => alias));
  const configured = ({ type, name }: StateResource) => json.resource?.[type]?.[name] !== undefined;
  const stranded = resources.filter(
    (one) => one.provider !== undefined && !aliases.has(one.provider) && !configured(one),
  );
  return [...new Set(stranded.map(({ provider }) => provider))].map((provider) => {
    const addresses = stranded.filter((one) => one.provider === provider).map(({ address }) => `'${address}'`);
    return {
      code: "host-gone",
      path: ["hosts"],
      atKey: true,
      message: `host "${hostOf(provider)}" is no longer in the file, and stack "${name}" has ${addresses.length} resources of it, for which Terraform has no provider any more`,
      hint: `restore it; or, if nothing of Consul runs there, remove them from the Terraform state: terraform -chdir=${folder} state rm ${addresses.join(" ")}`,
    };
  });
}
