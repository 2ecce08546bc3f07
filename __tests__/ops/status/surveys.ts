import type { AgentDescription, Cluster } from "../../../cluster/model";
import type { Container } from "../../../ops/docker/container";
import type { InspectedAgent } from "../../../ops/inspect/inspected-agent";
import { conclude, type HostInspection } from "../../../ops/inspect/inspection";
import type { AgentProbe } from "../../../ops/inspect/probe";
import type { StatusInspection } from "../../../ops/status/status-inspector";
import type { StateResource } from "../../../ops/terraform/state";
import { health, member, raftServer } from "../../rollout/answers";

/** Inspections of clusters that do not exist, in the formats of Consul 1.22.2 and Docker 28.2.2. */

export const NOW = new Date("2026-11-25T12:00:00Z");
/** As `docker image ls` and a state have it. */
const IMAGE = "sha256:9c7d1c8f0a3f5c0f";

/** How one agent differs from a healthy one. */
export interface Made {
  readonly container?: Partial<Container["State"]> & { readonly restart?: string };
  readonly noContainer?: true;
  /** Answers that replace the usual ones. */
  readonly says?: Partial<AgentProbe>;
  /** Why its API is unreachable. */
  readonly silent?: string;
  readonly tainted?: boolean;
}

export interface MadeSurvey {
  readonly agents?: Readonly<Record<string, Made>>;
  /** Why hosts are unreachable. */
  readonly silent?: Readonly<Record<string, string>>;
  readonly stateUnread?: string;
  /** Certificates of the secrets folder. Default none. */
  readonly certificates?: StatusInspection["certificates"];
  /** The leader of all agents. Default the first server. */
  readonly leader?: string;
}

const stayingAgents = new WeakMap<Cluster, readonly AgentDescription[]>();

/** Found once for each cluster: some have a thousand agents, and each agent's survey needs them. */
function staying(cluster: Cluster): readonly AgentDescription[] {
  const agents = stayingAgents.get(cluster) ?? cluster.agents.filter(({ decommission }) => !decommission);
  stayingAgents.set(cluster, agents);
  return agents;
}
const at = (agent: AgentDescription, port: number) => `${agent.host.address}:${port}`;

/** An inspection of a cluster that is healthy, except for the given problems. */
export function surveyOf(cluster: Cluster, made: MadeSurvey = {}): StatusInspection {
  const looked = cluster.hosts.map((host): HostInspection => {
    const why = made.silent?.[host.name];
    if (why !== undefined) return { host, why, agents: [], orphaned: [] };
    const agents = staying(cluster).filter((agent) => agent.host === host);
    return { host, version: "28.2.2", orphaned: [], agents: agents.map((agent) => examined(cluster, agent, made)) };
  });
  const { stateUnread, certificates = [] } = made;
  return { at: NOW, ...conclude(cluster, looked, { stateEmpty: false }), stateUnread, certificates };
}

function examined(cluster: Cluster, agent: AgentDescription, survey: MadeSurvey): InspectedAgent {
  const made = survey.agents?.[agent.name] ?? {};
  const container = made.noContainer ? undefined : containerOf(agent, made);
  const unread = survey.stateUnread !== undefined;
  return {
    agent,
    container,
    ...(unread
      ? { stateUnread: true as const }
      : { resource: resourceOf(agent, made), image: "hashicorp/consul:1.22.2" }),
    view: !container?.State.Running
      ? "its container does not run"
      : (made.silent ?? looking(cluster, agent, survey, made)),
  };
}

function looking(cluster: Cluster, agent: AgentDescription, survey: MadeSurvey, { says }: Made): AgentProbe {
  const servers = staying(cluster).filter(({ role }) => role === "server");
  const leader = servers.find(({ name }) => name === survey.leader) ?? servers[0];
  const memberFor = ({ node, host, role }: AgentDescription) =>
    member(node, { Addr: host.address, role: role === "server" ? "consul" : "node" });
  const isServer = agent.role === "server";
  const raft = agent === leader ? "Leader" : "Follower";
  const own: AgentProbe = {
    version: "1.22.2",
    id: `id-${agent.node}`,
    settings: {
      node: agent.node,
      datacenter: cluster.datacenter,
      server: isServer,
      address: agent.host.address,
      gossipPort: 8301,
      dataFolder: "/consul/data",
      leavesOnTerm: false,
      gossipEncrypted: true,
    },
    members: (isServer ? staying(cluster) : [agent]).map(memberFor),
    leader: leader ? at(leader, 8300) : "",
    files: new Map(),
  };
  if (!isServer) return { ...own, ...says };
  return {
    ...own,
    raft,
    servers: servers.map((one) => raftServer(one.node, at(one, 8300))),
    health: servers.map((one) => health(one.node, { LastContact: one === leader ? "0s" : "23.456789ms" })),
    locks: [],
    services: ["nginx", "redis"],
    failing: [],
    ...says,
  };
}

function containerOf(
  { name, container, node }: AgentDescription,
  { container: { restart = "always", ...state } = {} }: Made,
): Container {
  return {
    Id: `id-of-${name}`,
    Image: IMAGE,
    Name: `/${container}`,
    RestartCount: 0,
    State: {
      Status: "running",
      Running: true,
      ExitCode: 0,
      Error: "",
      StartedAt: "2026-11-25T09:00:00.123456789Z",
      Health: { Status: "healthy" },
      ...state,
    },
    Config: {
      Image: IMAGE,
      Hostname: name,
      Cmd: ["agent", `-node=${node}`],
      Entrypoint: null,
      Env: null,
      Labels: null,
    },
    HostConfig: { NetworkMode: "host", RestartPolicy: { Name: restart } },
    Mounts: [],
  };
}

const resourceOf = ({ name }: AgentDescription, { tainted = false }: Made): StateResource => ({
  address: `docker_container.${name}`,
  mode: "managed",
  type: "docker_container",
  name,
  tainted,
  deposed: false,
  attributes: { id: `id-of-${name}`, restart: "always" },
});

/** Stopped by hand. */
export const STOPPED: Made = { container: { Status: "exited", Running: false } };
