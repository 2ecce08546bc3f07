import { parseArgs } from "node:util";
import { endBy, SIGNALS } from "../ops/signals";
import { compareApps } from "./app-comparisons";
import { whyNoTestBed } from "./bench-test-bed";
import type { Comparison } from "./comparison";
import { compareDeploy } from "./deploy-comparison";
import { makeReport, textTable, writeReport } from "./report";
import { compareRolling } from "./rolling-comparison";
import { compareSynth } from "./synth-comparison";

const USAGE = `usage: npm run bench -- [--only synth|deploy|rolling] [--short] [--json]
  --only   synth: what needs no test bed; deploy: a first deploy; rolling: an image change under load
  --short  once each, with fewer hosts: to see that everything works
  --json   print the result as JSON, and nothing else
Exit status 1: an aim is missed; 2: it could not be measured. A whole run writes bench/result.json and the table of docs/benchmarks.md.`;

const PARTS = ["synth", "deploy", "rolling"] as const;
type Part = (typeof PARTS)[number];

interface Options {
  readonly only?: Part;
  readonly short?: boolean;
  readonly json?: boolean;
}

async function main({ only, short = false, json = false }: Options): Promise<number> {
  const comparisons: Comparison[] = [];
  const leftOut: Record<string, string> = {};
  const wanted = (part: Part) => only === undefined || only === part;
  if (wanted("synth")) {
    comparisons.push(
      ...(await compareApps(
        {
          few: { hosts: 4, repetitions: short ? 1 : 7 },
          many: { hosts: short ? 100 : 1000, repetitions: short ? 1 : 3 },
          most: { hosts: short ? 500 : 5000 },
        },
        progress,
      )),
    );
    comparisons.push(await compareSynth(short ? 1 : 3, progress));
  }
  for (const [part, compare, repetitions] of [
    ["deploy", compareDeploy, 10],
    ["rolling", compareRolling, 3],
  ] as const) {
    if (!wanted(part)) continue;
    const why = await whyNoTestBed();
    if (why === undefined) comparisons.push(...(await compare(short ? 1 : repetitions, progress)));
    else leftOut[part] = why;
  }

  const report = makeReport(comparisons, leftOut);
  if (only === undefined && !short) writeReport(report);
  process.stdout.write(json ? `${JSON.stringify(report, null, 2)}\n` : `${textTable(report)}\n`);
  if (!json) for (const [what, why] of Object.entries(leftOut)) process.stdout.write(`left out: ${what}: ${why}\n`);
  return report.comparisons.every(({ met }) => met) ? 0 : 1;
}

function options(): Options | undefined {
  try {
    const { values } = parseArgs({
      options: { only: { type: "string" }, short: { type: "boolean" }, json: { type: "boolean" } },
    });
    const only = PARTS.find((part) => part === values.only);
    if (values.only !== undefined && only === undefined)
      throw new Error(`--only takes ${PARTS.join(" or ")}, not ${values.only}`);
    return { ...values, only };
  } catch (error) {
    process.stderr.write(`bench: ${(error as Error).message}\n${USAGE}\n`);
    return undefined;
  }
}

function progress(line: string): void {
  process.stderr.write(`bench: ${line}\n`);
}

// An orderly end also ends the programs that were started.
for (const signal of SIGNALS) process.once(signal, endBy);

const given = options();
if (given === undefined) {
  process.exitCode = 2;
} else {
  main(given).then(
    (code) => (process.exitCode = code),
    (error: Error) => {
      progress(error.message);
      process.exitCode = 2;
    },
  );
}
