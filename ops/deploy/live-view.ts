import { count } from "../terminal/format";
import { Block } from "../terminal/screen";
import type { Terminal } from "../terminal/terminal";
import { agentsText, duration, interruptedText } from "./event-text";
import type { AgentPhase, AgentState, DeployEvent } from "./events";
import type { Progress } from "./progress";

/** How often it is redrawn, in milliseconds: times go on without an event. */
const TICK_MS = 500;
const BAR = 24;
/** What has happened, or happens, comes before what has not begun, where there is no room for all. */
const ORDER: readonly AgentPhase[] = [
  "failed",
  "stopping",
  "stopped",
  "starting",
  "waiting",
  "pending",
  "removed",
  "ready",
];
const LASTING: readonly AgentPhase[] = ["waiting", "stopping", "stopped", "starting"];

/** A deploy at a terminal, redrawn in place: a line an agent. */
export class LiveView {
  private readonly block: Block;
  private readonly begun: number;
  private readonly ticking: NodeJS.Timeout;
  private readonly notes: string[] = [];

  constructor(
    private readonly progress: Progress,
    private readonly output: Terminal["stdout"],
    private readonly now: () => number,
  ) {
    this.block = new Block(output);
    this.begun = now();
    this.ticking = setInterval(() => this.draw(), TICK_MS);
    this.draw();
  }

  take(event: DeployEvent): void {
    if (event.event === "interrupted") this.notes.push(interruptedText(event));
    this.draw();
  }

  end(): void {
    clearInterval(this.ticking);
    this.draw();
    this.block.end();
  }

  private draw(): void {
    const { rows = 24 } = this.output;
    const seconds = (this.now() - this.begun) / 1000;
    const room = rows - 3 - this.notes.length;
    this.block.draw([...viewLines(this.progress, seconds, this.now(), room), ...this.notes]);
  }
}

/**
 * The lines of the view.
 * @param seconds since the deploy began
 * @param room how many lines of agents and steps there is room for
 */
export function viewLines(
  { agents, stepLines, done, total }: Pick<Progress, "agents" | "stepLines" | "done" | "total">,
  seconds: number,
  now: number,
  room: number,
): string[] {
  const width = Math.max(0, ...agents.map(({ agent }) => agent.length));
  const fits = agents.length + stepLines.length <= room;
  const shown = fits ? agents : [...agents].sort(byInterest).slice(0, Math.max(1, room - 1 - stepLines.length));
  const finished = agents.filter(({ phase }) => phase === "ready" || phase === "removed").length;
  const rest = agents.length - shown.length;
  const counted = agents.length > 0 ? agentsText(finished, agents.length) : `${done} of ${count(total, "step")}`;
  return [
    `${bar(done, total)}  ${counted}  ${duration(seconds)}`,
    ...shown.map((state) => agentLine(state, width, now)),
    ...(rest > 0 ? [`  … and ${agentsText(rest, agents.length)}`] : []),
    ...stepLines.map((line) => `  ${line}`),
  ];
}

const byInterest = (a: AgentState, b: AgentState): number => ORDER.indexOf(a.phase) - ORDER.indexOf(b.phase);

/** `  consul-server2  waiting   12 s  consul-server1 is being replaced, or leaves` */
function agentLine({ agent, phase, detail = "", since }: AgentState, width: number, now: number): string {
  const lasted = LASTING.includes(phase) ? `${Math.floor((now - since) / 1000)} s` : "";
  const [line = ""] = detail.split("\n");
  const told = line.startsWith(phase) ? line.slice(phase.length).replace(/^[:,] /, "") : line;
  return `  ${agent.padEnd(width)}  ${phase.padEnd(8)} ${lasted.padStart(6)}  ${told}`.trimEnd();
}

/** `[=========>    ]  61 %` */
function bar(done: number, total: number): string {
  const share = total === 0 ? 1 : Math.min(1, done / total);
  const filled = Math.round(share * BAR);
  const head = filled < BAR ? ">" : "";
  return `[${`${"=".repeat(filled)}${head}`.padEnd(BAR).slice(0, BAR)}] ${String(Math.floor(share * 100)).padStart(3)} %`;
}
