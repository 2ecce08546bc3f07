import type { Box } from "./boxes";
import { fitted, textWidth, wordsOf, wrapped } from "./text-fit";

/** Where a box is drawn: pixels from the picture's upper left corner. */
export interface Placed {
  readonly box: Box;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** The box's words, as they fit into it. */
  readonly title: string;
  readonly lines: readonly string[];
  readonly children: readonly Placed[];
}

export const TITLE = { size: 13, bold: true } as const;
export const LINE = { size: 12 } as const;
export const LINE_HEIGHT = 15;
export const PADDING = 12;
/** A phone shows a picture of this width a little smaller, and its text can still be read. */
export const PHONE = 440;
/** How much stands in a row. */
export interface Rows {
  /** Stacks beside each other wrap at this width. */
  readonly page: number;
  /** Hosts in a row of a stack. */
  readonly hosts: number;
  /** Between two servers in a row. */
  readonly betweenServers: number;
  /** A host is as wide as its longest line needs, or as its longest word. */
  readonly lines: "whole" | "broken";
}
const BETWEEN_SERVERS = 44;
export const WIDE: Rows = { page: 1240, hosts: 6, betweenServers: BETWEEN_SERVERS, lines: "whole" };
/** Of a picture that is as wide as a phone. */
export const NARROW: Rows = { page: PHONE, hosts: 2, betweenServers: 32, lines: "broken" };
/** Width of a host with one agent: what its words need, within these. */
const CELL = { least: 150, most: 250 } as const;
/** Arrows of servers that are not neighbours go over those between them. */
const ARC = 26;
const BETWEEN_CLIENTS = 16;
const BETWEEN_STEPS = 40;

/** Places rows of boxes below each other from 0, 0 on, each in the middle of the width that they all need. */
export function layout(rows: readonly (readonly Box[])[], limits: Rows): readonly Placed[] {
  const cell = cellOf(rows.flat(), limits);
  return inRows(
    rows.map((row) => row.map((box) => measured(box, cell, limits))),
    { down: BETWEEN_STEPS, across: BETWEEN_CLIENTS },
  );
}

/** What a box takes from its upper left corner on. */
function measured(box: Box, cell: number, limits: Rows): Placed {
  const room = cell - 2 * PADDING;
  const lines = box.lines.flatMap((line) => wrapped(line, room, LINE));
  const words = { box, x: 0, y: 0, title: fitted(box.title, room, TITLE), lines };
  const head = 2 + (1 + lines.length) * LINE_HEIGHT;
  if (box.kind === "agent" || box.kind === "more" || box.kind === "address" || box.children.length === 0) {
    return { ...words, width: cell, height: head + PADDING + 2, children: [] };
  }
  const above = { step: 0, clients: 0, stack: LINE_HEIGHT + 4, host: head }[box.kind];
  const inner = box.children.map((child) => measured(child, box.kind === "host" ? room : cell, limits));
  const children = moved(rowsOf(box.kind, inner, limits), PADDING, PADDING + above);
  const width = Math.max(...children.map((child) => child.x + child.width)) + PADDING;
  return {
    ...words,
    title: fitted(box.title, width - 2 * PADDING, TITLE),
    width,
    height: bottom(children) + PADDING,
    children,
  };
}

