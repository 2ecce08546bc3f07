import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { DEFAULTS } from "../cluster/resolve/defaults";
import { type Comparison, isMet, ratio } from "./comparison";
import { PROJECT } from "./measured-run";

/** All that one run of the benchmarks has to say. */
export interface Report {
  readonly date: string;
  readonly machine: { readonly cores: number; readonly processor: string; readonly platform: string };
  readonly node: string;
  /** The image of Consul, of both sides; an image change ends with it. */
  readonly consul: string;
  readonly comparisons: readonly (Comparison & { readonly ratio?: number; readonly met: boolean })[];
  /** What was not measured, and why. */
  readonly leftOut: Readonly<Record<string, string>>;
}

export function makeReport(comparisons: readonly Comparison[], leftOut: Readonly<Record<string, string>>): Report {
  const processors = cpus();
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: {
      cores: processors.length,
      processor: processors[0]?.model ?? "",
      platform: `${process.platform} ${process.arch}`,
    },
    node: process.version,
    consul: DEFAULTS.image,
    comparisons: comparisons.map((comparison) => ({ ...comparison, ratio: ratio(comparison), met: isMet(comparison) })),
    leftOut,
  };
}

const HEADINGS = ["what", "ours", "theirs", "ratio", "aim", "met?", "theirs is"];

/** Columns under their headings, for a terminal. */
export function textTable({ comparisons }: Report): string {
  const rows = [HEADINGS, ...comparisons.map(cells)];
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const isText = (column: number) => column === 0 || column >= 5;
  return rows
    .map((row) =>
      row
        .map((cell, column) => (isText(column) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function cells(comparison: Report["comparisons"][number]): string[] {
  const { what, ours, theirs, unit, against, aim, met } = comparison;
  const most = aim === undefined ? "" : `<= ${"ratio" in aim ? aim.ratio : `${aim.ours} ${unit}`}`;
  return [
    what,
    quantity(ours, unit),
    quantity(theirs, unit),
    comparison.ratio?.toFixed(2) ?? "",
    most,
    aim === undefined ? "" : met ? "yes" : "NO",
    against,
  ];
}

const quantity = (value: number, unit: Comparison["unit"]): string =>
  `${unit === "MiB" ? value.toFixed(0) : value.toPrecision(3)} ${unit}`;

const TABLE_BEGINS = "<!-- Made by `npm run bench`. -->\n";
const TABLE_ENDS = "<!-- Until here. -->\n";

/** Writes bench/result.json, and its table into docs/benchmarks.md. */
export function writeReport(report: Report): void {
  writeFileSync(join(__dirname, "result.json"), `${JSON.stringify(report, null, 2)}\n`);
  const page = join(PROJECT, "docs/benchmarks.md");
  const text = readFileSync(page, "utf8");
  const [begin, end] = [text.indexOf(TABLE_BEGINS) + TABLE_BEGINS.length, text.indexOf(TABLE_ENDS)];
  writeFileSync(page, text.slice(0, begin) + markdownTable(report) + text.slice(end));
}

function markdownTable(report: Report): string {
  const { date, machine, node, consul, comparisons, leftOut } = report;
  const row = (columns: readonly string[]) => `| ${columns.join(" | ")} |\n`;
  return [
    "\n",
    row(HEADINGS),
    row(HEADINGS.map(() => "---")),
    ...comparisons.map((comparison) => row(cells(comparison))),
    `\n${date}, ${machine.cores} cores (${machine.processor}), ${machine.platform}, Node ${node}, ${consul}.\n`,
    ...Object.entries(leftOut).map(([what, why]) => `Not measured: ${what} (${why}).\n`),
    "\n",
  ].join("");
}
