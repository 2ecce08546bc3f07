import type { Arrow } from "./arrows";
import { bottom, flat, type Placed } from "./layout";

/** An arrow as it is drawn. */
export interface Route {
  readonly arrow: Arrow;
  /** Where it begins and ends: on the borders of boxes. */
  readonly from: Point;
  readonly to: Point;
  /** SVG's path. */
  readonly path: string;
  /** It ends in a host that has several agents, and is drawn above that host. */
  readonly inside: boolean;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

type Side = "top" | "bottom" | "left" | "right";

/** Room between an arrow and the boxes that it passes. */
const CLEARANCE = 7;
/** How far a curved arrow rises over what it passes. */
const RISE = { least: 24, most: 34 } as const;
/** A curve ends in a straight line as long as an arrow's point, which would else be across the curve. */
const STRAIGHT = 10;

/** Curves between boxes, which pass beside the hosts between them. */
export function routes(arrows: readonly Arrow[], placed: readonly Placed[]): Route[] {
  const { shown, obstacles } = shownFor(flat(placed));
  const legs = arrows.flatMap((arrow) => {
    const [from, to] = [shown.get(arrow.from), shown.get(arrow.to)];
    if (!from || !to) return [];
    const [begins, ends] = sidesOf(from, to, obstacles);
    return [{ arrow, from: endOf(from, begins, to), to: endOf(to, ends, from) }];
  });
  const all = legs.flatMap(({ from, to }) => [from, to]);
  return legs.map(({ arrow, from, to }): Route => {
    const [start, end] = [pointOf(from, all), pointOf(to, all)];
    const between = obstacles.filter((one) => ![from, to].some(({ at }) => one === at || one.children.includes(at)));
    return {
      arrow,
      from: start,
      to: end,
      path: pathOf(start, end, [from.side, to.side], between),
      inside: [from, to].some(({ at }) => at.box.kind === "agent"),
    };
  });
}

/** One end of an arrow. */
interface End {
  readonly at: Placed;
  readonly side: Side;
  /** From left to right, among those at the same side of the same box. */
  readonly rank: number;
}

function endOf(at: Placed, side: Side, other: Placed): End {
  const distance = other.x + other.width / 2 - (at.x + at.width / 2);
  // Arrows over a row are outermost, those from afar within: so they do not cross. Pictures are less than 10 000 wide.
  return { at, side, rank: overlaps(at, other) ? 10_000 / distance : distance / 10_000 };
}

/** Ends at the same side of a box share it equally. */
function pointOf(end: End, all: readonly End[]): Point {
  const { at, side } = end;
  const beside = all.filter((one) => one.at === at && one.side === side).sort((a, b) => a.rank - b.rank);
  const share = (beside.indexOf(end) + 1) / (beside.length + 1);
  if (side === "left" || side === "right")
    return { x: side === "left" ? at.x : at.x + at.width, y: at.y + Math.round(at.height * share) };
  return { x: at.x + Math.round(at.width * share), y: side === "top" ? at.y : at.y + at.height };
}

/** Whether two boxes are in one row. */
const overlaps = (one: Placed, other: Placed): boolean =>
  one.y < other.y + other.height && other.y < one.y + one.height;

/** What stands for each box: a host with one agent for that, a stack with one host for that; and what is in the way of others. */
function shownFor(all: readonly Placed[]) {
  const shown = new Map(all.map((one) => [one.box.id, one]));
  const lift = (kind: "host" | "stack") => {
    for (const one of all) {
      const [only, ...others] = one.children;
      const instead = only && shown.get(only.box.id);
      if (one.box.kind !== kind || !instead || others.length > 0 || instead.children.length > 1) continue;
      shown.set(only.box.id, one);
      for (const { box } of only.children) shown.set(box.id, one);
    }
  };
  lift("host");
  lift("stack");
  const solid = all.filter(({ box }) => box.kind === "host" || (box.children.length === 0 && box.kind !== "agent"));
  return { shown, obstacles: solid.map((one) => shown.get(one.box.id) ?? one) };
}

/** Sides by which two boxes face each other; neighbours in a row their near ones, others in a row their upper ones. */
function sidesOf(from: Placed, to: Placed, hosts: readonly Placed[]): [Side, Side] {
  if (from.y >= to.y + to.height) return ["top", "bottom"];
  if (to.y >= from.y + from.height) return ["bottom", "top"];
  const [left, right] = from.x < to.x ? [from, to] : [to, from];
  const apart = [...hosts, ...hosts.flatMap(({ children }) => children)].some(
    (host) => host.x >= left.x + left.width && host.x + host.width <= right.x && overlaps(host, left),
  );
  if (apart) return ["top", "top"];
  return from === left ? ["right", "left"] : ["left", "right"];
}

function pathOf(from: Point, to: Point, sides: readonly [Side, Side], hosts: readonly Placed[]): string {
  if (sides[0] === "left" || sides[0] === "right") return `M${from.x} ${from.y}L${to.x} ${to.y}`;
  if (sides[0] === sides[1]) {
    const over =
      Math.min(from.y, to.y) - Math.min(RISE.most, Math.max(RISE.least, Math.round(Math.abs(to.x - from.x) / 30)));
    const [start, end] = [from.y - STRAIGHT, to.y - STRAIGHT];
    return `M${from.x} ${from.y}L${from.x} ${start}C${from.x} ${over} ${to.x} ${over} ${to.x} ${end}L${to.x} ${to.y}`;
  }
  const points = [from, ...detours(from, to, hosts), to];
  const curves = points.slice(1).map((point, index) => {
    const before = points[index] as Point;
    if (before.x === point.x) return `L${point.x} ${point.y}`;
    const straight = STRAIGHT * Math.sign(point.y - before.y);
    const [start, end] = [before.y + straight, point.y - straight];
    const half = Math.round((start + end) / 2);
    return `L${before.x} ${start}C${before.x} ${half} ${point.x} ${half} ${point.x} ${end}L${point.x} ${point.y}`;
  });
  return `M${from.x} ${from.y}${curves.join("")}`;
}

/** Points beside the hosts that are in the way: from one to the next of each pair the arrow is straight, and it turns where there are no hosts. */
function detours(from: Point, to: Point, hosts: readonly Placed[]): Point[] {
  const [top, low] = [Math.min(from.y, to.y), Math.max(from.y, to.y)];
  const rows = rowsOf(hosts.filter((host) => host.y < low && host.y + host.height > top));
  const upwards = to.y < from.y;
  const stops = (upwards ? rows.reverse() : rows).map((row) => {
    const ends = [Math.max(top, Math.min(...row.map(({ y }) => y))), Math.min(low, bottom(row))];
    const [near, far] = (upwards ? ends.reverse() : ends) as [number, number];
    const isFree = (left: number, right: number) =>
      row.every(({ x, width }) => right <= x - CLEARANCE || left >= x + width + CLEARANCE);
    const straight = from.x + ((to.x - from.x) * ((near + far) / 2 - from.y)) / (to.y - from.y);
    const beside = row.flatMap(({ x, width }) => [x - CLEARANCE, x + width + CLEARANCE]);
    const free = [straight, ...beside]
      .filter((x) => isFree(x, x))
      .sort((a, b) => Math.abs(a - straight) - Math.abs(b - straight));
    return { x: Math.round(free[0] ?? straight), near, far, isFree };
  });
  const points: Point[] = [];
  let [at, index] = [from, 0];
  for (;;) {
    // As far as it goes in one curve.
    const reaches = (x: number, end: number) =>
      stops.slice(index, end).every(({ isFree }) => isFree(Math.min(at.x, x), Math.max(at.x, x)));
    if (reaches(to.x, stops.length)) return points;
    const next = stops.findLastIndex(({ x }, stop) => stop >= index && reaches(x, stop));
    const { x, near, far } = stops[next] as (typeof stops)[number];
    points.push({ x, y: near }, { x, y: far });
    [at, index] = [{ x, y: far }, next + 1];
  }
}

/** Hosts that are beside each other, from above: between two rows there are none. */
function rowsOf(hosts: readonly Placed[]): Placed[][] {
  const rows: Placed[][] = [];
  for (const host of [...hosts].sort((a, b) => a.y - b.y)) {
    const last = rows.at(-1);
    if (last && host.y < bottom(last)) last.push(host);
    else rows.push([host]);
  }
  return rows;
}
