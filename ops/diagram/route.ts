import type { Arrow } from "./arrows";
import { flat, type Placed } from "./layout";

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

/** Room between an arrow and what it goes round. */
const CLEARANCE = 7;
/** How far a curved arrow rises over what it passes. */
const RISE = { least: 16, most: 34 } as const;

/** Curves between boxes, which go round the hosts between them. */
export function routes(arrows: readonly Arrow[], placed: readonly Placed[]): Route[] {
  const { ends, obstacles } = drawnFor(flat(placed));
  const legs = arrows.flatMap((arrow) => {
    const [from, to] = [ends.get(arrow.from), ends.get(arrow.to)];
    return from && to ? [{ arrow, from, to, sides: sidesOf(from, to, obstacles) }] : [];
  });
  // Arrows that share a side of a box share it equally, in the order of where they come from.
  const slots = new Map<string, { key: string; towards: number }[]>();
  const take = (at: Placed, side: Side, other: Placed, key: string) => {
    const slot = `${at.box.id} ${side}`;
    slots.set(slot, [...(slots.get(slot) ?? []), { key, towards: middle(other).x }]);
  };
  for (const [index, { from, to, sides }] of legs.entries()) {
    take(from, sides[0], to, `${index} from`);
    take(to, sides[1], from, `${index} to`);
  }
  const pointOf = (at: Placed, side: Side, key: string): Point => {
    const taken = [...(slots.get(`${at.box.id} ${side}`) ?? [])].sort((a, b) => a.towards - b.towards);
    const share = (taken.findIndex((one) => one.key === key) + 1) / (taken.length + 1);
    if (side === "left" || side === "right") return { x: side === "left" ? at.x : at.x + at.width, y: at.y + Math.round(at.height * share) };
    return { x: at.x + Math.round(at.width * share), y: side === "top" ? at.y : at.y + at.height };
  };
  return legs.map(({ arrow, from, to, sides }, index): Route => {
    const [start, end] = [pointOf(from, sides[0], `${index} from`), pointOf(to, sides[1], `${index} to`)];
    const between = obstacles.filter((one) => ![from, to].some((end) => one === end || one.children.includes(end)));
    return { arrow, from: start, to: end, path: pathOf(start, end, sides[0], between), inside: [from, to].some(({ box }) => box.kind === "agent") };
  });
}

const middle = ({ x, y, width, height }: Placed): Point => ({ x: x + width / 2, y: y + height / 2 });

/** What stands for each box: a host with one agent for that, a stack with one host for that; and what is in the way of others. */
function drawnFor(all: readonly Placed[]) {
  const ends = new Map(all.map((one) => [one.box.id, one]));
  const lift = (kind: "host" | "stack") => {
    for (const one of all) {
      const [only, ...others] = one.children;
      const instead = only && ends.get(only.box.id);
      if (one.box.kind !== kind || !instead || others.length > 0 || instead.children.length > 1) continue;
      ends.set(only.box.id, one);
      for (const { box } of only.children) ends.set(box.id, one);
    }
  };
  lift("host");
  lift("stack");
  const solid = all.filter(({ box }) => box.kind === "host" || (box.children.length === 0 && box.kind !== "agent"));
  return { ends, obstacles: solid.map((one) => ends.get(one.box.id) ?? one) };
}

/** Sides by which two boxes face each other; neighbours in a row their near ones, others in a row their upper ones. */
function sidesOf(from: Placed, to: Placed, hosts: readonly Placed[]): [Side, Side] {
  if (from.y >= to.y + to.height) return ["top", "bottom"];
  if (to.y >= from.y + from.height) return ["bottom", "top"];
  const [left, right] = from.x < to.x ? [from, to] : [to, from];
  const apart = [...hosts, ...hosts.flatMap(({ children }) => children)].some(
    (host) => host.x >= left.x + left.width && host.x + host.width <= right.x && host.y < left.y + left.height && left.y < host.y + host.height,
  );
  if (apart) return ["top", "top"];
  return from === left ? ["right", "left"] : ["left", "right"];
}

function pathOf(from: Point, to: Point, side: Side, hosts: readonly Placed[]): string {
  if (side === "left" || side === "right") return `M${from.x} ${from.y}L${to.x} ${to.y}`;
  if (from.y === to.y) {
    const over = from.y - Math.min(RISE.most, Math.max(RISE.least, Math.round(Math.abs(to.x - from.x) / 18)));
    return `M${from.x} ${from.y}C${from.x} ${over} ${to.x} ${over} ${to.x} ${to.y}`;
  }
  const points = [from, ...detours(from, to, hosts), to];
  const curves = points.slice(1).map((point, index) => {
    const before = points[index] as Point;
    const half = Math.round((before.y + point.y) / 2);
    return before.x === point.x ? `L${point.x} ${point.y}` : `C${before.x} ${half} ${point.x} ${half} ${point.x} ${point.y}`;
  });
  return `M${from.x} ${from.y}${curves.join("")}`;
}

/** Points beside the hosts that are in the way. */
function detours(from: Point, to: Point, hosts: readonly Placed[]): Point[] {
  const [top, low] = [Math.min(from.y, to.y), Math.max(from.y, to.y)];
  const rows = new Map<string, Placed[]>();
  for (const host of hosts) {
    if (host.y < top || host.y + host.height > low) continue;
    const row = `${host.y} ${host.height}`;
    rows.set(row, [...(rows.get(row) ?? []), host]);
  }
  const points = [...rows.values()].flatMap((row): Point[] => {
    const [{ y, height }] = row as [Placed, ...Placed[]];
    const straight = from.x + ((to.x - from.x) * (y + height / 2 - from.y)) / (to.y - from.y);
    const blocked = row.map((host): [number, number] => [host.x - CLEARANCE, host.x + host.width + CLEARANCE]);
    const free = (x: number) => blocked.every(([left, right]) => x <= left || x >= right);
    if (free(straight)) return [];
    const x =
      blocked
        .flat()
        .filter(free)
        .sort((a, b) => Math.abs(a - straight) - Math.abs(b - straight))[0] ?? straight;
    return [
      { x, y },
      { x, y: y + height },
    ];
  });
  return points.sort((a, b) => (to.y < from.y ? b.y - a.y : a.y - b.y));
}
