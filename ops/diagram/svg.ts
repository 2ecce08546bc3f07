import type { Box } from "./boxes";
import type { Graph } from "./graph";
import {
  bottom,
  flat,
  LINE,
  LINE_HEIGHT,
  layout,
  moved,
  NARROW,
  PADDING,
  PHONE,
  type Placed,
  TITLE,
  WIDE,
  widthOf,
} from "./layout";
import { legend } from "./legend";
import { type Picture, pictureOf } from "./picture";
import { type Route, routes } from "./route";
import { type Area, escaped, joinArrow, MARKERS, nextArrow, number, RADIUS, rect, shape, text } from "./svg-elements";
import { fitted, textWidth, wrapped } from "./text-fit";

const CLUSTER = { size: 22, bold: true } as const;
const ABOUT = { size: 13 } as const;
const ABOUT_HEIGHT = 18;

/** It has its own background. */
const LIGHT = `
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
.sign{fill:#fff}
.server{fill:#c2286e;stroke:#8f1650}
.client{fill:#dff2ea;stroke:#2f8f6b}
text.on-server{fill:#fff}
.more{fill:#f7f8fb;stroke:#9aa2b8;stroke-dasharray:2 3}
.address{fill:#fff7e0;stroke:#b98a16}
.leaving{stroke-dasharray:5 3;stroke-width:2px}
.healthy{stroke:#1f9d55;stroke-width:3px}
.host.healthy{stroke:#b6bdd0;stroke-width:1px}
.unhealthy{fill:#ffe3e0;stroke:#d62828;stroke-width:3px}
.unreachable{fill:#e3e5ec;stroke:#5b6478;stroke-width:3px;stroke-dasharray:6 4}
.join{fill:none;stroke:#56658f;stroke-width:1.5px}
.point{fill:#56658f}
.next{fill:#1d2233}
.step{fill:#1d2233}
text.number{font-weight:700;fill:#fff}
.middle{text-anchor:middle}
.then{stroke:#1d2233;stroke-width:1.5px}
.on{fill:#dff2ea;stroke:#2f8f6b}
.off{fill:#fff1dc;stroke:#c77700}
`;
/** Where a viewer prefers dark pages. Servers and client agents keep their colours. */
const DARK = `
text{fill:#b6bdd0}
.title,.cluster{fill:#f1f3f9}
text.on-server{fill:#fff}
text.on-client{fill:#1d2233}
.ground{fill:#161b26;stroke:#3a4254}
.stack{fill:#202737;stroke:#3a4254}
.rule{stroke:#3a4254}
.over{stroke:#202737}
.host,.sign{fill:#2b3346}
.host,.host.healthy{stroke:#56607a}
.more{fill:#202737}
.address{fill:#3b3320}
.unhealthy{fill:#5c2428;stroke:#ff6b63}
.unreachable{fill:#3d4453;stroke:#9aa3b8}
.join{stroke:#9fb0e0}
.point{fill:#9fb0e0}
.next,.step{fill:#f1f3f9}
.then{stroke:#f1f3f9}
text.number{fill:#1d2233}
.on{fill:#1c3b2f}
.off{fill:#45331a}
`;
/** A page may contain several pictures. */
const ofDiagram = (rules: string): string => rules.trim().replace(/^|,(?=\.)/gm, "$&.consul-diagram ");
const STYLE = `${ofDiagram(LIGHT)}\n@media(prefers-color-scheme:dark){\n${ofDiagram(DARK)}\n}`;

const MARGIN = 24;
const LEAST_WIDTH = 640;
/** Of a picture that is as wide as a phone. */
const NARROW_MARGIN = 16;
/** A picture of more is wider than a phone: it would be too long, or have too many arrows in little room. */
const FEW = { agents: 8, servers: 3 } as const;
/** Left of steps are their numbers. */
const NUMBERS = 34;

