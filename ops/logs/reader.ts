import type { AgentDescription } from "../../cluster/model";
import { parallel } from "../parallel";
import { type LogLine, type LogOptions, readLog } from "./agent-log";

/** docker CLIs at the same time, each with an ssh. */
const AT_ONCE = 32;
/** Pauses between attempts to follow a log that has ended: the first is for a container that is being replaced. */
const PAUSE_SECONDS = { first: 1, most: 10 } as const;

export interface Output {
  /** Reading waits for it, so that lines do not pile up in memory. */
  readonly write: (line: LogLine) => Promise<void>;
  /** Reports a problem with an agent's log. */
  readonly log: (agent: AgentDescription, message: string) => void;
  /** Selects lines. */
  readonly wanted: (line: string) => boolean;
}

/** How far an agent's log was read: the time of its last line, if there is one; or why it cannot be read. */
export interface Position {
  readonly last?: string;
  readonly why?: string;
}

type Which = Omit<LogOptions, "follow">;

/** Writes the lines of all agents in the order of their times. @returns how far each log was read, by agents' names */
export async function readAll(
  agents: readonly AgentDescription[],
  which: Which,
  { write, log, wanted }: Output,
): Promise<Map<string, Position>> {
  const positions = new Map<string, Position>();
  const lines = await parallel(agents, AT_ONCE, async (agent) => {
    const own: LogLine[] = [];
    let last: string | undefined;
    const why = await readLog(agent, { ...which, follow: false }, async (line) => {
      last = line.time;
      if (wanted(line.line)) own.push(line);
    });
    positions.set(agent.name, { last, why });
    if (why !== undefined) log(agent, why);
    return own;
  });
  for (const line of lines.flat().sort((one, other) => (one.time < other.time ? -1 : one.time > other.time ? 1 : 0)))
    await write(line);
  return positions;
}

/** Follows an agent's log for ever, also that of its next container, and after its host has returned. */
export async function follow(
  agent: AgentDescription,
  which: Which,
  position: Position,
  output: Output,
): Promise<never> {
  let last = position.last;
  let reported = position.why;
  let pause: number = PAUSE_SECONDS.first;
  for (;;) {
    const from = last === undefined ? which : { since: last };
    const why = await readLog(agent, { ...from, follow: true }, async (line) => {
      // `--since` repeats the last line.
      if (last !== undefined && line.time <= last) return;
      last = line.time;
      reported = undefined;
      pause = PAUSE_SECONDS.first;
      if (output.wanted(line.line)) await output.write(line);
    });
    const problem = why ?? "its container does not run";
    if (problem !== reported) output.log(agent, problem);
    reported = problem;
    await new Promise((resume) => setTimeout(resume, pause * 1000));
    pause = Math.min(2 * pause, PAUSE_SECONDS.most);
  }
}
