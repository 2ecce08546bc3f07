import type { AgentDescription, Cluster } from "../../cluster/model";
import { uiPath } from "../../consul/agent-config";
import type { Role } from "../../consul/ports";
import type { Stage } from "../../consul/security";
import type { ServerHealth } from "../../rollout/queries";
import { type HealthProblem, publicProblem } from "../inspect/health-problem";
import type { InspectedAgent } from "../inspect/inspected-agent";
import type { Leadership } from "../inspect/leader";
import { maintainedHosts } from "../inspect/locks";
import { type AgentProbe, type FailingCheck, memberAddress, serfStatusName } from "../inspect/probe";
import { expiry } from "../secrets/certificate";
import { noticesOf } from "./notices";
import type { StatusInspection } from "./status-inspector";

/** The status of a cluster, as `npm run status` shows it. Lists are sorted by name. */
export interface Status {
  readonly at: string;
  readonly cluster: { readonly name: string; readonly datacenter: string; readonly security: Stage };
  /** There is no problem. */
  readonly healthy: boolean;
  /** What `npm run doctor` finds too. */
  readonly problems: readonly HealthProblem[];
  /** Information and warnings about a healthy cluster. */
  readonly notices: readonly HealthProblem[];
  /** The leader that most servers follow; undefined when no agent knows one. */
  readonly leader?: { readonly address: string; readonly agent?: string };
  /** Node names, as the leader has them; undefined when the leader is not known. */
  readonly voters?: readonly string[];
  /** Names, and failing checks; undefined when the leader is not known. */
  readonly services?: { readonly names: readonly string[]; readonly failing: readonly FailingCheck[] };
  readonly hosts: readonly HostStatus[];
  readonly agents: readonly AgentStatus[];
}

export interface HostStatus {
  readonly name: string;
  readonly address: string;
  /** Its Docker daemon's version; undefined when the host is unreachable. */
  readonly docker?: string;
  /** Why the host is unreachable. */
  readonly why?: string;
  /** Since when it is in maintenance; undefined if it is not, or if the leader is not known. */
  readonly maintenance?: string;
}

export interface AgentStatus {
  readonly name: string;
  readonly role: Role;
  readonly host: string;
  readonly node: string;
  readonly healthy: boolean;
  /** Undefined when it has none, or its host is unreachable. */
  readonly container?: ContainerStatus;
  /** Consul's version; this and the following are undefined when its API is unreachable. */
  readonly version?: string;
  /** Its entry in the leader's gossip. */
  readonly member?: { readonly address: string; readonly status: string };
  /** The leader that this agent follows: an agent's name, or an address that no agent has; empty when it knows none. */
  readonly leader?: string;
  readonly raft?: RaftStatus;
  /** When the certificate in use expires. */
  readonly certificateUntil?: string;
  /** The URL of its UI. */
  readonly ui?: string;
}

export interface ContainerStatus {
  /** Docker's word: `running`, `exited`. */
  readonly status: string;
  readonly startedAt: string;
  /** Docker's word: `healthy`; undefined without a health check. */
  readonly health?: string;
  /** The name that it was pulled by, otherwise Docker's name for it. */
  readonly image: string;
  /** Changed or created by hand since the last deploy. */
  readonly drifted: boolean;
}

export interface RaftStatus {
  readonly voter: boolean;
  readonly leads: boolean;
  /** Raft entries that the leader has and this server lacks; this and the following are undefined without a leader. */
  readonly behind?: number;
  /** The time since it heard from the leader, as a duration of Go. */
  readonly contact?: string;
}

