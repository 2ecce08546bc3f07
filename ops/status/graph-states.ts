import type { Graph, State } from "../diagram/graph";
import type { HealthProblem } from "../inspect/health-problem";
import type { AgentStatus, HostStatus, Status } from "./status";

/** A graph with the state of each host and agent. */
export function withStates(graph: Graph, status: Status): Graph {
  const hosts = new Map(status.hosts.map((host) => [host.name, host]));
  const agents = new Map(status.agents.map((agent) => [agent.name, agent]));
  const unreachable = new Set(status.hosts.filter(({ why }) => why !== undefined).map(({ name }) => name));
  return {
    ...graph,
    live: { at: status.at, well: status.healthy },
    hosts: graph.hosts.map((host) => ({ ...host, state: hostState(hosts.get(host.name), status) })),
    agents: graph.agents.map((agent) => ({ ...agent, state: agentState(agents.get(agent.name), unreachable, status) })),
  };
}

function hostState(host: HostStatus | undefined, { problems }: Status): State | undefined {
  if (!host) return undefined;
  if (host.why !== undefined) return { health: "unreachable", words: "unreachable" };
  const found = problems.find(({ location }) => location.host === host.name && location.agent === undefined);
  return found ? { health: "unhealthy", words: short(found) } : { health: "healthy", words: "" };
}

function agentState(
  agent: AgentStatus | undefined,
  unreachable: ReadonlySet<string>,
  { problems, leader }: Status,
): State | undefined {
  if (!agent) return undefined;
  if (unreachable.has(agent.host)) return { health: "unreachable", words: "" };
  const leads = leader?.agent === agent.name && { leads: true };
  const found = problems.find(({ location }) => location.agent === agent.name);
  return found ? { health: "unhealthy", words: short(found), ...leads } : { health: "healthy", words: "", ...leads };
}

/** As much as a box has room for. */
function short({ message, summary }: HealthProblem): string {
  const words = summary ?? message;
  return words.length > 60 ? `${words.slice(0, 59)}…` : words;
}
