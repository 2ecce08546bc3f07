import { stripVTControlCharacters } from "node:util";
import type { LogLine } from "./agent-log";

/** Distinct on light and dark backgrounds: no black, white or grey. Red is for errors. */
const COLOURS = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94];

/** Lines for a terminal: first the agent's name, padded to the longest, in a colour of its own. */
export function lineText(agents: readonly string[], colour: boolean): (line: LogLine) => string {
  const width = Math.max(0, ...agents.map(({ length }) => length));
  const painted = new Map(
    agents.map((name, index) => {
      const padded = name.padEnd(width);
      return [name, colour ? `\x1b[${COLOURS[index % COLOURS.length]}m${padded}\x1b[0m` : padded];
    }),
  );
  // Lines of a log must not control the terminal.
  return ({ agent, line }) => `${painted.get(agent)}  ${stripVTControlCharacters(line)}\n`;
}

/** A line for a program. */
export const lineJson = ({ host, agent, time, line }: LogLine): string =>
  `${JSON.stringify({ host, agent, time, line })}\n`;
