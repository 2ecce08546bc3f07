import type { Graph, State } from "./graph";
import { bottom, flat, LINE, LINE_HEIGHT, layout, moved, PADDING, type Placed, TITLE, widthOf } from "./layout";
import { type Picture, pictureOf } from "./picture";
import { type Route, routes } from "./route";
import { fitted, textWidth, wrapped } from "./text-fit";

const CLUSTER = { size: 22, bold: true } as const;
const ABOUT = { size: 13 } as const;

/** With a ground of its own, so that it is the same on a light and on a dark page. */
const STYLE = `
text{font-family:ui-sans-serif,system-ui,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;font-size:${LINE.size}px;fill:#475069}
.title{font-size:${TITLE.size}px;font-weight:600;fill:#1d2233}
.cluster{font-size:${CLUSTER.size}px;font-weight:700;fill:#1d2233}
.about{font-size:${ABOUT.size}px}
.ground{fill:#fcfcfe;stroke:#d9dce6}
.stack{fill:#eef0f6;stroke:#cdd2e0}
.rule{stroke:#cdd2e0}
.over{stroke:#eef0f6;stroke-width:4px;stroke-linejoin:round;paint-order:stroke}
.frame{fill:none;stroke:#8a93ab;stroke-dasharray:5 4}
.host{fill:#fff;stroke:#b6bdd0}
.server{fill:#c2286e;stroke:#8f1650}
.client{fill:#dff2ea;stroke:#2f8f6b}
text.on-server{fill:#fff}
.more{fill:#f7f8fb;stroke:#9aa2b8;stroke-dasharray:2 3}
.address{fill:#fff7e0;stroke:#b98a16}
.leaving{stroke-dasharray:5 3;stroke-width:2px}
.well{stroke:#1f9d55;stroke-width:3px}
.unwell{stroke:#d62828;stroke-width:3px}
.join{fill:none;stroke:#56658f;stroke-width:1.5px}
.point{fill:#56658f}
.next{fill:#1d2233}
.step{fill:#1d2233}
text.number{font-weight:700;fill:#fff}
.middle{text-anchor:middle}
.then{stroke:#1d2233;stroke-width:1.5px}
.on{fill:#dff2ea;stroke:#2f8f6b}
.off{fill:#fff1dc;stroke:#c77700}
`
  .trim()
  // It may stand in a page among others.
  .replace(/^/gm, ".consul-diagram ");

const MARGIN = 24;
const LEAST_WIDTH = 640;
const HEAD = 76;
/** Left of steps are their numbers. */
const NUMBERS = 34;
const RADIUS = 11;

