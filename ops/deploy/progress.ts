import { type Action, type Change, isContainer } from "../explain/changes";
import type { ApplyLine, Resource } from "../terraform/apply-lines";
import type { AgentPhase, AgentState, DeployEvent, Failure } from "./events";
import { isKnown, type PlannedStack } from "./planned-stacks";

/** How many operations Terraform needs for a change. */
const OPERATIONS: Record<Action, number> = { create: 1, replace: 2, "change in place": 1, remove: 1 };
/** Those of Terraform's operations that count. */
const COUNTED = ["create", "update", "delete"];
/** How much of what a failed step has printed is its reason: a readiness check prints the end of its agent's log. */
const MOST_LINES = 4;
const UNTOUCHED: readonly AgentPhase[] = ["pending", "waiting"];
const UNFINISHED: readonly AgentPhase[] = ["stopping", "stopped", "starting"];

/** A resource that is being changed, or failed. */
interface Step {
  /** What its provisioner's program has printed, the last line first. */
  lines: readonly string[];
  failed?: boolean;
}

/** An agent that a deploy changes. */
interface ChangedAgent {
  readonly change: Change;
  readonly hasReadinessCheck: boolean;
  state: AgentState;
  /** Whether its container may have been stopped. */
  isStopped?: boolean;
}

/** Where a deploy is, by what Terraform prints while it applies the plans. */
export class Progress {
  /** Operations of Terraform's that the plans contain. */
  readonly total: number;
  /** Those that are done. */
  done = 0;
  private readonly changed = new Map<string, ChangedAgent>();
  /** By address. */
  private readonly steps = new Map<string, Step>();
  /** What failed and belongs to no agent, by stack and address, or text. */
  private readonly others = new Map<string, Failure>();

  constructor(
    planned: readonly PlannedStack[],
    private readonly emit: (event: DeployEvent) => void,
    private readonly now: () => number,
  ) {
    const known = planned.filter(isKnown);
    this.total = known.flatMap(({ changes }) => changes).reduce((sum, { action }) => sum + OPERATIONS[action], 0);
    for (const { stack, changes } of known)
      for (const change of changes.filter(isAgent))
        this.changed.set(change.name, {
          change,
          hasReadinessCheck: changes.some(({ type, name }) => type === "terraform_data" && name === change.name),
          state: { agent: change.name, stack, phase: "pending", since: now() },
        });
  }

  get agents(): readonly AgentState[] {
    return [...this.changed.values()].map(({ state }) => state);
  }

  /** What steps that run now, and are no agent's, have logged last. */
  get stepLines(): readonly string[] {
    return [...this.steps].flatMap(
      ([
        address,
        {
          lines: [line],
          failed,
        },
      ]) => (line === undefined || failed || this.changed.has(nameIn(address)) ? [] : [line]),
    );
  }

  /** The reasons of what failed, one an agent. */
  get failures(): readonly Failure[] {
    const failed = this.agents.filter(({ phase }) => phase === "failed");
    const ofAgents = failed.map(({ stack, agent, detail = "" }) => ({ stack, subject: agent, reason: detail }));
    return [...ofAgents, ...this.others.values()];
  }

  /** Agents that were not touched, and not denied either. */
  get untouched(): readonly string[] {
    return this.agents.filter(({ phase }) => UNTOUCHED.includes(phase)).map(({ agent }) => agent);
  }

  /** Agents that were stopped, and are neither ready nor removed. */
  get unfinished(): readonly string[] {
    return [...this.changed.values()]
      .filter(({ state: { phase }, isStopped }) => UNFINISHED.includes(phase) || (phase === "failed" && isStopped))
      .map(({ state }) => state.agent);
  }

  take(stack: string, line: ApplyLine): void {
    if (line.kind === "output") this.output(stack, line.resource, line.line);
    else if (line.kind === "error") this.error(stack, line.text, line.address);
    else if (line.kind === "operation" || line.kind === "provisioner") {
      if (line.phase === "errored") this.fail(stack, line.resource.address, this.reasonOf(line.resource));
      else if (line.kind === "operation") this.operation(line.resource, line.phase, line.action);
      else this.provisioner(line.resource, line.phase);
    }
  }

