import { count, rolesText } from "../terminal/format";
import { type AgentNode, type Graph, type HostNode, type State, targetsByAgent } from "./graph";

/** How much is drawn. The rest of each is summed up in a box, so that a picture of a thousand hosts stays readable. */
export const BOUNDS = {
  /** Of each step of a deploy. */
  stacks: 40,
  /** Hosts with servers, and hosts with clients alone, in all stacks together: each stack may have as many as all can have, or none below two. */
  serverHosts: 24,
  clientHosts: 48,
  agentsOfHost: 24,
  addresses: 6,
} as const;

/** What is drawn of a graph's nodes: what stands in what. */
export interface Box {
  /** Unique in the picture; letters, digits and underscores. */
  readonly id: string;
  /** `clients`: of a stack or step, those that join the same others, unless it has nobody else. `more`: what is summed up. `address`: one that is joined, and no agent's of this cluster. */
  readonly kind: "step" | "stack" | "clients" | "host" | "agent" | "more" | "address";
  readonly title: string;
  readonly lines: readonly string[];
  readonly children: readonly Box[];
  /** Those that are in it, drawn or summed up. */
  readonly agents: readonly AgentNode[];
  readonly state?: State;
}

/** The boxes of a graph. */
export class Boxes {
  /** The steps of a deploy, their stacks in them, hosts in those, and agents in those; in a cluster of one stack, that stack. */
  readonly all: readonly Box[];
  /** Addresses that are joined, and are no agent's of this cluster. */
  readonly addresses: readonly Box[];
  private readonly onHost: ReadonlyMap<string, readonly AgentNode[]>;
  private readonly targets: ReadonlyMap<string, readonly string[]>;

  /** @param ports what an agent's box says of its ports */
  constructor(
    graph: Graph,
    private readonly ports: (agent: AgentNode) => readonly string[],
  ) {
    this.onHost = groupBy(graph.agents, ({ host }) => host);
    this.targets = targetsByAgent(graph.joins);
    const inStack = groupBy(graph.hosts, ({ stack }) => stack);
    const racks = graph.stacks.map(({ name, step }) => {
      const hosts = groupBy(inStack.get(name) ?? [], (host) =>
        this.agentsOf(host).some(({ role }) => role === "server") ? "servers" : "clients",
      );
      return { name, step, servers: hosts.get("servers") ?? [], clients: hosts.get("clients") ?? [] };
    });
    const servers = racks.map((rack) => rack.servers.length);
    const clients = racks.map((rack) => rack.clients.length);
    const bounds = { servers: share(BOUNDS.serverHosts, servers), clients: share(BOUNDS.clientHosts, clients) };
    const steps = [...groupBy(racks, ({ step }) => step)].map(([step, of]) => this.step(step, of, bounds));
    this.all = graph.stacks.length === 1 ? steps.flatMap(({ children }) => children) : steps;
    const addresses = graph.addresses.map((title, index) =>
      leaf("address", String(index + 1), title, ["no agent of this cluster"]),
    );
    this.addresses = bounded(addresses, BOUNDS.addresses, "addresses", (rest) => [
      `and ${rest.length} more`,
      "addresses",
    ]);
  }

  private step(number: number, racks: readonly Rack[], bounds: Bounds): Box {
    const stacks = bounded(
      racks.map((rack) => this.stack(rack, bounds)),
      BOUNDS.stacks,
      `in_step_${number}`,
      (rest) => [`and ${rest.length} more stacks`, rolesText(inside(rest))],
    );
    return boxAround("step", String(number), String(number), this.alikeTogether(stacks));
  }

  private stack({ name, servers, clients }: Rack, bounds: Bounds): Box {
    const hosts = [
      ...this.hosts(servers, bounds.servers, `servers_of_${name}`),
      ...this.hosts(clients, bounds.clients, `clients_of_${name}`),
    ];
    const empty = servers.length + clients.length === 0;
    return boxAround(
      "stack",
      name,
      `stack ${name}`,
      this.alikeTogether(hosts),
      empty ? ["no hosts: the voters step"] : [],
    );
  }

  /** Where there are several sorts, clients that join the same others are in a box of their own, and have arrows together. */
  private alikeTogether(boxes: readonly Box[]): Box[] {
    const isServer = ({ agents }: Box) => agents.some(({ role }) => role === "server");
    const wayOf = (box: Box) =>
      isServer(box) ? "server" : String([...new Set(box.agents.map(({ name }) => this.targets.get(name)?.join()))]);
    const ways = [...groupBy(boxes, wayOf).values()];
    if (ways.length === 1) return [...boxes];
    return ways.flatMap((alike) => {
      const [first, second] = alike;
      return !first || !second || isServer(first) ? alike : [boxAround("clients", `with_${first.id}`, "", alike)];
    });
  }

