import type { AgentDescription, Cluster } from "../../cluster/model";
import { apiOf } from "../consul-api/agent-view";
import { managedApi } from "../consul-api/consul-api";
import { unreachableHosts } from "../docker/hosts";
import { parallel } from "../parallel";

/** A server that answers, and what it says of raft. */
export interface ServerProbe {
  readonly agent: AgentDescription;
  readonly leads: boolean;
  /** The leader's address and server port, as it knows it; empty when there is none. */
  readonly leader: string;
  /** Of what it has applied. */
  readonly index: number;
}

export interface ServerProbes {
  /** The leader first, then those that know one, then whoever has most. */
  readonly servers: readonly ServerProbe[];
  /** Why others do not answer, a line each. */
  readonly silent: readonly string[];
}

/** Docker CLIs at once, each with an ssh. */
const AT_ONCE = 16;

export const serversOf = ({ agents }: Cluster): AgentDescription[] =>
  agents.filter(({ role, decommission }) => role === "server" && !decommission);

/** Asks every server of the file, in its own container. */
export async function probeServers(cluster: Cluster): Promise<ServerProbes> {
  const all = serversOf(cluster);
  const dead = await unreachableHosts(cluster.hosts.filter(({ name }) => all.some(({ host }) => host.name === name)));
  const seen = await parallel(all, AT_ONCE, async (agent): Promise<ServerProbe | string> => {
    const why = dead.get(agent.host.name);
    if (why !== undefined) return `${agent.name}: its host does not answer: ${why}`;
    const { ok, output, error } = await managedApi(apiOf(agent), "/v1/agent/self");
    return (
      (ok && parse(agent, output)) ||
      `${agent.name}: ${[error, output.trim().slice(0, 200)].filter(Boolean).join(": ")}`
    );
  });
  const servers = seen.filter((one) => typeof one !== "string");
  const rank = ({ leads, leader }: ServerProbe) => (leads ? 0 : leader === "" ? 2 : 1);
  return {
    servers: servers.sort((a, b) => rank(a) - rank(b) || b.index - a.index),
    silent: seen.filter((one) => typeof one === "string"),
  };
}

function parse(agent: AgentDescription, output: string): ServerProbe | undefined {
  try {
    const { Stats } = JSON.parse(output) as {
      Stats: { consul: { leader_addr: string }; raft: { state: string; applied_index: string } };
    };
    return {
      agent,
      leads: Stats.raft.state === "Leader",
      leader: Stats.consul.leader_addr,
      index: Number(Stats.raft.applied_index),
    };
  } catch {
    return undefined;
  }
}

/**
 * The server by which the leader is asked: itself, or any that knows one.
 * @throws when no server knows a leader
 */
export function bestServer({ servers, silent }: ServerProbes): ServerProbe {
  const [first] = servers;
  if (first && first.leader !== "") return first;
  throw new Error([first ? "the servers that answer know no leader" : "no server answers", ...silent].join("\n"));
}
