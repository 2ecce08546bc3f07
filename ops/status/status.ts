import type { AgentDescription, Cluster } from "../../cluster/model";
import type { Role } from "../../consul/ports";
import type { Stage } from "../../consul/security";
import type { Finding, InspectedAgent } from "../inspect/findings";
import { type AgentProbe, type FailingCheck, type ServerHealth, serfStatusName } from "../inspect/probe";
import { expiry } from "../secrets/certificate";
import { type Notice, noticesOf } from "./notices";
import type { StatusInspection } from "./status-inspector";

/** A cluster as it is: what `npm run status` shows. All in the order of names. */
export interface Status {
  readonly at: string;
  readonly cluster: { readonly name: string; readonly datacenter: string; readonly security: Stage };
  /** Nothing is wrong. */
  readonly well: boolean;
  /** What is wrong: what `npm run doctor` finds. */
  readonly findings: readonly Finding[];
  /** What is to be known, and is not wrong. */
  readonly notes: readonly Notice[];
  /** As most servers know it; undefined when nobody knows any. */
  readonly leader?: { readonly address: string; readonly agent?: string };
  /** Node names, as the leader has them; undefined when that is not known. */
  readonly voters?: readonly string[];
  /** Names, and checks that fail; undefined when that is not known. */
  readonly services?: { readonly names: readonly string[]; readonly failing: readonly FailingCheck[] };
  readonly hosts: readonly HostStatus[];
  readonly agents: readonly AgentStatus[];
}

export interface HostStatus {
  readonly name: string;
  readonly address: string;
  /** Its daemon's version; undefined when that does not answer. */
  readonly docker?: string;
  /** Why it does not. */
  readonly why?: string;
}

export interface AgentStatus {
  readonly name: string;
  readonly role: Role;
  readonly host: string;
  readonly node: string;
  readonly well: boolean;
  /** Undefined where there is none, or its host does not answer. */
  readonly container?: ContainerStatus;
  /** Consul's; undefined when it does not answer, as all below. */
  readonly version?: string;
  /** As the leader's gossip has it. */
  readonly member?: { readonly address: string; readonly status: string };
  /** The leader as this agent sees it: an agent's name, or an address of none; empty when it knows none. */
  readonly leader?: string;
  readonly raft?: RaftStatus;
  /** When the certificate that it uses expires. */
  readonly certificateUntil?: string;
  /** Where its UI is. */
  readonly ui?: string;
}

export interface ContainerStatus {
  /** Docker's: `running`, `exited`. */
  readonly status: string;
  readonly startedAt: string;
  /** Docker's: `healthy`; undefined without a health check. */
  readonly health?: string;
  /** By the name under which it was pulled, or else as Docker has it. */
  readonly image: string;
  /** Not as it was deployed: changed, or made, by hand. */
  readonly drifted: boolean;
}

export interface RaftStatus {
  readonly voter: boolean;
  readonly leads: boolean;
  /** Raft entries that the leader has and it has not; undefined when no leader can tell, as the next. */
  readonly behind?: number;
  /** How long ago it heard from the leader, as Go writes durations. */
  readonly contact?: string;
}

/** What a survey means. */
export function statusOf(cluster: Cluster, survey: StatusInspection): Status {
  const { at, hosts, findings, leader, agents } = survey;
  const { name, datacenter, security } = cluster;
  const agentAt = new Map(agents.map(({ agent }) => [agent.node, agent.name]));
  const speaker = leader?.source?.view;
  const examined = new Map(agents.map((one) => [one.agent.name, one]));
  const ill = new Set(findings.flatMap(({ agent }) => agent ?? []));
  const silent = new Set(hosts.filter(({ why }) => why !== undefined).map(({ host }) => host.name));
  return {
    at: at.toISOString(),
    cluster: { name, datacenter, security: security?.stage ?? "off" },
    well: findings.length === 0,
    findings: findings.map(({ host, agent, what, hint, action }) => ({ host, agent, what, hint, action })),
    notes: noticesOf(cluster, survey),
    leader: leader && { address: leader.address, agent: agentAt.get(leader.node ?? "") ?? leader.node },
    voters: speaker?.servers?.filter(({ voter }) => voter).map(({ node }) => node),
    services: speaker?.services && { names: speaker.services, failing: speaker.failing ?? [] },
    hosts: hosts.map(({ host, version, why }) => ({ name: host.name, address: host.address, docker: version, why })),
    agents: cluster.agents
      .filter(({ decommission }) => !decommission)
      .map((agent): AgentStatus => {
        const { name, role, host, node } = agent;
        const one = examined.get(name);
        const drift = findings.some(
          (finding) => finding.agent === name && (finding.action === "replace" || finding.action === "restart-policy"),
        );
        return {
          ...{ name, role, host: host.name, node, well: !ill.has(name) && !silent.has(host.name) },
          container: one && containerOf(one, drift),
          ...(one && seen(one, survey, agentAt)),
          ui: agent.ui ? `${agent.endpoints.http}/ui` : undefined,
        };
      }),
  };
}

function containerOf({ container, image }: InspectedAgent, drifted: boolean): ContainerStatus | undefined {
  if (!container) return undefined;
  const { Status, StartedAt, Health } = container.State;
  const id = container.Config.Image.replace(/^(sha256:.{12}).*$/, "$1");
  return { status: Status, startedAt: StartedAt, health: Health?.Status, image: image ?? id, drifted };
}

/** What an agent says of itself, and the leader of it. */
function seen(
  { agent, view }: InspectedAgent,
  { leader }: StatusInspection,
  agentAt: ReadonlyMap<string, string>,
): Partial<AgentStatus> {
  const speaker = leader?.source?.view;
  const member = speaker?.members.find(({ name }) => name === agent.node);
  const known = { member: member && { address: member.address, status: serfStatusName(member.status) } };
  if (typeof view === "string") return known;
  const ownLeader =
    leader && view.leader === leader.address ? (agentAt.get(leader.node ?? "") ?? leader.node) : undefined;
  return {
    ...known,
    version: view.version,
    leader: ownLeader ?? view.leader,
    raft: raftOf(agent, view, speaker?.health),
    certificateUntil: view.certificate && expiry(view.certificate).toISOString(),
  };
}

function raftOf(
  agent: AgentDescription,
  view: AgentProbe,
  healths: readonly ServerHealth[] = [],
): RaftStatus | undefined {
  if (agent.role !== "server") return undefined;
  const health = healths.find(({ node }) => node === agent.node);
  const newest = Math.max(0, ...healths.map(({ index }) => index));
  return {
    voter: view.servers?.some(({ id, voter }) => voter && id === view.id) ?? false,
    leads: view.raft === "Leader",
    behind: health && newest - health.index,
    contact: health?.contact,
  };
}
