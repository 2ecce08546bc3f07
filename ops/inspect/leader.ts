import type { AgentDescription } from "../../cluster/model";
import type { Finding, InspectedAgent } from "./findings";
import { type AgentProbe, type RaftServer, serfStatusName } from "./probe";

/** Somebody whose agent answers. */
export type ReachableAgent = InspectedAgent & { readonly view: AgentProbe };

export const isReachable = (examined: InspectedAgent): examined is ReachableAgent => typeof examined.view !== "string";

/** Who leads. */
export interface Leadership {
  /** Its address and server port. */
  readonly address: string;
  /** Its node name, as the raft configuration has it; undefined when nobody who was asked can tell. */
  readonly node?: string;
  /** Who speaks for the cluster: the leader itself, or else a server that follows it. */
  readonly source?: ReachableAgent;
}

/** The leader that most servers know, since one that was cut off may have another; undefined when nobody knows any. */
export function leadership(agents: readonly InspectedAgent[]): Leadership | undefined {
  const speaking = agents.filter(isReachable);
  const votes = new Map<string, number>();
  for (const { agent, view } of speaking) {
    // A client says what some server says.
    if (view.leader !== "")
      votes.set(view.leader, (votes.get(view.leader) ?? 0) + (agent.role === "server" ? agents.length : 1));
  }
  const [most] = [...votes].sort(([one, few], [other, many]) => many - few || (one < other ? -1 : 1));
  if (!most) return undefined;
  const [address] = most;
  const following = speaking.filter(({ agent, view }) => agent.role === "server" && view.leader === address);
  const node = following.map(({ view }) => serverAt(view, address)?.node).find((name) => name !== undefined);
  return { address, node, source: following.find(({ agent }) => agent.node === node) ?? following[0] };
}

const serverAt = ({ servers }: AgentProbe, address: string): RaftServer | undefined =>
  servers?.find((server) => server.address === address);

/** Agents that follow another leader than most. */
export function otherLeaders(agents: readonly InspectedAgent[], leader: Leadership | undefined): Finding[] {
  return agents.filter(isReachable).flatMap(({ agent, view }): Finding[] => {
    if (!leader || view.leader === "" || view.leader === leader.address) return [];
    const what = `it knows another leader, ${view.leader}, than most agents, who know ${leader.address}`;
    return [{ host: agent.host.name, agent: agent.name, what, hint: "docs/recovery.md#two-leaders" }];
  });
}

/**
 * What the leader's autopilot finds wrong with servers that nothing else has been found about: neither of themselves nor of their hosts.
 * @param file all agents of the cluster file, those too that were not looked at
 */
export function unhealthy(
  file: readonly AgentDescription[],
  { source }: Leadership,
  found: readonly Finding[],
): Finding[] {
  const health = source?.view.health ?? [];
  return health.flatMap((server): Finding[] => {
    const known = file.find(({ node }) => node === server.node);
    if (
      server.healthy ||
      (known &&
        found.some(({ agent, host }) => agent === known.name || (agent === undefined && host === known.host.name)))
    )
      return [];
    const behind = Math.max(0, ...health.map(({ index }) => index)) - server.index;
    const what = `autopilot finds server ${server.node} not healthy (${server.status}, ${behind} entries behind, last contact ${server.contact})`;
    if (known) return [{ host: known.host.name, agent: known.name, what, hint: `docker logs ${known.container}` }];
    return [
      {
        host: source?.agent.host.name ?? "",
        what: `${what}, and the file has none of that name`,
        hint: "consul operator raft remove-peer, if it is gone for good",
      },
    ];
  });
}

/** Agents that are in, and that the cluster's gossip has lost nevertheless. */
export function unreachableServers(
  agents: readonly InspectedAgent[],
  { source }: Leadership,
  found: readonly Finding[],
): Finding[] {
  const members = new Map((source?.view.members ?? []).map((member) => [member.name, member.status]));
  return agents.filter(isReachable).flatMap(({ agent }): Finding[] => {
    const status = members.get(agent.node);
    if (!source || status === 1 || found.some((finding) => finding.agent === agent.name)) return [];
    const what = `it answers, and ${source.agent.name} ${status === undefined ? "does not know it" : `has lost it (${serfStatusName(status)})`}`;
    return [
      {
        host: agent.host.name,
        agent: agent.name,
        what,
        hint: `look at the network between them; docker logs ${agent.container}`,
      },
    ];
  });
}
