import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Area, escaped, rect, text } from "../ops/diagram/svg-elements";
import { wrapped } from "../ops/diagram/text-fit";
import type { Panel } from "../ops/metrics/dashboard";
import { picture, WIDTH } from "./picture-parts";

/** A panel of the dashboard, and what Prometheus answered to its queries. */
export interface RecordedPanel extends Pick<Panel, "title" | "unit" | "kind"> {
  readonly lines: readonly RecordedLine[];
}

export interface RecordedLine {
  readonly legend: string;
  readonly points: readonly (readonly [seconds: number, value: number])[];
}

/** What an end-to-end test saved: see e2e/README.md. */
const RECORDED = join(__dirname, "pictures/dashboard.json");

/** The dashboard of a cluster during faults. */
export const recordedDashboard = (): string =>
  dashboardPicture(JSON.parse(readFileSync(RECORDED, "utf8")) as RecordedPanel[]);

const EDGE = 12;
const GAP = 8;
const COLUMNS = 2;
const CELL = (WIDTH - 2 * EDGE - (COLUMNS - 1) * GAP) / COLUMNS;
/** Between a panel's frame and what is in it. */
const INSET = 10;
const LINE = 16;
const GRAPH = 68;
const NUMBER = 40;
const SIZE = 12;
/** They are legible on a light page and on a dark one. */
const COLOURS = ["#2f86d1", "#e8821e", "#36a35a", "#dc4a44", "#9c6ad0", "#ab7550", "#17a5b5", "#8790a6"];
/** Legends that a panel has room for. */
const LEGENDS = 4;

/** The panels of a dashboard in two columns, because a phone shows a picture at its own width. */
export function dashboardPicture(panels: readonly RecordedPanel[]): string {
  const parts: string[] = [];
  let top = EDGE;
  for (let first = 0; first < panels.length; first += COLUMNS) {
    const row = panels.slice(first, first + COLUMNS);
    const height = Math.max(...row.map(heightOf));
    row.forEach((panel, column) => {
      const x = EDGE + column * (CELL + GAP);
      parts.push(cell(panel, { x, y: top, width: CELL, height }));
    });
    top += height + GAP;
  }
  return picture("The dashboard of a cluster of Consul during faults", WIDTH, top - GAP + EDGE, parts);
}

const legendsOf = ({ lines }: RecordedPanel): readonly string[] => {
  const names = lines.map(({ legend }) => legend);
  const hidden = names.length - LEGENDS;
  return hidden <= 0 ? names : [...names.slice(0, LEGENDS - 1), `and ${hidden + 1} more`];
};

function heightOf(panel: RecordedPanel): number {
  const title = INSET + titleOf(panel).length * LINE;
  if (panel.kind === "stat") return title + NUMBER;
  return title + LINE + GRAPH + legendsOf(panel).length * LINE + INSET;
}

/** The title on as many lines as it needs. */
const titleOf = ({ title }: RecordedPanel): string[] => wrapped(title, CELL - 2 * INSET, { size: SIZE, bold: true });

function cell(panel: RecordedPanel, area: Area): string {
  const [left, top] = [area.x + INSET, area.y + INSET];
  const title = titleOf(panel);
  const below = top + title.length * LINE;
  return [
    rect("thing", area, 6),
    ...title.map((line, index) => text(line, left, top + 11 + index * LINE, "strong")),
    panel.kind === "stat" ? number(panel, left, below) : graph(panel, left, below),
  ].join("");
}

function number({ unit, lines }: RecordedPanel, left: number, top: number): string {
  const value = lines[0]?.points.at(-1)?.[1] ?? Number.NaN;
  return `<text class="strong" x="${left}" y="${top + 24}" style="font-size:22px">${escaped(FORMATS[unit](value))}</text>`;
}

function graph(panel: RecordedPanel, left: number, top: number): string {
  const { unit, lines } = panel;
  const points = lines.flatMap((line) => line.points).filter(([, value]) => Number.isFinite(value));
  if (points.length === 0) return "";
  const times = points.map(([time]) => time);
  const [begin, end] = [Math.min(...times), Math.max(...times)];
  const highest = Math.max(...points.map(([, value]) => value));
  const right = left + CELL - 2 * INSET;
  const [above, below] = [top + LINE + 2, top + LINE + GRAPH - 6];
  const x = (time: number) => left + ((time - begin) / (end - begin || 1)) * (right - left);
  const y = (value: number) => below - (value / (highest || 1)) * (below - above);
  const step = stepOf(lines);
  const drawn = lines.map((line, index) => {
    const path = line.points
      .filter(([, value]) => Number.isFinite(value))
      .map(([time, value], at, all) => {
        // A line ends where an agent was not scraped.
        const begins = at === 0 || time - (all[at - 1]?.[0] ?? 0) > 2 * step;
        return `${begins ? "M" : "L"}${x(time).toFixed(1)} ${y(value).toFixed(1)}`;
      });
    return `<path d="${path.join("")}" fill="none" stroke="${colour(index)}" stroke-width="1.5"/>`;
  });
  const names = legendsOf(panel);
  const legends = names.map((legend, index) => {
    const at = below + 6 + (index + 1) * LINE;
    const isNamed = lines[index]?.legend === legend;
    const mark = `<path d="M${left} ${at - 4}h10" stroke="${colour(index)}" stroke-width="3"/>`;
    return (isNamed ? mark : "") + text(legend, left + 15, at);
  });
  const scale = text(FORMATS[unit](highest), left, above - 6);
  return [`<path class="life" d="M${left} ${below}H${right}"/>`, ...drawn, scale, ...legends].join("");
}

/** Seconds between two values. */
const stepOf = (lines: readonly RecordedLine[]): number =>
  Math.min(
    ...lines.flatMap(({ points }) => points.slice(1).map(([time], index) => time - (points[index]?.[0] ?? time))),
  );

const colour = (index: number): string => COLOURS[index % COLOURS.length] as string;

const rounded = (value: number): string => Number(value.toPrecision(3)).toString();

const FORMATS: Readonly<Record<Panel["unit"], (value: number) => string>> = {
  short: rounded,
  bool: (value) => (value === 1 ? "yes" : "no"),
  bytes: (value) => `${rounded(value / 1024 / 1024)} MiB`,
  ms: (value) => `${rounded(value)} ms`,
  ops: (value) => `${rounded(value)}/s`,
  percentunit: (value) => `${rounded(100 * value)} %`,
  s: (value) => `${rounded(value / 86_400)} days`,
};