/** A cluster as SVG. */
export function svg(graph: Graph): string {
  const picture = pictureOf(graph);
  const { title, about, security, addresses, boxes, joins } = picture;
  const rows = [...(addresses.length > 0 ? [addresses] : []), ...boxes.map((box) => [box])];
  const left = MARGIN + (numbered(picture) ? NUMBERS : 0);
  const unplaced = layout(rows);
  const room = Math.max(LEAST_WIDTH, widthOf(unplaced), textWidth(about, ABOUT) + textWidth(security.words, LINE) + 2 * PADDING + MARGIN);
  const placed = moved(unplaced, left + (room - widthOf(unplaced)) / 2, HEAD);
  const width = left + room + MARGIN;
  const drawn = legend(picture, { x: MARGIN, y: bottom(placed) + MARGIN, width: width - 2 * MARGIN });
  const height = drawn.bottom + MARGIN;

  const arrows = routes(picture.arrows ?? [], placed);
  const all = flat(placed);
  const of = (...kinds: Placed["box"]["kind"][]) => all.filter(({ box }) => kinds.includes(box.kind));
  const framed = new Set(arrows.map(({ arrow }) => arrow.from));
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="consul-title consul-about" class="consul-diagram">`,
    `<title id="consul-title">${escaped(`Consul cluster ${title}`)}</title>`,
    `<desc id="consul-about">${escaped([about, security.words, ...picture.ports.flatMap(portSentences), ...joins].join("; "))}</desc>`,
    `<style>${STYLE}</style>`,
    `<defs>${marker("point")}${marker("next")}</defs>`,
    rect("ground", { x: 0.5, y: 0.5, width: width - 1, height: height - 1 }, 12),
    text(title, MARGIN, 38, "cluster", fitted(title, width - 2 * MARGIN, CLUSTER)),
    text(about, MARGIN, 60, "about"),
    badge(security, width - MARGIN, 56),
    ...order(of("step")),
    ...of("step")
      .filter(({ box }) => framed.has(box.id))
      .map((one) => rect("frame", one, 14)),
    ...of("stack").map((one) => rect("stack", one, 10)),
    ...of("clients")
      .filter(({ box }) => framed.has(box.id))
      .map((one) => rect("frame", one, 8)),
    ...arrows.filter(({ inside }) => !inside).map(arrow),
    ...of("stack").map((one) => text(one.box.title, one.x + PADDING, one.y + 20, "title over", one.title) + notes(one, one.y + 20)),
    ...of("host").map((one) => rect(`host${stateClass(one.box.state)}`, one, 6)),
    ...arrows.filter(({ inside }) => inside).map(arrow),
    ...of("host").map((one) => text(one.box.title, one.x + PADDING, one.y + 20, "title", one.title) + notes(one, one.y + 20)),
    ...of("agent").map(agent),
    ...of("more", "address").map(
      (one) => rect(one.box.kind, one, 6) + text(one.box.title, one.x + PADDING, one.y + 20, "title", one.title) + notes(one, one.y + 20),
    ),
    ...drawn.parts,
    "</svg>",
  ];
  return `${lines.join("\n")}\n`;
}

const marker = (id: string): string =>
  `<marker id="consul-${id}" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto-start-reverse"><path class="${id}" d="M0 .5L8 4L0 7.5z"/></marker>`;
const numbered = ({ boxes }: Picture): boolean => boxes[0]?.kind === "step";
const portSentences = ({ role, lines }: Picture["ports"][number]): string[] => lines.map((line) => `${role}s: ${line}`);
const stateClass = (state: State | undefined): string => (state === undefined ? "" : state.well ? " well" : " unwell");

export const escaped = (words: string): string =>
  words.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

type Area = Pick<Placed, "x" | "y" | "width" | "height">;

const rect = (look: string, { x, y, width, height }: Area, round: number): string =>
  `<rect class="${look}" x="${x}" y="${y}" width="${width}" height="${height}" rx="${round}"/>`;

/** @param shown the words, shortened; the whole is then in the text's title */
function text(words: string, x: number, y: number, look = "", shown = words): string {
  const title = shown === words ? "" : `<title>${escaped(words)}</title>`;
  return `<text${look && ` class="${look}"`} x="${x}" y="${y}">${title}${escaped(shown)}</text>`;
}

/** A box's lines, below its title. */
const notes = ({ x, lines }: Placed, y: number, look = ""): string =>
  lines.map((line, index) => text(line, x + PADDING, y + (index + 1) * LINE_HEIGHT, look)).join("");

function agent(one: Placed): string {
  const { box, title, lines, x, y } = one;
  const [{ role, name, decommission } = { role: "client" as const, name: "", decommission: false }] = box.agents;
  const look = `${role}${decommission ? " leaving" : ""}${stateClass(box.state)}`;
  const words = role === "server" ? "on-server" : "";
  const inset = PADDING + 2;
  const shown = text(box.title, x + inset, y + 19, `title ${words}`.trim(), title) + notes({ ...one, x: x + 2, lines }, y + 19, words);
  return `<g><title>${escaped(`${name}: ${role}`)}</title>${shape(role, one, look)}${shown}</g>`;
}

/** Servers have corners, clients are round. */
function shape(role: "server" | "client", area: Area, look: string): string {
  const { x, y, width, height } = area;
  if (role === "client") return rect(look, area, Math.min(14, height / 2));
  const [cut, right, low] = [7, x + width, y + height];
  const corners = [
    [x + cut, y],
    [right - cut, y],
    [right, y + cut],
    [right, low - cut],
    [right - cut, low],
    [x + cut, low],
    [x, low - cut],
    [x, y + cut],
  ];
  return `<path class="${look}" d="M${corners.map((corner) => corner.join(" ")).join("L")}z"/>`;
}

const arrow = ({ arrow: { mutual }, path }: Route): string =>
  `<path class="join" marker-end="url(#consul-point)"${mutual ? ' marker-start="url(#consul-point)"' : ""} d="${path}"/>`;

/** The steps' numbers, from each to the next. */
const order = (steps: readonly Placed[]): string[] =>
  steps.map(({ box, y }, index) => {
    const [x, at, next] = [MARGIN + RADIUS, y + PADDING + RADIUS, steps[index + 1]];
    const line = next ? `<path class="then" marker-end="url(#consul-next)" d="M${x} ${at + RADIUS + 4}V${next.y + PADDING - 4}"/>` : "";
    return number(box.title, x, at) + line;
  });

const number = (words: string, x: number, y: number): string =>
  `<circle class="step" cx="${x}" cy="${y}" r="${RADIUS}"/>${text(words, x, y + 4, "number middle")}`;

function badge({ on, words }: Picture["security"], right: number, y: number): string {
  const width = textWidth(words, LINE) + 2 * PADDING;
  return rect(on ? "on" : "off", { x: right - width, y: y - 14, width, height: 22 }, 11) + text(words, right - width / 2, y + 1, "middle");
}

/** What the signs mean, and what is the same for most: ports, and who joins whom where arrows would be too many. */
function legend(picture: Picture, { x, y, width }: { readonly x: number; readonly y: number; readonly width: number }) {
  const { arrows, boxes, ports, joins } = picture;
  const leaders = new Set(boxes.flatMap(containers));
  const signs: { readonly sign: (x: number, y: number) => string; readonly words: string }[] = [
    { sign: (x, y) => shape("server", { x, y, width: 26, height: 16 }, "server"), words: "server" },
    { sign: (x, y) => shape("client", { x, y, width: 26, height: 16 }, "client"), words: "client" },
    ...(arrows?.some(({ mutual }) => !mutual) ? [{ sign: (x: number, y: number) => sample(x, y, false), words: "joins" }] : []),
    ...(arrows?.some(({ mutual }) => mutual) ? [{ sign: (x: number, y: number) => sample(x, y, true), words: "join each other" }] : []),
    ...(arrows?.some(({ from }) => leaders.has(from))
      ? [
          {
            sign: (x: number, y: number) => rect("frame", { x, y, width: 12, height: 16 }, 3) + sample(x + 12, y, false, 16),
            words: "all in the box join",
          },
        ]
      : []),
    ...(numbered(picture) ? [{ sign: (x: number, y: number) => number("1", x + 13, y + 8), words: "order of deployment" }] : []),
  ];
  const parts = [`<path class="rule" d="M${x} ${y}H${x + width}"/>`];
  let [at, low] = [x, y + 16];
  for (const { sign, words } of signs) {
    const taken = 34 + textWidth(words, LINE);
    if (at > x && at + taken > x + width) [at, low] = [x, low + 24];
    parts.push(sign(at, low), text(words, at + 34, low + 12));
    at += taken + MARGIN;
  }
  const told = [...ports.map(({ role, lines }) => ({ heading: `${role}s`, lines })), ...(arrows ? [] : [{ heading: "joins", lines: joins }])];
  low += 40;
  for (const { heading, lines } of told) {
    parts.push(text(heading, x, low, "title"));
    for (const line of lines.flatMap((one) => wrapped(one, width - 70, LINE))) {
      parts.push(text(line, x + 70, low));
      low += LINE_HEIGHT;
    }
    low += 5;
  }
  return { parts, bottom: low - LINE_HEIGHT };
}

const sample = (x: number, y: number, mutual: boolean, length = 26): string =>
  `<path class="join" marker-end="url(#consul-point)"${mutual ? ' marker-start="url(#consul-point)"' : ""} d="M${x} ${y + 8}H${x + length}"/>`;
const containers = (box: Placed["box"]): string[] => (box.agents.length > 1 ? [box.id, ...box.children.flatMap(containers)] : []);
