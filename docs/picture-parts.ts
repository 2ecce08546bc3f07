import { PHONE } from "../ops/diagram/layout";
import { type Area, escaped, rect, text } from "../ops/diagram/svg-elements";

/** Parts of the pictures of docs/architecture.md. They are narrow, because a phone shows a picture at its own width. */

export const WIDTH = PHONE;

/** A picture on its own background, which is dark on a dark page. */
const STYLE = `
text{font-family:ui-sans-serif,system-ui,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;font-size:12px;fill:#475069}
.strong{font-weight:600;fill:#1d2233}
.middle{text-anchor:middle}
.end{text-anchor:end}
.over{stroke:#fcfcfe;stroke-width:5px;stroke-linejoin:round;paint-order:stroke}
.ground{fill:#fcfcfe;stroke:#d9dce6}
.place{fill:#eef0f6;stroke:#cdd2e0}
.thing{fill:#fff;stroke:#b6bdd0}
.store{fill:#fff7e0;stroke:#b98a16}
.server{fill:#c2286e;stroke:#8f1650}
.client{fill:#dff2ea;stroke:#2f8f6b}
text.on-server{fill:#fff;font-weight:600}
text.on-client,text.on-store{fill:#1d2233;font-weight:600}
text.in-store{fill:#475069}
.line{fill:none;stroke:#56658f;stroke-width:1.5px}
.life{fill:none;stroke:#9aa2b8;stroke-dasharray:3 4}
.point{fill:#56658f}
@media(prefers-color-scheme:dark){
text{fill:#b6bdd0}
.strong{fill:#f1f3f9}
.ground{fill:#161b26;stroke:#3a4254}
.over{stroke:#161b26}
.place{fill:#202737;stroke:#3a4254}
.thing{fill:#2b3346;stroke:#56607a}
.line{stroke:#9fb0e0}
.point{fill:#9fb0e0}
}
`.trim();

const MARKER =
  '<marker id="point" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto-start-reverse"><path class="point" d="M0 .5L8 4L0 7.5z"/></marker>';

/** @param about for programs that read the picture out */
export const picture = (about: string, width: number, height: number, parts: readonly string[]): string =>
  `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="about">`,
    `<title id="about">${escaped(about)}</title>`,
    `<style>${STYLE}</style>`,
    `<defs>${MARKER}</defs>`,
    rect("ground", { x: 0.5, y: 0.5, width: width - 1, height: height - 1 }, 12),
    ...parts,
    "</svg>",
  ].join("\n")}\n`;

/** A box with lines of text in its middle; the first one is strong. */
export function box(look: string, area: Area, lines: readonly string[]): string {
  const first = area.y + area.height / 2 + 4 - ((lines.length - 1) * 15) / 2;
  const words = lines.map((line, index) => {
    const strong = look === "thing" || look === "place" ? "strong" : `on-${look}`;
    return text(line, area.x + area.width / 2, first + index * 15, `middle ${index === 0 ? strong : `in-${look}`}`);
  });
  return rect(look, area, 6) + words.join("");
}

/** A place in which other boxes are. */
export const place = (area: Area, title: string): string =>
  rect("place", area, 10) + text(title, area.x + 10, area.y + 19, "strong");

/** A straight arrow. */
export const arrow = (from: readonly [number, number], to: readonly [number, number], mutual = false): string =>
  `<path class="line" marker-end="url(#point)"${mutual ? ' marker-start="url(#point)"' : ""} d="M${from.join(" ")}L${to.join(" ")}"/>`;

export const label = (words: string, x: number, y: number, look = "middle"): string => text(words, x, y, look);
