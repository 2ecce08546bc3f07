import type { Box } from "./boxes";
import { type AgentNode, type Join, targetsByAgent } from "./graph";

/** A join, as it is drawn. */
export interface Arrow {
  /** A box: every agent in it joins. */
  readonly from: string;
  readonly to: string;
  /** Each joins the other. */
  readonly mutual: boolean;
}

/** More arrows would not be readable. */
const ARROWS = 36;

/**
 * Arrows between boxes; undefined if there are too many to be readable. An arrow begins at the outermost box in which
 * all agents join the same targets: a thousand client agents have as many arrows as one.
 */
export function arrowsBetween(
  joins: readonly Join[],
  boxes: readonly Box[],
  addresses: readonly Box[],
): readonly Arrow[] | undefined {
  const targets = targetsByAgent(joins);
  const joined = new Set(joins.map(({ to }) => to));
  const places = new Map([
    ...addresses.map(({ id, title }): [string, string] => [title, id]),
    ...boxes.flatMap(leaves).flatMap(({ id, agents }) => agents.map(({ name }): [string, string] => [name, id])),
  ]);
  /** An address without a box of its own is summed up in the last. */
  const placesOf = ({ name }: AgentNode): string[] =>
    (targets.get(name) ?? []).map((to) => places.get(to) ?? addresses.at(-1)?.id ?? "");

  const alike = ({ agents }: Box): boolean => {
    const ways = new Set(agents.map((agent) => targets.get(agent.name)?.join() ?? ""));
    return ways.size === 1 && !agents.some(({ name }) => joined.has(name));
  };
  const sources = (box: Box): Box[] => {
    const whole = box.children.length === 0 || ((box.children.length > 1 || box.kind === "stack") && alike(box));
    return whole ? [box] : box.children.flatMap(sources);
  };

  const ways = boxes.flatMap(sources).flatMap(({ id, agents }) => {
    const ends = new Set(agents.flatMap(placesOf));
    ends.delete(id);
    return [...ends].map((to) => ({ from: id, to }));
  });
  const known = new Set(ways.map(({ from, to }) => `${from} ${to}`));
  const arrows = ways
    .map(({ from, to }) => ({ from, to, mutual: known.has(`${to} ${from}`) }))
    .filter(({ from, to, mutual }) => !mutual || from < to);
  return arrows.length > ARROWS ? undefined : arrows;
}

const leaves = (box: Box): Box[] => (box.children.length === 0 ? [box] : box.children.flatMap(leaves));