  private operation(resource: Resource, phase: "start" | "complete", action: string): void {
    const { address, name, type } = resource;
    const [line] = this.step(address).lines;
    if (phase === "complete") {
      this.steps.delete(address);
      if (COUNTED.includes(action)) this.done += 1;
    }
    const agent = this.changed.get(name);
    if (!agent || agent.state.phase === "failed") return;
    if (isContainer(resource)) this.container(agent, phase, action);
    else if (type === "terraform_data" && action !== "delete")
      this.move(agent, phase === "start" ? "starting" : "ready", line);
  }

  private container(agent: ChangedAgent, phase: "start" | "complete", action: string): void {
    if (action !== "delete") {
      if (phase === "start") this.move(agent, "starting");
      else if (!agent.hasReadinessCheck) this.move(agent, "ready");
    } else if (phase === "complete") {
      // Until then, its pre-stop check runs first.
      agent.isStopped = true;
      this.move(agent, agent.change.action === "remove" ? "removed" : "stopped");
    }
  }

  /** The only provisioner of a container is the check before its stop. */
  private provisioner(resource: Resource, phase: "start" | "complete"): void {
    const agent = this.changed.get(resource.name);
    if (!agent || !isContainer(resource)) return;
    if (phase === "complete") {
      agent.isStopped = true;
      this.step(resource.address).lines = [];
    }
    this.move(agent, phase === "start" ? "waiting" : "stopping");
  }

  private output(stack: string, { address, name }: Resource, text: string): void {
    const agent = this.changed.get(name);
    const line = agent && text.startsWith(`${name}: `) ? text.slice(name.length + 2) : text;
    const step = this.step(address);
    step.lines = [line, ...step.lines].slice(0, MOST_LINES);
    if (agent) this.move(agent, agent.state.phase, line);
    else this.emit({ event: "step", stack, address, line });
  }

  private error(stack: string, text: string, address: string | undefined): void {
    if (address === undefined) this.others.set(`${stack} ${text}`, { stack, reason: text });
    else {
      const { failed, lines } = this.step(address);
      // Terraform repeats what a provisioner's program has printed.
      if (!failed || lines.length === 0) this.fail(stack, address, text);
    }
  }

  private fail(stack: string, address: string, reason: string): void {
    this.step(address).failed = true;
    // Names of agents have no underscore, and names of their other resources begin with the agent's.
    const name = nameIn(address);
    const owner = this.changed.get(name) ?? this.changed.get(name.replace(/_.*$/s, ""));
    if (owner) this.move(owner, "failed", reason || owner.state.detail);
    else this.others.set(`${stack} ${address}`, { stack, subject: address, reason });
  }

  /** A check that denies a stop has logged all that it waited for: the last line alone is the reason. */
  private reasonOf(resource: Resource): string {
    const { lines } = this.step(resource.address);
    return isContainer(resource) ? (lines[0] ?? "") : lines.join("\n");
  }

  private step(address: string): Step {
    const step = this.steps.get(address) ?? { lines: [] };
    this.steps.set(address, step);
    return step;
  }

  private move(agent: ChangedAgent, phase: AgentPhase, detail?: string): void {
    const before = agent.state;
    if (before.phase === phase && before.detail === detail) return;
    const { agent: name, stack } = before;
    agent.state = { agent: name, stack, phase, ...(detail === undefined ? {} : { detail }), since: this.now() };
    this.emit({ event: "agent", ...agent.state });
  }
}

/** Other containers are parts of an agent or of a host, and have an underscore in their names. */
const isAgent = (change: Change): boolean => isContainer(change) && !change.name.includes("_");

/** `consul-server1` in `docker_container.consul-server1[0]` */
const nameIn = (address: string): string => address.replace(/^.*\.([^.[]+)(\[.*)?$/s, "$1");
