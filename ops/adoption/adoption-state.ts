import type { AgentDescription } from "../../cluster/model";
import { ALIVE } from "../../rollout/queries";
import type { Container } from "../docker/container";
import { mayBelongTo, nodeOf, ownerOf } from "../inspect/ownership";
import type { AgentProbe } from "../inspect/probe";
import type { StateResource } from "../terraform/state";
import { type AdoptionProblem, adoptionProblem } from "./adoption-problem";

/** How far the adoption of an agent is. */
export type AdoptionState =
  /** It has no container; a deploy creates one. */
  | "absent"
  /** It runs in a container that was started by hand. */
  | "unmanaged"
  /** That container is stopped and renamed, and Terraform's is not ready yet. */
  | "in-progress"
  /** It runs in Terraform's container, which the Terraform state does not have. */
  | "unrecorded"
  | "adopted";

/** An agent with its adoption state. */
export interface AgentAdoption {
  readonly agent: AgentDescription;
  readonly state: AdoptionState;
  /** The container that was started by hand, under its own name or renamed. */
  readonly original?: Container;
  /** Terraform's container, which the Terraform state does not have. */
  readonly unrecorded?: Container;
  /** What the API of the container answers, if it has to be asked. */
  readonly view?: AgentProbe;
}

/** The containers of an agent that its host has. */
export interface FoundContainers {
  /** The one with the file's name. */
  readonly current?: Container;
  /** The one with the name that an unmanaged container has. */
  readonly unmanaged?: Container;
  /** The one that an adoption has renamed. */
  readonly retired?: Container;
}

/** The name that an adoption gives to an agent's original container. */
export const retiredContainerName = ({ container }: AgentDescription): string => `${container}-before`;

/**
 * Decides an agent's adoption state, and whether the Terraform state has a container for the agent.
 * @param cluster the name of the agent's cluster
 */
export function adoptionState(
  cluster: string,
  agent: AgentDescription,
  { current, unmanaged, retired }: FoundContainers,
  resources: readonly StateResource[],
): { readonly adoption: AgentAdoption; readonly recorded: boolean } {
  const find = (type: string) =>
    resources.find((resource) => resource.type === type && resource.name === agent.name && !resource.deposed);
  const recordedId = find("docker_container")?.attributes.id;
  const readinessStep = find("terraform_data");
  const recorded = recordedId !== undefined;
  const isCurrent = recorded && recordedId === current?.Id;
  const isReady = readinessStep !== undefined && !readinessStep.tainted;
  const as = (state: AdoptionState, original?: Container) => ({ adoption: { agent, state, original }, recorded });
  if (isCurrent && (!retired || isReady)) return as("adopted", retired);
  // A successor that is healthy goes on with its data: it was ready before the state was lost.
  if (current && isOwn(cluster, agent, current) && (!retired || (!isCurrent && isHealthy(current))))
    return { adoption: { agent, state: "unrecorded", original: retired, unrecorded: current }, recorded };
  if (retired) return as("in-progress", retired);
  return unmanaged ? as("unmanaged", unmanaged) : as("absent");
}

/** Whether a container is the one that Terraform creates for an agent. */
export function isOwn(cluster: string, agent: AgentDescription, container: Container): boolean {
  const owner = ownerOf(container);
  if (!owner || !AGENT_ROLES.includes(owner.role) || !mayBelongTo(owner, { cluster, agent: agent.name })) return false;
  return owner.agent !== undefined || nodeOf(container) === agent.node;
}

const AGENT_ROLES: readonly string[] = ["server", "client"];

const isHealthy = ({ State }: Container): boolean => State.Running && State.Health?.Status === "healthy";

/** Servers before client agents, which need servers to be ready; the leader last, so that leadership moves once. */
export function inOrder(adoptions: readonly AgentAdoption[]): AgentAdoption[] {
  const rank = ({ agent, view }: AgentAdoption) => {
    if (agent.role === "client") return 2;
    return view?.raft === "Leader" ? 1 : 0;
  };
  return [...adoptions].sort((a, b) => rank(a) - rank(b));
}

/** Problems that only a comparison of several agents shows. */
export function problemsBetween(adoptions: readonly AgentAdoption[]): AdoptionProblem[] {
  const running = adoptions.flatMap(({ agent, view }) => (view ? [{ agent, view }] : []));
  const [first] = running;
  const peersOf = ({ peers = [] }: AgentProbe) => [...peers].sort().join(" ");
  const ofRunning = running.flatMap(({ agent, view }) => {
    if (view.leader === "") {
      const hint = "recover the servers first: npm run status";
      return [adoptionProblem(agent, "adopt-no-leader", "its cluster has no leader", hint)];
    }
    if (!first || peersOf(view) === peersOf(first.view)) return [];
    const message = `its servers are ${peersOf(view)}, and those of ${first.agent.name} are ${peersOf(first.view)}`;
    return [adoptionProblem(agent, "adopt-other-cluster", message, "one of them is in another cluster")];
  });
  const isMember = (node: string) =>
    running.some(({ view }) => view.members.some(({ Name, Status }) => Name === node && Status === ALIVE));
  const ofAbsent = adoptions
    .filter(({ agent, state }) => state === "absent" && isMember(agent.node))
    .map(({ agent }) =>
      adoptionProblem(
        agent,
        "adopt-container-name",
        `it is a member, and its host has no container ${agent.container}`,
        `give its container's name: --container ${agent.name}=NAME`,
      ),
    );
  return [...ofRunning, ...ofAbsent];
}
