import type { AgentDescription, Cluster } from "../../cluster/model";
import { unreachableHosts } from "../docker/hosts";
import { probeAgent } from "../inspect/probe";
import { parallel } from "../parallel";

/** A server whose API answers, and its view of Raft. */
export interface ServerProbe {
  readonly agent: AgentDescription;
  readonly leads: boolean;
  /** The leader's address and server port, as this server knows it; empty when it knows none. */
  readonly leader: string;
  /** Index of the last Raft entry that it has applied. */
  readonly index: number;
}

export interface ServerProbes {
  /** The leader first, then servers that know a leader, then those with most entries. */
  readonly servers: readonly ServerProbe[];
  /** Why other servers are unreachable, one line each. */
  readonly unreachable: readonly string[];
}

/** Docker CLIs in parallel, each with an ssh connection. */
const PARALLEL = 16;

export const serversOf = ({ agents }: Cluster): AgentDescription[] =>
  agents.filter(({ role, decommission }) => role === "server" && !decommission);

/** Probes every server of the file, in its container. After an interrupted restore, the cluster may accept the management token alone. */
export async function probeServers(cluster: Cluster): Promise<ServerProbes> {
  const all = serversOf(cluster);
  const hosts = cluster.hosts.filter(({ name }) => all.some(({ host }) => host.name === name));
  const reasons = await unreachableHosts(hosts);
  const probes = await parallel(all, PARALLEL, async (agent): Promise<ServerProbe | string> => {
    const why = reasons.get(agent.host.name);
    if (why !== undefined) return `${agent.name}: its host is unreachable: ${why}`;
    const view = await probeAgent(cluster, agent, { scope: "raft", token: "management" });
    if (typeof view === "string") return `${agent.name}: ${view.slice(0, 200)}`;
    return { agent, leads: view.raft === "Leader", leader: view.leader, index: view.index ?? 0 };
  });
  const servers = probes.filter((probe) => typeof probe !== "string");
  const rank = ({ leads, leader }: ServerProbe) => {
    if (leads) return 0;
    return leader === "" ? 2 : 1;
  };
  return {
    servers: servers.sort((a, b) => rank(a) - rank(b) || b.index - a.index),
    unreachable: probes.filter((probe) => typeof probe === "string"),
  };
}

/**
 * The server that a request for the leader goes to: the leader itself, or any server that knows it.
 * @throws when no server knows a leader
 */
export function bestServer({ servers, unreachable: reasons }: ServerProbes): ServerProbe {
  const [first] = servers;
  if (first && first.leader !== "") return first;
  throw new Error([first ? "no reachable server knows a leader" : "no server is reachable", ...reasons].join("\n"));
}
