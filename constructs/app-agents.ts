import type { IConstruct } from "constructs";
import type { AgentSettings } from "../cluster/model";
import { family, hostAndPort } from "../consul/address";
import type { Role } from "../consul/ports";
import type { ExecTarget } from "../rollout/request";
import type { IConsulServer } from "./agent-props";
import type { IDockerHost } from "./docker-host-base";
import type { JoinAddress } from "./join-address";

/** An agent of an app. */
export interface AppAgent extends IConstruct {
  readonly role: Role;
  readonly host: IDockerHost;
  readonly joinAddress: JoinAddress;
  readonly decommission: boolean;
  readonly execTarget: ExecTarget;
}

/** What an app knows of an agent. */
export interface AgentEntry {
  readonly agent: AppAgent;
  readonly settings: AgentSettings;
  readonly bootstrapExpect: number;
  /** Servers that it joins. The list grows until the app is synthesized. */
  readonly joins: readonly IConsulServer[];
}

/** An agent's cluster, as far as the app shows it. */
export interface AppCluster {
  /** In the order in which they were created. */
  readonly entries: readonly AgentEntry[];
  /** Its servers that are not decommissioned. */
  readonly servers: readonly AppAgent[];
  /** Whether one of them joins an agent that the app does not have. */
  readonly joinsOthers: boolean;
}

/** The agents of an app, and its clusters: agents are of one cluster if one joins the other, or if both join one address. */
export class AppAgents {
  private static readonly ofApps = new WeakMap<IConstruct, AppAgents>();

  static of({ node: { root } }: IConstruct): AppAgents {
    const agents = AppAgents.ofApps.get(root) ?? new AppAgents();
    AppAgents.ofApps.set(root, agents);
    return agents;
  }

  private readonly entries: AgentEntry[] = [];
  private clusters?: ReadonlyMap<AppAgent, AppCluster>;

  add(entry: AgentEntry): void {
    this.entries.push(entry);
    this.changed();
  }

  /** Forgets the clusters, because an agent joins more servers. */
  changed(): void {
    this.clusters = undefined;
  }

  clusterOf(agent: AppAgent): AppCluster {
    this.clusters ??= clustersOf(this.entries);
    return this.clusters.get(agent) ?? { entries: [], servers: [], joinsOthers: false };
  }

  /** The agents of a daemon's host, in the order in which they were created. */
  on(host: IDockerHost): AgentEntry[] {
    return this.entries.filter(({ agent }) => agent.host.daemon.url === host.daemon.url);
  }
}

/** The addresses that an agent joins: its `join`, and what Consul's own `retry_join` adds. */
export function joinedAddresses({ agent, settings, joins }: AgentEntry): string[] {
  const own = joins.map(({ joinAddress }) => addressKey(agent, joinAddress.host, joinAddress.port));
  return [...own, ...retryJoins(settings).map((text) => textKey(agent, text, settings.ports.serf_lan))];
}

/** Consul's own setting, in an agent's configuration and flags. */
function retryJoins({ config, flags }: AgentSettings): string[] {
  const inConfig = [config.retry_join].flat().filter((text) => typeof text === "string");
  return [...inConfig, ...flags.flatMap((flag) => /^--?retry-join=(.*)$/s.exec(flag)?.slice(1) ?? [])];
}

function textKey(agent: AppAgent, text: string, defaultPort: number): string {
  const address = hostAndPort(text);
  return address ? addressKey(agent, address.host, address.port ?? defaultPort) : text;
}

/** An address as it is the same for all agents. A container's name is valid in its own bridge network only. */
function addressKey({ host: { bridge, daemon } }: AppAgent, host: string, port: number): string {
  const isContainer = bridge !== undefined && family(host) === undefined && !host.includes(".");
  return `${isContainer ? `${daemon.url} ${bridge.name} ` : ""}${host} ${port}`;
}

function clustersOf(entries: readonly AgentEntry[]): Map<AppAgent, AppCluster> {
  const groups = new Groups();
  for (const entry of entries) for (const joined of joinedAddresses(entry)) groups.unite(ownKey(entry.agent), joined);
  const addresses = new Set(entries.map(({ agent }) => ownKey(agent)));
  const clusters = new Map<string, { entries: AgentEntry[]; servers: AppAgent[]; joinsOthers: boolean }>();
  const byAgent = new Map<AppAgent, AppCluster>();
  for (const entry of entries) {
    const group = groups.of(ownKey(entry.agent));
    const cluster = clusters.get(group) ?? { entries: [], servers: [], joinsOthers: false };
    cluster.entries.push(entry);
    if (entry.agent.role === "server" && !entry.agent.decommission) cluster.servers.push(entry.agent);
    cluster.joinsOthers ||= joinedAddresses(entry).some((address) => !addresses.has(address));
    clusters.set(group, cluster);
    byAgent.set(entry.agent, cluster);
  }
  return byAgent;
}

const ownKey = (agent: AppAgent): string => addressKey(agent, agent.joinAddress.host, agent.joinAddress.port);

/** Groups of texts that were united, directly or through others. */
class Groups {
  private readonly parents = new Map<string, string>();

  of(text: string): string {
    let group = text;
    for (let parent = this.parents.get(group); parent !== undefined; parent = this.parents.get(group)) group = parent;
    return group;
  }

  unite(first: string, second: string): void {
    const group = this.of(first);
    const other = this.of(second);
    if (group !== other) this.parents.set(group, other);
  }
}