  private hosts(hosts: readonly HostNode[], bound: number, id: string): Box[] {
    const boxes = hosts.map((host): Box => {
      const { name, address, state } = host;
      const agents = this.agentsOf(host).map((agent) => this.agent(agent));
      const shown = bounded(agents, BOUNDS.agentsOfHost, `on_${name}`, (rest) => [
        `and ${rest.length} more`,
        rolesText(inside(rest)),
      ]);
      return {
        ...boxAround("host", name, name, shown, [
          address,
          ...(agents.length === 0 ? ["no agent"] : []),
          ...wordsOf(state),
        ]),
        state,
      };
    });
    return bounded(boxes, bound, id, (rest) => [
      rest.length < boxes.length ? `and ${rest.length} more` : count(rest.length, "host"),
      rolesText(inside(rest)),
    ]);
  }

  private agent(agent: AgentNode): Box {
    const { name, role, host, decommission, state } = agent;
    const own = name === host ? { title: role, lines: [] } : { title: name, lines: [role] };
    const title = state?.leads ? `${LEADER} ${own.title}` : own.title;
    const lines = [
      ...own.lines,
      ...(decommission ? ["to be decommissioned"] : []),
      ...this.ports(agent),
      ...wordsOf(state),
    ];
    return { ...leaf("agent", name, title, lines, [agent]), state };
  }

  /** Servers first. */
  private agentsOf({ name }: HostNode): readonly AgentNode[] {
    return [...(this.onHost.get(name) ?? [])].sort((a, b) => Number(a.role === "client") - Number(b.role === "client"));
  }
}

/** Marks the leader. */
export const LEADER = "★";

const wordsOf = (state: State | undefined): string[] => (state && state.words !== "" ? [state.words] : []);

/** The state of agents that are summed up; undefined in a picture of the file alone. */
function stateOf(agents: readonly AgentNode[]): State | undefined {
  const states = agents.flatMap(({ state }) => state ?? []);
  const unhealthy = states.filter(({ health }) => health !== "healthy").length;
  if (states.length === 0) return undefined;
  return unhealthy === 0 ? { health: "healthy", words: "" } : { health: "unhealthy", words: `${unhealthy} unhealthy` };
}

const isUnhealthy = ({ state, children }: Box): boolean =>
  (state !== undefined && state.health !== "healthy") || children.some(isUnhealthy);

/** A stack's hosts, those with servers apart. */
interface Rack {
  readonly name: string;
  readonly servers: readonly HostNode[];
  readonly clients: readonly HostNode[];
}

/** How many hosts a stack may have. */
interface Bounds {
  readonly servers: number;
  readonly clients: number;
}

function leaf(
  kind: Box["kind"],
  name: string,
  title: string,
  lines: readonly string[] = [],
  agents: readonly AgentNode[] = [],
): Box {
  // Names have no underscore, so that two of them cannot become one.
  return { id: `${kind}_${name.replaceAll("-", "_")}`, kind, title, lines, agents, children: [] };
}

const boxAround = (
  kind: Box["kind"],
  name: string,
  title: string,
  children: readonly Box[],
  lines: readonly string[] = [],
): Box => ({
  ...leaf(kind, name, title, lines, inside(children)),
  children,
});

const inside = (boxes: readonly Box[]): AgentNode[] => boxes.flatMap(({ agents }) => agents);

/** The first boxes of a list, unhealthy ones before others, and a box for the rest. A rest of one is shown itself: it needs no more room. */
function bounded(
  boxes: readonly Box[],
  bound: number,
  id: string,
  words: (rest: readonly Box[]) => [title: string, line: string],
): Box[] {
  if (boxes.length <= bound + 1) return [...boxes];
  const first = new Set(
    [...boxes].sort((one, other) => Number(isUnhealthy(other)) - Number(isUnhealthy(one))).slice(0, bound),
  );
  const rest = boxes.filter((box) => !first.has(box));
  const [title, line] = words(rest);
  const state = stateOf(inside(rest));
  return [
    ...boxes.filter((box) => first.has(box)),
    { ...leaf("more", id, title, [line, ...wordsOf(state)], inside(rest)), state },
  ];
}

/** The most that each may have of a total, when all may have as much; none rather than one. */
function share(total: number, counts: readonly number[]): number {
  const taken = (bound: number) => counts.reduce((sum, number) => sum + Math.min(number, bound), 0);
  let bound = 0;
  while (bound < total && taken(bound + 1) <= total) bound++;
  return bound < 2 ? 0 : bound;
}

function groupBy<T, K>(items: readonly T[], key: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return groups;
}
