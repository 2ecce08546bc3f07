import type { Graph, State } from "../diagram/graph";
import type { AgentStatus, HostStatus, Status } from "./status";

/** A graph with the states of its hosts and agents. */
export function withStates(graph: Graph, status: Status): Graph {
  const hosts = new Map(status.hosts.map((host) => [host.name, host]));
  const agents = new Map(status.agents.map((agent) => [agent.name, agent]));
  const silent = new Set(status.hosts.filter(({ why }) => why !== undefined).map(({ name }) => name));
  return {
    ...graph,
    live: { at: status.at, well: status.well },
    hosts: graph.hosts.map((host) => ({ ...host, state: hostState(hosts.get(host.name), status) })),
    agents: graph.agents.map((agent) => ({ ...agent, state: agentState(agents.get(agent.name), silent, status) })),
  };
}

function hostState(host: HostStatus | undefined, { findings }: Status): State | undefined {
  if (!host) return undefined;
  if (host.why !== undefined) return { health: "unreachable", words: "unreachable" };
  const found = findings.find((finding) => finding.host === host.name && finding.agent === undefined);
  return found ? { health: "unhealthy", words: short(found.what) } : { health: "healthy", words: "" };
}

function agentState(
  agent: AgentStatus | undefined,
  silent: ReadonlySet<string>,
  { findings, leader }: Status,
): State | undefined {
  if (!agent) return undefined;
  if (silent.has(agent.host)) return { health: "unreachable", words: "" };
  const leads = leader?.agent === agent.name && { leads: true };
  const found = findings.find((finding) => finding.agent === agent.name);
  return found
    ? { health: "unhealthy", words: short(found.what), ...leads }
    : { health: "healthy", words: "", ...leads };
}

/** As much as a box has room for. */
function short(what: string): string {
  const words = what
    .replace(/^it runs, and is not in: /, "")
    .replace(/^(it knows no leader|its API does not answer): .*$/s, "$1");
  return words.length > 60 ? `${words.slice(0, 59)}…` : words;
}
