import type { AgentDescription, Cluster, JoinTarget, StackDescription } from "../../cluster/model";
import { stacksOf } from "../../cluster/resolve/stacks";
import { bracketed } from "../../consul/address";
import { stackName } from "../../consul/contract";
import { type Listener, listeners, type PortName, type Role } from "../../consul/ports";
import type { Stage } from "../../consul/security";

/** What a picture is made from: a cluster as its file describes it, with states if it was inspected. Everything is in the order of names, stacks in the order of their deployment. */
export interface Graph {
  readonly cluster: {
    readonly name: string;
    readonly datacenter: string;
    readonly security: Stage;
    /** Of the bridge network; undefined where agents use their host's own. */
    readonly subnet?: string;
  };
  /** When the cluster was inspected, and whether it is healthy; undefined for a picture of the file alone. */
  readonly live?: { readonly at: string; readonly well: boolean };
  readonly stacks: readonly StackNode[];
  readonly hosts: readonly HostNode[];
  readonly agents: readonly AgentNode[];
  /** Addresses that agents join, and that belong to no agent of this cluster: `10.0.0.9:8301`. */
  readonly addresses: readonly string[];
  readonly joins: readonly Join[];
}

export interface StackNode extends StackDescription {
  /** Stacks of one step are deployed at the same time, from 1. */
  readonly step: number;
}

export interface HostNode {
  readonly name: string;
  readonly address: string;
  readonly stack: string;
  readonly state?: State;
}

export interface AgentNode {
  readonly name: string;
  readonly role: Role;
  readonly host: string;
  /** It is to be decommissioned. */
  readonly decommission: boolean;
  /** Gossip and RPC at the address that other agents use, the rest at its client addresses. */
  readonly listens: readonly Listener[];
  /** Ports of a bridged agent that its host publishes. */
  readonly published: readonly { readonly name: PortName; readonly address: string; readonly port: number }[];
  readonly state?: State;
}

/** The state of a host or an agent. */
export interface State {
  /** A host that is unreachable, and its agents, are `unreachable`. */
  readonly health: "healthy" | "unhealthy" | "unreachable";
  /** In a few words: `no voter`; empty if healthy. */
  readonly words: string;
  /** This server is the leader. */
  readonly leads?: boolean;
}

export interface Join {
  /** An agent's name. */
  readonly from: string;
  /** An agent's name, or one of the addresses. */
  readonly to: string;
}

/** The targets of each agent that joins others, in the order of names. */
export function targetsByAgent(joins: readonly Join[]): ReadonlyMap<string, readonly string[]> {
  const targets = new Map<string, string[]>();
  for (const { from, to } of joins) targets.set(from, [...(targets.get(from) ?? []), to]);
  return targets;
}

export function graphOf(cluster: Cluster): Graph {
  const { name, datacenter, network, subnet, stage, agents } = cluster;
  const joinable = new Map(agents.map(({ name, gossip }) => [placeText(gossip), name]));
  const targetOf = (target: JoinTarget): string =>
    "agent" in target ? target.agent : (joinable.get(placeText(target)) ?? placeText(target));
  const joins = agents.flatMap(({ name, join }) =>
    [...new Set(join.map(targetOf))].sort().map((to): Join => ({ from: name, to })),
  );
  const names = new Set(agents.map(({ name }) => name));
  return {
    cluster: { name, datacenter, security: stage, ...(network === "bridge" && { subnet }) },
    stacks: inSteps(stacksOf(cluster)),
    hosts: cluster.hosts.map((host) => ({
      name: host.name,
      address: host.address,
      stack: stackName(name, host.group),
    })),
    agents: agents.map((agent) => agentNode(agent)),
    addresses: [...new Set(joins.flatMap(({ to }) => (names.has(to) ? [] : [to])))].sort(),
    joins,
  };
}

const placeText = ({ address, port }: { readonly address: string; readonly port: number }): string =>
  `${bracketed(address)}:${port}`;

function inSteps(stacks: readonly StackDescription[]): StackNode[] {
  const byName = new Map(stacks.map((stack) => [stack.name, stack]));
  const stepOf = (name: string): number => 1 + Math.max(0, ...(byName.get(name)?.dependencies ?? []).map(stepOf));
  return stacks
    .map((stack) => ({ ...stack, step: stepOf(stack.name) }))
    .sort((a, b) => a.step - b.step || (a.name < b.name ? -1 : 1))
    .map(({ name, step, dependencies }) => ({ name, step, dependencies: [...dependencies].sort() }));
}

function agentNode(agent: AgentDescription): AgentNode {
  const { name, role, host, decommission, ports, publish, gossip, httpsOnly } = agent;
  return {
    name,
    role,
    host: host.name,
    decommission,
    listens: listeners(role, ports, {
      client: agent.clientAddresses,
      bind: gossip.address,
      httpsOnly,
      https: agent.httpsAddresses,
    }),
    published: (Object.entries(publish) as [PortName, number][])
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, port]) => ({ name, address: host.address, port })),
  };
}