/** A cluster as SVG. One of a few agents is as wide as a phone, if their names are short enough. */
export function svg(graph: Graph): string {
  const picture = pictureOf(graph);
  const { title, about, security, addresses, boxes, ports, joins } = picture;
  const rows = [...(addresses.length > 0 ? [addresses] : []), ...boxes.map((box) => [box])];
  const numbers = boxes[0]?.kind === "step" ? NUMBERS : 0;
  const narrow = layout(rows, NARROW);
  const isNarrow = hasFew(graph) && numbers + widthOf(narrow) + 2 * NARROW_MARGIN <= PHONE;
  const [unplaced, margin] = isNarrow ? [narrow, NARROW_MARGIN] : [layout(rows, WIDE), MARGIN];
  const left = margin + numbers;
  const room = isNarrow
    ? PHONE - left - margin
    : Math.max(LEAST_WIDTH, widthOf(unplaced), textWidth(about, ABOUT) + badgeWidth(security) + MARGIN);
  const width = left + room + margin;
  const above = head(picture, { x: margin, width: width - 2 * margin });
  const placed = moved(unplaced, left + (room - widthOf(unplaced)) / 2, above.bottom);
  const below = legend(picture, { x: margin, y: bottom(placed) + margin, width: width - 2 * margin });
  const height = below.bottom + margin;
  const description = [
    about,
    security.words,
    ...ports.flatMap(({ role, lines }) => lines.map((line) => `${role}s: ${line}`)),
    ...joins,
  ];
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="consul-title consul-about" class="consul-diagram">`,
    `<title id="consul-title">${escaped(`Consul cluster ${title}`)}</title>`,
    `<desc id="consul-about">${escaped(description.join("; "))}</desc>`,
    `<style>${STYLE}</style>`,
    `<defs>${MARKERS}</defs>`,
    rect("ground", { x: 0.5, y: 0.5, width: width - 1, height: height - 1 }, 12),
    ...above.parts,
    ...drawn(placed, routes(picture.arrows ?? [], placed)),
    ...below.parts,
    "</svg>",
  ];
  return `${lines.join("\n")}\n`;
}

const hasFew = ({ agents }: Graph): boolean =>
  agents.length <= FEW.agents && agents.filter(({ role }) => role === "server").length <= FEW.servers;

/** The cluster's name, a line about it, and its security: at the right of a line that has room, or below. */
function head(
  { title, about, security }: Picture,
  { x, width }: Pick<Area, "x" | "width">,
): { readonly parts: readonly string[]; readonly bottom: number } {
  const taken = badgeWidth(security) + MARGIN;
  const isBeside = (words: string, font: typeof CLUSTER | typeof ABOUT) => textWidth(words, font) + taken <= width;
  const lines = wrapped(about, width, ABOUT).map((line) => line.replace(/ ·$/, ""));
  const last = 60 + (lines.length - 1) * ABOUT_HEIGHT;
  const right = x + width - badgeWidth(security);
  const beside = isBeside(about, ABOUT) ? badge(security, right, 42) : undefined;
  const aboveIt = isBeside(title, CLUSTER) ? badge(security, right, 20) : undefined;
  const badgeBelow = beside === undefined && aboveIt === undefined;
  return {
    parts: [
      text(title, x, 38, "cluster", fitted(title, width, CLUSTER)),
      ...lines.map((line, index) => text(line, x, 60 + index * ABOUT_HEIGHT, "about")),
      beside ?? aboveIt ?? badge(security, x, last + 10),
    ],
    bottom: last + (badgeBelow ? 48 : 16),
  };
}

/** From what is behind to what is in front. */
function drawn(placed: readonly Placed[], arrows: readonly Route[]): string[] {
  const all = flat(placed);
  const of = (...kinds: Box["kind"][]) => all.filter(({ box }) => kinds.includes(box.kind));
  const joining = new Set(arrows.map(({ arrow }) => arrow.from));
  const framed = (kind: Box["kind"]) =>
    of(kind).flatMap((one) => (joining.has(one.box.id) ? [rect("frame", one, 10)] : []));
  const joins = (inside: boolean) =>
    arrows.filter((route) => route.inside === inside).map(({ path, arrow }) => joinArrow(path, arrow.mutual));
  return [
    ...order(of("step")),
    ...framed("step"),
    ...of("stack").map((one) => rect("stack", one, 10)),
    ...framed("clients"),
    ...joins(false),
    ...of("stack").map((one) => wordsIn(one, "over")),
    ...of("host").map((one) => rect(`host${stateLook(one.box)}`, one, 6)),
    ...joins(true),
    ...of("host").map((one) => wordsIn(one)),
    ...of("agent").map(agent),
    ...of("more", "address").map((one) => rect(`${one.box.kind}${stateLook(one.box)}`, one, 6) + wordsIn(one)),
  ];
}

/** The steps' numbers, from each to the next. */
const order = (steps: readonly Placed[]): string[] =>
  steps.map(({ box, y }, index) => {
    const next = steps[index + 1];
    const line = next ? nextArrow(`M${MARGIN + RADIUS} ${y + PADDING + 2 * RADIUS + 4}V${next.y + PADDING - 4}`) : "";
    return number(box.title, MARGIN, y + PADDING) + line;
  });

function agent(one: Placed): string {
  const [{ role, name, decommission } = { role: "client" as const, name: "", decommission: false }] = one.box.agents;
  const look = `${role}${decommission ? " leaving" : ""}${stateLook(one.box)}`;
  // Unhealthy agents have a light background.
  const words = (one.box.state?.health ?? "healthy") === "healthy" ? `on-${role}` : "";
  return `<g><title>${escaped(`${name}: ${role}`)}</title>${shape(role, one, look)}${wordsIn({ ...one, x: one.x + 2 }, words)}</g>`;
}

/** A box's title, and its lines below. */
function wordsIn({ box, title, lines, x, y }: Placed, look = ""): string {
  const [left, top] = [x + PADDING, y + 20];
  const below = lines.map((line, index) => text(line, left, top + (index + 1) * LINE_HEIGHT, look));
  return text(box.title, left, top, `title ${look}`.trim(), title) + below.join("");
}

const stateLook = ({ state }: Box): string => (state === undefined ? "" : ` ${state.health}`);

const badgeWidth = ({ words }: Picture["security"]): number => textWidth(words, LINE) + 2 * PADDING;

function badge(security: Picture["security"], x: number, y: number): string {
  const area = { x, y, width: badgeWidth(security), height: 22 };
  return (
    rect(security.on ? "on" : "off", area, area.height / 2) + text(security.words, x + area.width / 2, y + 15, "middle")
  );
}
