import { stripVTControlCharacters } from "node:util";
import type { LogLine } from "./agent-log";

/** Bright and distinct on light and dark grounds: no black, white or grey; red is for what is wrong. */
const COLOURS = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94];

/** How lines are written: the agent's name in front, as wide as the longest, in a colour of its own. */
export function lineText(agents: readonly string[], colour: boolean): (line: LogLine) => string {
  const width = Math.max(0, ...agents.map(({ length }) => length));
  const painted = new Map(
    agents.map((name, index) => {
      const padded = name.padEnd(width);
      return [name, colour ? `\x1b[${COLOURS[index % COLOURS.length]}m${padded}\x1b[0m` : padded];
    }),
  );
  // Who writes to a log does not rule the terminal.
  return ({ agent, line }) => `${painted.get(agent)}  ${stripVTControlCharacters(line)}\n`;
}

/** A line for a program. */
export const lineJson = ({ host, agent, time, line }: LogLine): string =>
  `${JSON.stringify({ host, agent, time, line })}\n`;
