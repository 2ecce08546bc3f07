import type { AgentDescription, Cluster, Daemon } from "../../cluster/model";
import { located, type Problem, type Violation } from "../../cluster/problem";
import { bracketed, canonical, family, hostAndPort } from "../../consul/address";
import { ALIVE, type Member } from "../../rollout/queries";
import type { ListedContainer } from "../docker/container";
import { declaredContainers } from "../inspect/declared-containers";
import { NODE_FLAG } from "../inspect/ownership";
import { stateLeft } from "../project/left-files";
import type { StackState, StateResource } from "../terraform/state";
import type { Stack } from "../terraform/synth";

/** What a deploy of the stacks begins with. */
export interface DeployBasis {
  readonly cluster: Cluster;
  /** The selected stacks. */
  readonly stacks: readonly Stack[];
  /** Of all stacks, by their names. */
  readonly states: ReadonlyMap<string, StackState>;
  /** Containers of each reachable host that is not excluded, by its name. */
  readonly containers: ReadonlyMap<string, readonly ListedContainer[]>;
}

/** What only a daemon or an agent knows. */
export interface Witnesses {
  /** A daemon's containers, or why it is unreachable. */
  containersOf(daemon: Daemon): Promise<readonly ListedContainer[] | string>;
  /** The members that an agent sees; undefined if it is unreachable. */
  membersSeenBy(agent: AgentDescription): Promise<readonly Member[] | undefined>;
  /** The datacenter of the agent in a container on an agent's host; undefined if it is unreachable. */
  datacenterOf(agent: AgentDescription, container: string): Promise<string | undefined>;
  /** Waits a little. */
  pause(): Promise<void>;
  log(line: string): void;
}

/** How often members are read until those that have just failed are noticed: gossip takes some ten seconds. */
const LOOKS = 15;
/** How many agents are asked for members, if none of them answers. */
const MOST_WITNESSES = 5;
/** Names in a message. */
const MOST_NAMED = 5;

const SINGLE_CONTAINERS_HINT =
  "if the Terraform state is an older one, or partly lost: npm run adopt, which touches no container of the cluster (docs/lost-state.md); if a deploy was killed before it recorded them: npm run doctor -- --fix; if they were made by hand: npm run adopt; if they are another cluster's, set other values of `container`";

/**
 * Finds containers that exist already, where a deploy would create others: under the same name on the same daemon, where
 * it would fail in its middle, and elsewhere, where both would run. A container that nobody can deny is a problem too.
 */
export async function secondContainers(basis: DeployBasis, witnesses: Witnesses): Promise<Problem[]> {
  const check = new Check(basis, witnesses);
  const taken = check.takenNames();
  const found = [...taken, ...(await check.elsewhere())];
  return found.map((violation) => located(violation, basis.cluster.locate));
}

/** An agent whose container a deploy would create. */
interface Creation {
  readonly agent: AgentDescription;
  /** Its address of the last deploy, if that was another one, and the Terraform state has its container. */
  readonly formerAddress?: string;
  /** The id of that container. */
  readonly recorded?: unknown;
}

class Check {
  private readonly resources: readonly StateResource[];
  private readonly recordedIds: ReadonlySet<unknown>;

  constructor(
    private readonly basis: DeployBasis,
    private readonly witnesses: Witnesses,
  ) {
    this.resources = [...basis.states.values()]
      .flatMap(({ resources }) => resources)
      .filter(({ mode, type }) => mode === "managed" && type === "docker_container");
    this.recordedIds = new Set(this.resources.map(({ attributes }) => attributes.id));
  }

  /** Names that containers of the stacks would get, and that other containers have. */
  takenNames(): Violation[] {
    const taken = declaredContainers(this.basis.cluster, this.basis.stacks)
      .filter(({ name, host }) => this.unrecorded(host).some((container) => container.name === name))
      .map(({ name, host }) => `${name} on host "${host}"`);
    if (taken.length === 0) return [];
    const shown = taken.slice(0, MOST_NAMED).join(", ");
    const names = taken.length > MOST_NAMED ? `${shown} and ${taken.length - MOST_NAMED} more` : shown;
    const stateEmpty = this.resources.length === 0;
    const state = stateEmpty ? "which has no container at all" : "so a deploy would fail at their names";
    return [
      {
        code: "container-exists",
        path: ["name"],
        message: `containers exist that are not in the Terraform state, ${state}: ${names}`,
        hint: stateEmpty ? this.wholeClusterHint() : SINGLE_CONTAINERS_HINT,
      },
    ];
  }

