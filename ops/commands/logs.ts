import { once } from "node:events";
import { chosenCluster } from "../chosen-cluster";
import { lineJson, lineText } from "../logs/format";
import { follow, type Output, readAll } from "../logs/reader";
import { select } from "../select";
import { coloured, untilEnded } from "../terminal/screen";
import type { Terminal } from "../terminal/terminal";

/** Lines of each agent, if neither their number nor their age is given. */
const DEFAULT_TAIL = 20;
/** A docker CLI for each takes some 20 MB. */
const MOST_FOLLOWED = 100;

export interface LogsOptions {
  /** Names of agents, or patterns with `*`. None: all. */
  readonly agents: readonly string[];
  /** As `docker logs --since` takes it. */
  readonly since?: string;
  readonly tail?: number | "all";
  readonly grep?: RegExp;
  readonly follow: boolean;
  readonly json?: boolean;
}

export async function logs(options: LogsOptions, terminal: Terminal): Promise<number> {
  const { since, grep } = options;
  const { cluster } = chosenCluster();
  const all = cluster.agents.map(({ name }) => name);
  const names = select("agent", all, options.agents);
  if (options.follow && names.length > MOST_FOLLOWED)
    throw new Error(
      `at most ${MOST_FOLLOWED} agents can be followed, and these are ${names.length}: name some of them, or --no-follow`,
    );
  const agents = cluster.agents.filter(({ name }) => names.includes(name));
  const text = options.json ? lineJson : lineText(names, coloured(terminal.stdout));
  untilEnded();
  const output: Output = {
    write: async (line) => {
      if (!terminal.stdout.write(text(line))) await once(terminal.stdout, "drain");
    },
    log: ({ name }, message) => terminal.log(`${name}: ${message}`),
    wanted: (line) => grep?.test(line) ?? true,
  };
  const which = { since, tail: tailOf(options) };
  const positions = await readAll(agents, which, output);
  if ([...positions.values()].every(({ why }) => why !== undefined)) throw new Error("no agent's log can be read");
  if (!options.follow) return 0;
  await Promise.all(agents.map((agent) => follow(agent, which, positions.get(agent.name) ?? {}, output)));
  return 0;
}

/** The number of lines; undefined for all. */
function tailOf({ since, tail }: LogsOptions): number | undefined {
  if (tail === "all") return undefined;
  if (tail !== undefined) return tail;
  return since === undefined ? DEFAULT_TAIL : undefined;
}
