import { once } from "node:events";
import { parseArgs } from "node:util";
import { chosenCluster, command, progress } from "../command";
import { select } from "../deploy/arguments";
import { lineJson, lineText } from "../logs/format";
import { follow, type Output, readAll } from "../logs/reader";
import { coloured, untilEnded } from "../terminal/screen";

const USAGE = `usage: npm run logs [-- OPTIONS] [AGENT...]
  AGENT           those alone; a name, or a pattern with *
  --since TIME    from then on: 10m, 2h30m, 2026-11-25T09:00:00Z; by default the last 20 lines of each
  --tail N        the last N lines of each, or all
  --grep REGEX    lines that it fits
  --no-follow     end with what there is, instead of waiting for more
  --json          a line each of host, agent, time and line`;

/** Lines of each agent, unless told otherwise. */
const TAIL = 20;
/** A docker CLI for each takes some 20 MB. */
const FOLLOWED = 100;

interface Options {
  readonly patterns: readonly string[];
  readonly since?: string;
  readonly tail?: number;
  readonly wanted: Output["wanted"];
  readonly follow: boolean;
  readonly json: boolean;
}

function options(): Options {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      since: { type: "string" },
      tail: { type: "string" },
      grep: { type: "string" },
      "no-follow": { type: "boolean", default: false },
      json: { type: "boolean", default: false },
    },
  });
  const { since, tail, grep, json } = values;
  if (
    since !== undefined &&
    !/^((\d+(\.\d+)?(h|m|s|ms))+|\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?)$/.test(since)
  )
    throw new Error(`--since takes how long ago, or a time, not "${since}"\n${USAGE}`);
  if (tail !== undefined && !/^(all|\d{1,7})$/.test(tail))
    throw new Error(`--tail takes a number of lines, or all, not "${tail}"\n${USAGE}`);
  const lines = tail === "all" ? undefined : tail !== undefined ? Number(tail) : since === undefined ? TAIL : undefined;
  const pattern = grep === undefined ? undefined : regex(grep);
  return {
    patterns: positionals,
    since,
    tail: lines,
    wanted: (line) => pattern?.test(line) ?? true,
    follow: !values["no-follow"],
    json,
  };
}

function regex(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (error) {
    throw new Error(`--grep: ${(error as Error).message}\n${USAGE}`);
  }
}

command("logs", USAGE, async () => {
  const { patterns, since, tail, wanted, follow: following, json } = options();
  const { cluster } = chosenCluster({ quiet: true });
  const names = select(
    "agent",
    cluster.agents.map(({ name }) => name),
    patterns,
  );
  if (following && names.length > FOLLOWED)
    throw new Error(
      `${names.length} agents are more than can be followed, which is ${FOLLOWED}: name some of them, or --no-follow`,
    );
  const agents = cluster.agents.filter(({ name }) => names.includes(name));
  const text = json ? lineJson : lineText(names, coloured(process.stdout));
  untilEnded();
  const output: Output = {
    write: async (line) => {
      if (!process.stdout.write(text(line))) await once(process.stdout, "drain");
    },
    say: ({ name }, what) => progress(`${name}: ${what}`),
    wanted,
  };
  const positions = await readAll(agents, { since, tail }, output);
  if ([...positions.values()].every(({ why }) => why !== undefined)) throw new Error("no agent's log can be read");
  if (!following) return 0;
  await Promise.all(agents.map((agent) => follow(agent, { since, tail }, positions.get(agent.name) ?? {}, output)));
  return 0;
});