/** The status of an inspected cluster. */
export function statusOf(cluster: Cluster, inspection: StatusInspection): Status {
  const { at, hosts, problems, leader, agents } = inspection;
  const { name, datacenter, stage } = cluster;
  const agentByNode = new Map(agents.map(({ agent }) => [agent.node, agent.name]));
  const source = leader?.source?.view;
  const maintained = maintainedHosts(cluster, inspection.locks);
  const inspected = new Map(agents.map((one) => [one.agent.name, one]));
  const unhealthy = new Set(problems.flatMap(({ location }) => location.agent ?? []));
  const unreachable = new Set(hosts.filter(({ why }) => why !== undefined).map(({ host }) => host.name));
  const agentStatus = (agent: AgentDescription): AgentStatus => {
    const found = inspected.get(agent.name);
    return {
      name: agent.name,
      role: agent.role,
      host: agent.host.name,
      node: agent.node,
      healthy: !unhealthy.has(agent.name) && !unreachable.has(agent.host.name),
      container: found && containerOf(found, isDrifted(agent, problems)),
      member: memberOf(agent, leader),
      ...(found && viewOf(found, inspection, agentByNode)),
      ui: agent.ui ? `${agent.endpoints.http}${uiPath(agent)}` : undefined,
    };
  };
  return {
    at: at.toISOString(),
    cluster: { name, datacenter, security: stage },
    healthy: problems.length === 0,
    problems: problems.map(publicProblem),
    notices: noticesOf(cluster, inspection).map(publicProblem),
    leader: leader && { address: leader.address, agent: agentByNode.get(leader.node ?? "") ?? leader.node },
    voters: source?.servers?.filter(({ Voter }) => Voter).map(({ Node }) => Node),
    services: source?.services && { names: source.services, failing: source.failing ?? [] },
    hosts: hosts.map(({ host, version, why }) => {
      const since = maintained.get(host.name);
      const maintenance = since === undefined ? undefined : new Date(since * 1000).toISOString();
      return { name: host.name, address: host.address, docker: version, why, maintenance };
    }),
    agents: cluster.agents.filter(({ decommission }) => !decommission).map(agentStatus),
  };
}

/** Whether an agent's container was changed or created by hand: its problem is fixed by a change of the container. */
const isDrifted = ({ name }: AgentDescription, problems: readonly HealthProblem[]): boolean =>
  problems.some(({ location, fix }) => location.agent === name && (fix === "recreate" || fix === "restart-policy"));

function containerOf({ container, image }: InspectedAgent, drifted: boolean): ContainerStatus | undefined {
  if (!container) return undefined;
  const { Status, StartedAt, Health } = container.State;
  const id = container.Config.Image.replace(/^(sha256:.{12}).*$/, "$1");
  return { status: Status, startedAt: StartedAt, health: Health?.Status, image: image ?? id, drifted };
}

/** An agent in the gossip of the leader, which knows of agents on unreachable hosts too. */
function memberOf({ node }: AgentDescription, leader: Leadership | undefined): AgentStatus["member"] {
  const member = leader?.source?.view.members.find(({ Name }) => Name === node);
  return member && { address: memberAddress(member), status: serfStatusName(member.Status) };
}

/** What an agent says of itself, and the leader's autopilot of a server. */
function viewOf(
  { agent, view }: InspectedAgent,
  { leader }: StatusInspection,
  agentByNode: ReadonlyMap<string, string>,
): Partial<AgentStatus> {
  if (typeof view === "string") return {};
  const followsLeader = leader !== undefined && view.leader === leader.address;
  return {
    version: view.version,
    leader: (followsLeader ? (agentByNode.get(leader.node ?? "") ?? leader.node) : undefined) ?? view.leader,
    raft: raftOf(agent, view, leader?.source?.view.health),
    certificateUntil: view.certificate && expiry(view.certificate).toISOString(),
  };
}

function raftOf(
  agent: AgentDescription,
  view: AgentProbe,
  servers: readonly ServerHealth[] = [],
): RaftStatus | undefined {
  if (agent.role !== "server") return undefined;
  const health = servers.find(({ Name }) => Name === agent.node);
  const newest = Math.max(0, ...servers.map(({ LastIndex }) => LastIndex));
  return {
    voter: view.servers?.some(({ ID, Voter }) => Voter && ID === view.id) ?? false,
    leads: view.raft === "Leader",
    behind: health && newest - health.LastIndex,
    contact: health?.LastContact,
  };
}