/** Servers above clients. */
function rowsOf(kind: Box["kind"], placed: readonly Placed[], { page, hosts, betweenServers }: Rows): Placed[] {
  const servers = placed.filter(hasServer);
  const arc = servers.length > 2 ? ARC : 0;
  if (kind === "step") return moved(inRows(wrap(placed, page), { down: 20, across: 24 }), 0, arc);
  if (kind === "clients" && placed.some(({ box }) => box.kind === "stack"))
    return inRows(wrap(placed, page), { down: 20, across: 24 });
  if (kind === "clients") return inRows(columns(placed, hosts), { down: BETWEEN_CLIENTS, across: BETWEEN_CLIENTS });
  const others = placed.filter((one) => !hasServer(one));
  const serverRows = pyramid(servers, hosts);
  const above = moved(
    inRows(serverRows, { down: BETWEEN_SERVERS, across: betweenServers }),
    0,
    serverRows.some((row) => row.length > 2) ? ARC : 0,
  );
  const frames = others.filter(({ box }) => box.kind === "clients");
  const rows = [
    ...columns(
      others.filter((one) => !frames.includes(one)),
      hosts,
    ),
    ...frames.map((frame) => [frame]),
  ];
  const below = inRows(rows, { down: frames.length > 0 ? BETWEEN_SERVERS : BETWEEN_CLIENTS, across: BETWEEN_CLIENTS });
  if (above.length === 0) return below;
  const width = Math.max(widthOf(above), widthOf(below));
  return [
    ...moved(above, (width - widthOf(above)) / 2, 0),
    ...moved(below, (width - widthOf(below)) / 2, bottom(above) + BETWEEN_SERVERS),
  ];
}

const hasServer = ({ box }: Placed): boolean => box.agents.some(({ role }) => role === "server");

/** Rows that are as long as each other, and not longer than is good. */
function columns(placed: readonly Placed[], most: number): Placed[][] {
  const rows = Math.ceil(placed.length / most);
  const length = Math.ceil(placed.length / Math.max(rows, 1));
  return Array.from({ length: rows }, (_, row) => placed.slice(row * length, (row + 1) * length));
}

/** The shortest row stands above: three servers in two rows have straight arrows between them. */
function pyramid(placed: readonly Placed[], most: number): Placed[][] {
  return columns([...placed].reverse(), most)
    .map((row) => row.reverse())
    .reverse();
}

/** Rows of what has widths of its own. */
function wrap(placed: readonly Placed[], page: number): Placed[][] {
  const rows: Placed[][] = [];
  let taken = Number.POSITIVE_INFINITY;
  for (const one of placed) {
    if (taken + one.width > page) {
      rows.push([]);
      taken = 0;
    }
    rows.at(-1)?.push(one);
    taken += one.width + 24;
  }
  return rows;
}

/** Rows below each other from 0, 0 on, each in the middle; what is in a row is made equally high. */
function inRows(
  rows: readonly (readonly Placed[])[],
  gap: { readonly down: number; readonly across: number },
): Placed[] {
  const lengths = rows.map((row) => row.reduce((sum, { width }) => sum + width + gap.across, -gap.across));
  const longest = Math.max(0, ...lengths);
  let y = 0;
  return rows.flatMap((row, index) => {
    const height = Math.max(...row.map((one) => one.height));
    let x = (longest - (lengths[index] ?? 0)) / 2;
    const placed = row.flatMap((one) => {
      const at = moved([{ ...one, height }], x, y);
      x += one.width + gap.across;
      return at;
    });
    y += height + gap.down;
    return placed;
  });
}

export function moved(placed: readonly Placed[], x: number, y: number): Placed[] {
  const right = Math.round(x);
  return placed.map((one) => ({ ...one, x: one.x + right, y: one.y + y, children: moved(one.children, right, y) }));
}

export const bottom = (placed: readonly Placed[]): number => Math.max(0, ...placed.map(({ y, height }) => y + height));
export const widthOf = (placed: readonly Placed[]): number => Math.max(0, ...placed.map(({ x, width }) => x + width));

/** All boxes, those inside of others too. */
export const flat = (placed: readonly Placed[]): Placed[] => placed.flatMap((one) => [one, ...flat(one.children)]);

function cellOf(boxes: readonly Box[], limits: Rows): number {
  const partsOf = (line: string): string[] => (limits.lines === "whole" ? [line] : wordsOf(line));
  const widest = ({ kind, title, lines, children }: Box): number => {
    const words = Math.max(textWidth(title, TITLE), ...lines.flatMap(partsOf).map((part) => textWidth(part, LINE)));
    const paddings = kind === "agent" ? 4 : kind === "stack" && children.length > 0 ? 0 : 2;
    return Math.max(words + paddings * PADDING, ...children.map(widest));
  };
  return Math.min(CELL.most, Math.max(CELL.least, ...boxes.map(widest)));
}