  private wholeClusterHint(): string {
    const { cluster } = this.basis;
    const { name } = cluster;
    const left = stateLeft(cluster, name);
    return `${left === undefined ? "" : `${left}; `}if "${name}" was deployed from another folder, or under another \`backend\`, deploy it there, or bring its Terraform state (docs/state.md); if that state is lost: npm run adopt, which touches no container of the cluster (docs/lost-state.md); if this is another cluster, give it other hosts, or other values of \`container\`; if the containers were made by hand: npm run adopt. npm run doctor tells more`;
  }

  /** A host's containers that no Terraform state has. */
  private unrecorded(host: string): readonly ListedContainer[] {
    return (this.basis.containers.get(host) ?? []).filter(({ id }) => !this.recordedIds.has(id));
  }

  /** Agents that would be created, and run elsewhere, or may. */
  async elsewhere(): Promise<Violation[]> {
    const creations = this.creations();
    if (creations.length === 0 || this.basis.cluster.network !== "host") return [];
    const view = await this.members(creations);
    const found: Violation[] = [];
    for (const creation of creations) {
      const violation =
        (await this.onFormerAddress(creation, view)) ??
        (await this.onOtherHost(creation)) ??
        (await this.asMember(creation, view));
      if (violation) found.push(violation);
    }
    return found;
  }

  private creations(): Creation[] {
    const { cluster, stacks, containers } = this.basis;
    const selected = new Set(stacks.flatMap(({ json }) => Object.keys(json.resource?.docker_container ?? {})));
    return cluster.agents.flatMap((agent): Creation[] => {
      const present = containers.get(agent.host.name);
      if (agent.decommission || !present || !selected.has(agent.name)) return [];
      if (this.unrecorded(agent.host.name).some(({ name }) => name === agent.container)) return [];
      const resource = this.resources.find(({ name, deposed }) => name === agent.name && !deposed);
      const recorded = resource?.attributes.id;
      if (present.some(({ id }) => id === recorded)) return [];
      const former = resource && formerAddress(agent.name, [...this.basis.states.values()]);
      const isAnother = former !== undefined && former !== canonical(agent.gossip.address);
      return [{ agent, recorded, formerAddress: isAnother && family(agent.gossip.address) ? former : undefined }];
    });
  }

  /** Its host has another address than at the last deploy: what the daemon at the former one has. */
  private async onFormerAddress(creation: Creation, view: View | undefined): Promise<Violation | undefined> {
    const { agent, formerAddress: address, recorded } = creation;
    if (address === undefined || agent.host.daemon.kind === "unix") return undefined;
    const daemon = daemonAt(agent.host.daemon, address);
    const there = await this.witnesses.containersOf(daemon);
    if (typeof there !== "string") {
      const old = there.find(
        ({ id, name, command }) => id === recorded || (name === agent.container && runs(agent, command)),
      );
      return (
        old &&
        elsewhere(
          agent,
          `its container ${old.name} (${old.state}) still exists at ${address}, where the last deploy created it`,
          daemon,
          old.name,
        )
      );
    }
    if (view === undefined)
      return {
        ...elsewhere(
          agent,
          `whether its container still runs at ${address}, where the last deploy created it, is unknown: no running agent tells, and that Docker daemon is unreachable: ${there}`,
        ),
        hint: `if that machine has failed permanently: --allow agent-elsewhere; if not, start it or its Docker daemon, or restore its address`,
      };
    if (!view.alive.has(agent.node))
      this.witnesses.log(
        `${agent.name}: ${address} is unreachable, and ${view.witness} does not have ${agent.node} as alive: it gets a new container`,
      );
    return undefined;
  }

  /** Its node runs in a container that no Terraform state has, on another host of the file or under another name. */
  private async onOtherHost({ agent }: Creation): Promise<Violation | undefined> {
    const { cluster } = this.basis;
    for (const host of cluster.hosts) {
      const other = this.unrecorded(host.name).find(
        ({ command, state }) => state === "running" && runs(agent, command),
      );
      if (!other) continue;
      const datacenter = await this.witnesses.datacenterOf({ ...agent, host }, other.name);
      // Another cluster may have a node of this name.
      if (datacenter !== undefined && datacenter !== agent.datacenter) continue;
      return elsewhere(
        agent,
        `its node ${agent.node} runs in container ${other.name} on host "${host.name}", which is in no Terraform state`,
        host.daemon,
        other.name,
      );
    }
    return undefined;
  }

