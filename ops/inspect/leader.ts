import type { AgentDescription } from "../../cluster/model";
import { ALIVE, type RaftServer } from "../../rollout/queries";
import { type HealthProblem, healthProblem } from "./health-problem";
import type { InspectedAgent } from "./inspected-agent";
import { type AgentProbe, serfStatusName } from "./probe";

/** An agent whose API answers. */
export type ReachableAgent = InspectedAgent & { readonly view: AgentProbe };

export const isReachable = (inspected: InspectedAgent): inspected is ReachableAgent =>
  typeof inspected.view !== "string";

/** The leader of a cluster. */
export interface Leadership {
  /** Its address and server port. */
  readonly address: string;
  /** Its node name in the Raft configuration; undefined when no reachable server knows it. */
  readonly node?: string;
  /** The agent whose view counts for the cluster: the leader itself, otherwise a server that follows it. */
  readonly source?: ReachableAgent;
}

/** The leader that most servers follow, because a partitioned server may follow another; undefined when no agent knows one. */
export function leadership(agents: readonly InspectedAgent[]): Leadership | undefined {
  const reachable = agents.filter(isReachable);
  const votes = new Map<string, number>();
  for (const { agent, view } of reachable) {
    if (view.leader === "") continue;
    // A client agent repeats what some server says.
    const weight = agent.role === "server" ? agents.length : 1;
    votes.set(view.leader, (votes.get(view.leader) ?? 0) + weight);
  }
  const [most] = [...votes].sort(([a, votesOfA], [b, votesOfB]) => votesOfB - votesOfA || (a < b ? -1 : 1));
  if (!most) return undefined;
  const [address] = most;
  const following = reachable.filter(({ agent, view }) => agent.role === "server" && view.leader === address);
  const node = following.map(({ view }) => serverAt(view, address)?.Node).find((name) => name !== undefined);
  return { address, node, source: following.find(({ agent }) => agent.node === node) ?? following[0] };
}

const serverAt = ({ servers }: AgentProbe, address: string): RaftServer | undefined =>
  servers?.find(({ Address }) => Address === address);

/** Agents that follow another leader than most agents. */
export function otherLeaders(agents: readonly InspectedAgent[], leader: Leadership | undefined): HealthProblem[] {
  return agents.filter(isReachable).flatMap(({ agent, view }): HealthProblem[] => {
    if (!leader || view.leader === "" || view.leader === leader.address) return [];
    const message = `it follows the leader ${view.leader}, and most agents follow ${leader.address}`;
    const at = { host: agent.host.name, agent: agent.name };
    return [healthProblem({ ...at, code: "two-leaders", message, hint: "docs/two-leaders.md" })];
  });
}

/**
 * Servers that the leader's autopilot reports as unhealthy, and that have no other problem, nor their hosts.
 * @param file all agents of the cluster file, also those that were not inspected
 */
export function unhealthyServers(
  file: readonly AgentDescription[],
  { source }: Leadership,
  found: readonly HealthProblem[],
): HealthProblem[] {
  const health = source?.view.health ?? [];
  const newest = Math.max(0, ...health.map(({ LastIndex }) => LastIndex));
  return health.flatMap((server): HealthProblem[] => {
    const agent = file.find(({ node }) => node === server.Name);
    if (server.Healthy || (agent && found.some((problem) => concerns(problem, agent)))) return [];
    const details = `${server.SerfStatus}, ${newest - server.LastIndex} entries behind, last contact ${server.LastContact}`;
    const message = `autopilot reports server ${server.Name} as unhealthy (${details})`;
    if (agent) {
      const at = { host: agent.host.name, agent: agent.name };
      return [healthProblem({ ...at, code: "server-unhealthy", message, hint: `docker logs ${agent.container}` })];
    }
    return [
      healthProblem({
        code: "server-unhealthy",
        host: source?.agent.host.name,
        message: `${message}, and the file has no such server`,
        hint: "if it has permanently failed: consul operator raft remove-peer",
      }),
    ];
  });
}

/** Whether a problem is an agent's own, or its host's. */
const concerns = ({ location }: HealthProblem, { name, host }: AgentDescription): boolean =>
  location.agent === name || (location.agent === undefined && location.host === host.name);

/** Agents whose API answers, and that the cluster's gossip has lost. */
export function unreachableAgents(
  agents: readonly InspectedAgent[],
  { source }: Leadership,
  found: readonly HealthProblem[],
): HealthProblem[] {
  const members = new Map((source?.view.members ?? []).map(({ Name, Status }) => [Name, Status]));
  return agents.filter(isReachable).flatMap(({ agent }): HealthProblem[] => {
    const status = members.get(agent.node);
    if (!source || status === ALIVE || found.some(({ location }) => location.agent === agent.name)) return [];
    const seen = status === undefined ? "does not know it" : `has it as ${serfStatusName(status)}`;
    return [
      healthProblem({
        code: "agent-unreachable",
        host: agent.host.name,
        agent: agent.name,
        message: `its API answers, and ${source.agent.name} ${seen}`,
        hint: `check the network between them; docker logs ${agent.container}`,
      }),
    ];
  });
}
