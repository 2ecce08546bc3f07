import type { AgentDescription } from "../../cluster/model";
import { parallel } from "../parallel";
import { type LogLine, type LogOptions, readLog } from "./agent-log";

/** docker CLIs at once, each with an ssh. */
const AT_ONCE = 32;
/** Between two attempts to follow a log that has ended: of a container that is being replaced, and of one that is gone for long. */
const PAUSE_SECONDS = { first: 1, most: 10 } as const;

export interface Output {
  /** Is waited for, so that no more is read than is taken. */
  readonly write: (line: LogLine) => Promise<void>;
  /** What is to be known about a log. */
  readonly log: (agent: AgentDescription, message: string) => void;
  /** Lines that are wanted. */
  readonly wanted: (line: string) => boolean;
}

/** Where an agent's log has been read to: the time of its last line, if there is one; or why it cannot be read. */
export interface Position {
  readonly last?: string;
  readonly why?: string;
}

type Which = Omit<LogOptions, "follow">;

/** What agents have written, all together in the order of time; and where each log was read to, by agents' names. */
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

/** Goes on with an agent's log for ever: with that of its next container too, when it is replaced, and when its host is back. */
export async function follow(
  agent: AgentDescription,
  which: Which,
  { last: read, why: known }: Position,
  output: Output,
): Promise<never> {
  let [last, told] = [read, known];
  let pause: number = PAUSE_SECONDS.first;
  for (;;) {
    const from = last === undefined ? which : { since: last };
    const why = await readLog(agent, { ...from, follow: true }, async (line) => {
      // `--since` gives the last one once more.
      if (last !== undefined && line.time <= last) return;
      [last, told, pause] = [line.time, undefined, PAUSE_SECONDS.first];
      if (output.wanted(line.line)) await output.write(line);
    });
    const what = why ?? "its container does not run";
    if (what !== told) output.log(agent, what);
    told = what;
    await new Promise((resume) => setTimeout(resume, pause * 1000));
    pause = Math.min(2 * pause, PAUSE_SECONDS.most);
  }
}
