import { parseArgs } from "node:util";
import { chosenCluster, command, progress } from "../command";
import { text } from "../status/format";
import { statusOf } from "../status/status";
import { StatusInspector, type SurveyOptions } from "../status/status-inspector";
import { count } from "../terminal/format";
import { coloured, Screen, untilEnded } from "../terminal/screen";

const USAGE = `usage: npm run status [-- OPTIONS]
  --watch [SECONDS]   look again every so many seconds (2), until Ctrl-C
  --all               show all agents, however many there are
  --timeout SECONDS   after which a host counts as one that does not answer (3, or more while this machine is busy)
  --json              for programs; with --watch, a line each time`;

const EVERY = "2";
/** Hosts that do not answer and are named at once. */
const NAMED = 10;

interface Options {
  /** Seconds between two looks; undefined for one. */
  readonly watch?: number;
  readonly all: boolean;
  readonly timeout?: number;
  readonly json: boolean;
}

function options(args: readonly string[]): Options {
  // The number behind --watch may be left out.
  const filled = args.flatMap((word, index) =>
    word === "--watch" && !/^\d/.test(args[index + 1] ?? "") ? [word, EVERY] : [word],
  );
  const { values } = parseArgs({
    args: filled,
    options: {
      watch: { type: "string" },
      all: { type: "boolean", default: false },
      timeout: { type: "string" },
      json: { type: "boolean", default: false },
    },
  });
  return {
    ...values,
    watch: seconds("--watch", values.watch),
    timeout: seconds("--timeout", values.timeout),
  };
}

function seconds(option: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (!/^\d{1,4}(\.\d+)?$/.test(value) || Number(value) < 0.1)
    throw new Error(`${option} takes seconds, not "${value}"\n${USAGE}`);
  return Number(value);
}

command("status", USAGE, async () => {
  const { watch, all, timeout, json } = options(process.argv.slice(2));
  const { file, cluster } = chosenCluster({ quiet: json || watch !== undefined });
  const surveyor = new StatusInspector(cluster);
  const look = async (more: Partial<SurveyOptions> = {}) => ({
    file,
    ...statusOf(cluster, await surveyor.survey({ timeout, ...more })),
  });
  const shown = { colour: coloured(process.stdout), all };

  if (watch === undefined) {
    progress(`looking at ${count(cluster.hosts.length, "host")}`);
    let named = 0;
    // Of more the screen speaks.
    const onSilent: SurveyOptions["onSilent"] = ({ name }, why) =>
      void (named++ < NAMED && progress(`${name}: its daemon does not answer: ${why}`));
    const status = await look({ onSilent });
    console.log(json ? JSON.stringify(status, null, 2) : `\n${text(status, shown)}`);
    return status.well ? 0 : 1;
  }
  untilEnded();
  const screen = new Screen();
  // Of the rows two are the head's, and two more are left free.
  const room = process.stdout.isTTY ? process.stdout.rows - 4 : undefined;
  for (;;) {
    const status = await look();
    if (json) console.log(JSON.stringify(status));
    else
      screen.draw(
        `${file}, ${status.at.slice(0, 19).replace("T", " ")} UTC, every ${watch} s until Ctrl-C\n\n${text(status, { ...shown, room })}`,
      );
    await new Promise((resume) => setTimeout(resume, watch * 1000));
  }
});
