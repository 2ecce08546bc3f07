import type { Role } from "../../consul/ports";

/** Elements of SVG, as text. */

/** What an element covers, in pixels. */
export interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export const escaped = (words: string): string =>
  words.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

/** @param round the corners' radius */
export const rect = (look: string, { x, y, width, height }: Area, round: number): string =>
  `<rect class="${look}" x="${x}" y="${y}" width="${width}" height="${height}" rx="${round}"/>`;

/** @param shown the words, shortened; the whole is then in the text's title */
export function text(words: string, x: number, y: number, look = "", shown = words): string {
  const title = shown === words ? "" : `<title>${escaped(words)}</title>`;
  return `<text${look && ` class="${look}"`} x="${x}" y="${y}">${title}${escaped(shown)}</text>`;
}

/** An agent's shape: servers have corners, clients are round. */
export function shape(role: Role, area: Area, look: string = role): string {
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

/** Arrows' points: who joins whom, and what is deployed next. */
export const MARKERS = ["point", "next"]
  .map(
    (look) =>
      `<marker id="consul-${look}" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto-start-reverse"><path class="${look}" d="M0 .5L8 4L0 7.5z"/></marker>`,
  )
  .join("");

export const joinArrow = (path: string, mutual: boolean): string =>
  `<path class="join" marker-end="url(#consul-point)"${mutual ? ' marker-start="url(#consul-point)"' : ""} d="${path}"/>`;

export const nextArrow = (path: string): string => `<path class="then" marker-end="url(#consul-next)" d="${path}"/>`;

export const RADIUS = 11;

/** A step's number, from its upper left corner on. */
export const number = (words: string, x: number, y: number): string =>
  `<circle class="step" cx="${x + RADIUS}" cy="${y + RADIUS}" r="${RADIUS}"/>${text(words, x + RADIUS, y + RADIUS + 4, "number middle")}`;
