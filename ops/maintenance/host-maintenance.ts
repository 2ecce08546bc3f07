import { hostname, userInfo } from "node:os";
import type { AgentDescription, Cluster, HostDescription } from "../../cluster/model";
import { ContainerUnreachable } from "../../rollout/consul-api";
import type { Holder } from "../../rollout/holder";
import { lockHolder } from "../../rollout/lock";
import { slots } from "../../rollout/slots";
import { withAgent } from "../docker/agent";
import { type Container, inspectContainer } from "../docker/container";
import { nodeOf } from "../inspect/ownership";
import { count } from "../terminal/format";
import { RolloutRunner } from "../terraform/rollout-runner";
import { type Stack, stackOf } from "../terraform/synth";

/** Seconds for the daemon of a host that may be down. */
const DAEMON_SECONDS = 10;

/** The maintenance of a host: what the cluster checks, and what it is told, before and after. */
export class HostMaintenance {
  /** Client agents first: their checks wait until no server is stopped. */
  readonly agents: readonly AgentDescription[];
  private readonly runners: ReadonlyMap<string, RolloutRunner>;

  /** @throws if the cluster cannot spare the host whatever its agents' health is */
  constructor(
    private readonly cluster: Cluster,
    private readonly host: HostDescription,
    stacks: readonly Stack[],
    private readonly log: (line: string) => void,
  ) {
    const own = cluster.agents.filter((agent) => agent.host === host && !agent.decommission);
    const clients = own.filter(({ role }) => role === "client");
    const servers = own.filter(({ role }) => role === "server");
    if (own.length === 0) throw new Error(`no agent of the cluster runs on ${host.name}: it can go down at any time`);
    if (servers.length > 1)
      throw new Error(`${servers.length} servers run on ${host.name}, and only one server may be down at a time`);
    if (clients.length > cluster.maxParallelClients)
      throw new Error(
        `${count(clients.length, "client agent")} run on ${host.name}, and \`max_parallel_clients\` is ${cluster.maxParallelClients}\n` +
          "  set it to as many in the cluster file; no container is replaced by that",
      );
    this.agents = [...clients, ...servers];
    this.runners = new Map(this.agents.map(({ name }) => [name, new RolloutRunner(stackOf(stacks, name).folder, log)]));
  }

  /** Takes the host's agents out of use. @returns why the cluster cannot spare the host */
  async begin(): Promise<string | undefined> {
    const former = await this.since();
    const since = former ?? Math.floor(Date.now() / 1000);
    const reason = `maintenance of host ${this.host.name}, begun by ${userInfo().username}@${hostname()}`;
    const begun: AgentDescription[] = [];
    for (const agent of this.agents) {
      const failure = await this.beginFor(agent, since, reason);
      if (failure === undefined) begun.push(agent);
      else {
        // What an earlier command has begun goes on: its host may be about to go down.
        for (const other of former === undefined ? begun : []) await this.runner(other).endMaintenance(other.name);
        return failure;
      }
    }
    return undefined;
  }

  private async beginFor(agent: AgentDescription, since: number, reason: string): Promise<string | undefined> {
    const container = await this.container(agent);
    if (typeof container === "string") {
      const failure = `${agent.name}: ${container}`;
      this.log(failure);
      return failure;
    }
    const running = { container: agent.container, node: nodeOf(container) ?? agent.node };
    return this.runner(agent).beginMaintenance(agent.name, running, since, reason);
  }

  /** Waits until the host's agents are ready, and ends the maintenance. @returns why it did not end */
  async end(): Promise<string | undefined> {
    for (const agent of [...this.agents].reverse()) {
      const failure = await this.runner(agent).endMaintenance(agent.name);
      if (failure !== undefined) return failure;
    }
    return undefined;
  }

  /** When the containers of its agents were started, by the agents' names. */
  async starts(): Promise<ReadonlyMap<string, string>> {
    const starts = new Map<string, string>();
    for (const agent of this.agents) {
      const container = await this.container(agent);
      if (typeof container !== "string") starts.set(agent.name, container.State.StartedAt);
    }
    return starts;
  }

  /**
   * Why the host is not back yet; undefined if all its agents' containers run.
   * @param before when they were started, if they have to be started again
   */
  async whyDown(before: ReadonlyMap<string, string>): Promise<string | undefined> {
    for (const agent of this.agents) {
      const container = await this.container(agent);
      if (typeof container === "string") return `${agent.name}: ${container}`;
      const { Running, Status, StartedAt } = container.State;
      if (!Running) return `${agent.name}: its container is ${Status}`;
      if (before.get(agent.name) === StartedAt) return `${agent.name}: its host has not been restarted yet`;
    }
    return undefined;
  }

  /**
   * Since when the host is in maintenance, in seconds since 1970; undefined if it is not.
   * @throws if no server tells
   */
  async since(): Promise<number | undefined> {
    const servers = this.cluster.agents.filter(({ role, decommission }) => role === "server" && !decommission);
    const reasons: string[] = [];
    // A host that is down makes its server the slowest to answer.
    for (const server of servers.toSorted((a, b) => Number(a.host === this.host) - Number(b.host === this.host))) {
      const holders = await holdersBy(server);
      if (typeof holders === "string") reasons.push(`${server.name}: ${holders}`);
      else return holders.find((holder) => this.isOwn(holder))?.maintenance;
    }
    throw new Error(["no server tells whether the host is in maintenance", ...reasons].join("\n"));
  }

  private isOwn({ owner, maintenance }: Holder): boolean {
    return maintenance !== undefined && this.agents.some(({ name }) => name === owner);
  }

  private runner(agent: AgentDescription): RolloutRunner {
    return this.runners.get(agent.name) as RolloutRunner;
  }

  /** An agent's container, or why there is none. */
  private async container(agent: AgentDescription): Promise<Container | string> {
    try {
      const container = await inspectContainer(this.host.daemon, agent.container, DAEMON_SECONDS);
      return container ?? `it has no container ${agent.container}`;
    } catch (error) {
      return `its Docker daemon is unreachable: ${(error as Error).message.split("\n").at(-1)}`;
    }
  }
}

/** Who holds the deploy lock and the rollout slots, by one server; or why it does not tell. */
async function holdersBy(server: AgentDescription): Promise<readonly Holder[] | string> {
  try {
    return await withAgent(server, async ({ api }) => {
      const lock = await lockHolder(api);
      const found = await slots(api);
      return lock && found ? [lock, ...found.holders] : "it does not tell who holds the deploy lock";
    });
  } catch (error) {
    if (error instanceof ContainerUnreachable) return error.message;
    throw error;
  }
}
