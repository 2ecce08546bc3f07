import { type Box, LEADER } from "./boxes";
import { LINE, LINE_HEIGHT } from "./layout";
import type { Picture } from "./picture";
import { type Area, joinArrow, number, rect, shape, text } from "./svg-elements";
import { textWidth, wrapped } from "./text-fit";

/** A sign is 26 wide and 16 high. */
interface Sign {
  readonly draw: (x: number, y: number) => string;
  readonly words: string;
}

const SIGN = 34;
const HEADING = 70;

/** What the signs mean, and what is the same for most: ports, and who joins whom where arrows would be too many. */
export function legend(
  picture: Picture,
  { x, y, width }: Omit<Area, "height">,
): { readonly parts: readonly string[]; readonly bottom: number } {
  const { arrows, ports, joins } = picture;
  const parts = [`<path class="rule" d="M${x} ${y}H${x + width}"/>`];
  let [at, low] = [x, y + 16];
  for (const { draw, words } of signsOf(picture)) {
    const taken = SIGN + textWidth(words, LINE);
    if (at > x && at + taken > x + width) [at, low] = [x, low + 24];
    parts.push(draw(at, low), text(words, at + SIGN, low + 12));
    at += taken + 24;
  }
  low += 40;
  for (const { heading, lines } of [
    ...ports.map(({ role, lines }) => ({ heading: `${role}s`, lines })),
    ...(arrows ? [] : [{ heading: "joins", lines: joins }]),
  ]) {
    parts.push(text(heading, x, low, "title"));
    for (const line of lines.flatMap((one) => wrapped(one, width - HEADING, LINE))) {
      parts.push(text(line, x + HEADING, low));
      low += LINE_HEIGHT;
    }
    low += 5;
  }
  return { parts, bottom: low - LINE_HEIGHT };
}

/** Of what is in the picture. */
function signsOf({ arrows = [], boxes, states }: Picture): Sign[] {
  const several = new Set(boxes.flatMap(withSeveral));
  const agent = (role: "server" | "client"): Sign => ({
    draw: (x, y) => shape(role, { x, y, width: 26, height: 16 }),
    words: role,
  });
  const join = (mutual: boolean, words: string): Sign => ({
    draw: (x, y) => joinArrow(`M${x} ${y + 8}H${x + 26}`, mutual),
    words,
  });
  const together: Sign = {
    draw: (x, y) =>
      rect("frame", { x, y, width: 12, height: 16 }, 3) + joinArrow(`M${x + 12} ${y + 8}H${x + 28}`, false),
    words: "all in the box join",
  };
  const order: Sign = { draw: (x, y) => number("1", x + 2, y - 3), words: "order of deployment" };
  return [
    agent("server"),
    agent("client"),
    ...(arrows.some(({ mutual }) => !mutual) ? [join(false, "joins")] : []),
    ...(arrows.some(({ mutual }) => mutual) ? [join(true, "join each other")] : []),
    ...(arrows.some(({ from }) => several.has(from)) ? [together] : []),
    ...(boxes[0]?.kind === "step" ? [order] : []),
    ...states.map(
      ({ health, words }): Sign => ({
        draw: (x, y) => rect(`sign ${health}`, { x, y, width: 26, height: 16 }, 3),
        words,
      }),
    ),
    ...(states.length > 0
      ? [{ draw: (x: number, y: number) => text(LEADER, x + 13, y + 13, "title middle"), words: "leads" }]
      : []),
  ];
}

const withSeveral = ({ id, agents, children }: Box): string[] =>
  agents.length > 1 ? [id, ...children.flatMap(withSeveral)] : [];
