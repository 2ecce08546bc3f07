import { stripVTControlCharacters } from "node:util";
import { escaped } from "../ops/diagram/svg-elements";

/**
 * A picture of a command's output at a terminal, in colour, with FORCE_COLOR=1:
 * `npm run status | node --require ./typescript.cjs e2e/terminal-picture.ts "npm run status" >status.svg`.
 */

const SIZE = 14;
/** Of a character at this font size. Text is stretched to this width, whichever font the viewer has. */
const WIDTH = 8.4;
const HEIGHT = 20;
const MARGIN = 20;
const BAR = 34;

/** Colours of a terminal, by the codes that ops/ uses. */
const COLOURS: Readonly<Record<string, string>> = { "2": "#8b93a7", "31": "#ff7b72", "32": "#56d364", "33": "#e3b341" };
const PLAIN = "#e6e9f0";

/** @param title of the window: the command */
export function terminalPicture(title: string, written: string): string {
  const lines = written.trimEnd().split("\n");
  const columns = Math.max(title.length, ...lines.map((line) => stripVTControlCharacters(line).length));
  const width = Math.ceil(columns * WIDTH + 2 * MARGIN);
  const height = BAR + lines.length * HEIGHT + 2 * MARGIN - 6;
  const top = BAR + MARGIN + SIZE - 4;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(title)}">`,
    `<style>text{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:${SIZE}px}</style>`,
    `<rect width="${width}" height="${height}" rx="10" fill="#151922"/>`,
    ...["#ff5f57", "#febc2e", "#28c840"].map(
      (colour, index) => `<circle cx="${MARGIN + 4 + index * 20}" cy="18" r="6" fill="${colour}"/>`,
    ),
    `<text x="${width / 2}" y="23" text-anchor="middle" fill="${COLOURS["2"]}">${escaped(title)}</text>`,
    ...lines.flatMap((line, row) => pieces(line).map((piece) => drawn(piece, top + row * HEIGHT))),
    "</svg>",
  ];
  return `${parts.join("\n")}\n`;
}

interface Piece {
  readonly column: number;
  readonly text: string;
  readonly colour: string;
}

/** The parts of a line that have one colour and no gap, since SVG draws several spaces as one. */
function pieces(line: string): Piece[] {
  const found: Piece[] = [];
  let column = 0;
  let colour = PLAIN;
  // The text between two codes, and the codes.
  for (const [index, part] of line.split(ESCAPE).entries()) {
    const [, code, text] = index === 0 ? [undefined, undefined, part] : (/^(\d*)m(.*)$/.exec(part) ?? []);
    if (code !== undefined) colour = COLOURS[code] ?? PLAIN;
    for (const { index: at, 0: piece } of (text ?? "").matchAll(/\S+( \S+)*/g))
      found.push({ column: column + at, text: piece, colour });
    column += text?.length ?? 0;
  }
  return found;
}

const ESCAPE = "\x1b[";

function drawn({ column, text, colour }: Piece, y: number): string {
  const place = `x="${(MARGIN + column * WIDTH).toFixed(1)}" y="${y}" textLength="${(text.length * WIDTH).toFixed(1)}"`;
  return `<text ${place} fill="${colour}">${escaped(text)}</text>`;
}

if (require.main === module) {
  const title = process.argv[2] ?? "";
  let written = "";
  process.stdin
    .setEncoding("utf8")
    .on("data", (chunk) => {
      written += chunk;
    })
    .on("end", () => process.stdout.write(terminalPicture(title, written)));
}
