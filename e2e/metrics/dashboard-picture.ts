import type { Panel } from "../../ops/metrics/dashboard";

/** A series of a panel: its legend, and its values over time. */
export interface Line {
  readonly legend: string;
  readonly points: readonly (readonly [seconds: number, value: number])[];
}

export interface DrawnPanel {
  readonly panel: Panel;
  readonly lines: readonly Line[];
}

const COLUMNS = 4;
const CELL = { width: 300, height: 150 } as const;
const MARGIN = 12;
const TITLE = 24;
const COLOURS = ["#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#17becf", "#7f7f7f"];
/** Legends that a panel has room for. */
const LEGENDS = 5;

/** The panels of a dashboard, drawn from what Prometheus answered to their queries. */
export function dashboardPicture(panels: readonly DrawnPanel[]): string {
  const rows = Math.ceil(panels.length / COLUMNS);
  const [width, height] = [COLUMNS * CELL.width, rows * CELL.height];
  const cells = panels.map((panel, index) => {
    const [x, y] = [(index % COLUMNS) * CELL.width, Math.floor(index / COLUMNS) * CELL.height];
    return `<g transform="translate(${x},${y})">${cell(panel)}</g>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">`,
    "<title>The dashboard of a cluster of Consul</title>",
    `<rect width="${width}" height="${height}" fill="#f4f5f5"/>`,
    ...cells,
    "</svg>",
    "",
  ].join("\n");
}

function cell({ panel, lines }: DrawnPanel): string {
  const frame = `<rect x="4" y="4" width="${CELL.width - 8}" height="${CELL.height - 8}" fill="#fff" stroke="#ddd"/>`;
  const title = `<text x="${MARGIN}" y="20" font-weight="bold">${escaped(panel.title)}</text>`;
  return [frame, title, panel.kind === "stat" ? number(panel, lines) : graph(panel, lines)].join("");
}

function number({ unit }: Panel, lines: readonly Line[]): string {
  const value = lines[0]?.points.at(-1)?.[1] ?? Number.NaN;
  return `<text x="${CELL.width / 2}" y="95" font-size="34" text-anchor="middle">${formatted(value, unit)}</text>`;
}

function graph({ unit }: Panel, lines: readonly Line[]): string {
  const points = lines.flatMap((line) => line.points).filter(([, value]) => Number.isFinite(value));
  if (points.length === 0) return "";
  const times = points.map(([time]) => time);
  const [begin, end] = [Math.min(...times), Math.max(...times)];
  const top = Math.max(...points.map(([, value]) => value));
  const [left, right] = [MARGIN, CELL.width - 110];
  const [above, below] = [TITLE + 14, CELL.height - MARGIN];
  const x = (time: number) => left + ((time - begin) / (end - begin || 1)) * (right - left);
  const y = (value: number) => below - (value / (top || 1)) * (below - above);
  const drawn = lines.map((line, index) => {
    const path = line.points
      .filter(([, value]) => Number.isFinite(value))
      .map(([time, value]) => `${x(time).toFixed(1)},${y(value).toFixed(1)}`);
    return `<polyline points="${path.join(" ")}" fill="none" stroke="${colour(index)}" stroke-width="1.2"/>`;
  });
  const legends = lines.slice(0, LEGENDS).map(({ legend }, index) => {
    const at = `x="${right + 8}" y="${above + 14 * index}"`;
    return `<text ${at} font-size="8" fill="${colour(index)}">${escaped(legend)}</text>`;
  });
  const scale = `<text x="${left}" y="${above - 4}" font-size="9" fill="#666">${formatted(top, unit)}</text>`;
  return [`<path d="M${left} ${below}H${right}" stroke="#bbb"/>`, scale, ...drawn, ...legends].join("");
}

const colour = (index: number): string => COLOURS[index % COLOURS.length] as string;

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

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

const formatted = (value: number, unit: Panel["unit"]): string => FORMATS[unit](value);