  private async asMember({ agent }: Creation, view: View | undefined): Promise<Violation | undefined> {
    const address = view?.alive.get(agent.node);
    if (view === undefined || address === undefined) return undefined;
    if (address === canonical(agent.gossip.address)) {
      const now = await this.witnesses.containersOf(agent.host.daemon);
      // Another deploy has created it meanwhile.
      if (typeof now !== "string" && now.some(({ name }) => name === agent.container)) return undefined;
      return {
        ...elsewhere(
          agent,
          `${view.witness} sees ${agent.node} alive at that address, and the Docker daemon there has no container of it`,
        ),
        hint: `it runs without Docker, or by another daemon: stop it there, and let it run here alone. If it has ended: --allow agent-elsewhere`,
      };
    }
    return elsewhere(agent, `${view.witness} sees ${agent.node} alive at ${address}`);
  }

  /** What the first agent that answers sees of the nodes to create; agents that have just ended are waited for. */
  private async members(creations: readonly Creation[]): Promise<View | undefined> {
    const nodes = new Set(creations.map(({ agent }) => agent.node));
    for (const agent of this.running(nodes)) {
      let view = viewOf(agent, await this.witnesses.membersSeenBy(agent), nodes);
      for (let looks = 1; view && view.alive.size > 0 && looks < LOOKS; looks++) {
        if (looks === 1)
          this.witnesses.log(`${agent.name} sees ${[...view.alive.keys()].join(", ")} alive: waiting whether it ends`);
        await this.witnesses.pause();
        view = viewOf(agent, await this.witnesses.membersSeenBy(agent), nodes) ?? view;
      }
      if (view) return view;
    }
    return undefined;
  }

  /** Agents of the file whose containers run, servers first. */
  private running(created: ReadonlySet<string>): AgentDescription[] {
    return this.basis.cluster.agents
      .filter(({ node, host, container }) => {
        const present = this.basis.containers.get(host.name) ?? [];
        return !created.has(node) && present.some(({ name, state }) => name === container && state === "running");
      })
      .sort((a, b) => Number(a.role === "client") - Number(b.role === "client"))
      .slice(0, MOST_WITNESSES);
  }
}

/** Which of the nodes to create an agent sees alive: their addresses. */
interface View {
  readonly witness: string;
  readonly alive: ReadonlyMap<string, string>;
}

/** Undefined if the agent did not list anybody: without a right to, it lists nobody. */
function viewOf(
  { name: witness }: AgentDescription,
  members: readonly Member[] | undefined,
  nodes: ReadonlySet<string>,
): View | undefined {
  if (!members || members.length === 0) return undefined;
  const alive = members.filter(({ Name, Status }) => nodes.has(Name) && Status === ALIVE);
  return { witness, alive: new Map(alive.map(({ Name, Addr }) => [Name, canonical(Addr)])) };
}

/** The address at which the last deploy had an agent: its output has it. */
function formerAddress(agent: string, states: readonly StackState[]): string | undefined {
  for (const { outputs } of states) {
    const { join } = (outputs[agent] ?? {}) as { readonly join?: unknown };
    const address = typeof join === "string" ? hostAndPort(join)?.host : undefined;
    if (address !== undefined && family(address)) return canonical(address);
  }
  return undefined;
}

/** Whether a command is that of an agent's node. */
const runs = ({ node }: AgentDescription, command: string): boolean =>
  command.split(/[\s"']+/).includes(`${NODE_FLAG}${node}`);

/** A host's daemon, as it was reached at another address of the host. */
function daemonAt(daemon: Daemon, address: string): Daemon {
  const url = daemon.url.replace(
    /^([a-z+]+:\/\/(?:[^@/]*@)?)(\[[^\]]*\]|[^:/]*)/,
    (_, before) => before + bracketed(address),
  );
  return { ...daemon, url };
}

function elsewhere(agent: AgentDescription, where: string, daemon?: Daemon, container?: string): Violation {
  const { name, role, host, gossip, path } = agent;
  const end = daemon && `docker -H ${daemon.url} stop -t 30 ${container} && docker -H ${daemon.url} rm ${container}`;
  return {
    code: "agent-elsewhere",
    path,
    message: `${role} "${name}" would get a container on host "${host.name}", at ${gossip.address}, and ${where}`,
    hint: `to move it to another machine, add that under a new name (docs/membership.md); if this file describes another cluster, give that its own \`name\` and agents; if the host was renumbered, its daemon must have the container: check its address; ${end ? `if the other container is not needed any more: ${end}` : "if the other agent is not needed any more, stop it"}`,
  };
}
