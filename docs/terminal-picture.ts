import { stripVTControlCharacters } from "node:util";
import { escaped } from "../ops/diagram/svg-elements";
import { WIDTH } from "./picture-parts";

const SIZE = 12;
/** Of a character at this font size. Text is stretched to this width, whichever font the viewer has. */
const CHARACTER = 7.2;
const HEIGHT = 17;
const MARGIN = 14;
const BAR = 26;
/** Characters on a line. */
export const COLUMNS = Math.floor((WIDTH - 2 * MARGIN) / CHARACTER);

/** Colours of a terminal, by the codes that ops/ uses. */
const COLOURS: Readonly<Record<string, string>> = { "2": "#9aa3b8", "31": "#ff7b72", "32": "#56d364", "33": "#e3b341" };
const PLAIN = "#e6e9f0";
const ESCAPE = "\x1b[";

/**
 * A picture of a command at a terminal that is as narrow as a phone.
 * @param about for programs that read the picture out
 * @param command that is typed
 * @param written by the command, in colour; longer lines are wrapped between words
 */
export function terminalPicture(about: string, command: string, written: string): string {
  const lines = [`$ ${command}`, ...written.trimEnd().split("\n").flatMap(wrapped)];
  const height = BAR + lines.length * HEIGHT + MARGIN;
  const top = BAR + MARGIN;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="about">`,
    `<title id="about">${escaped(about)}</title>`,
    `<style>text{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:${SIZE}px}</style>`,
    `<rect x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="10" fill="#151922" stroke="#3a4254"/>`,
    ...["#ff5f57", "#febc2e", "#28c840"].map(
      (colour, index) => `<circle cx="${MARGIN + 4 + index * 16}" cy="15" r="4.5" fill="${colour}"/>`,
    ),
    ...lines.flatMap((line, row) => pieces(line).map((piece) => drawn(piece, top + row * HEIGHT))),
    "</svg>",
  ];
  return `${parts.join("\n")}\n`;
}

/** A line of a list or a table goes on below its last column. Other lines go on two characters to the right. */
function wrapped(line: string): string[] {
  if (stripVTControlCharacters(line).length <= COLUMNS) return [line];
  const [start = ""] = /^.* {2,}(?=\S)/.exec(line) ?? [];
  const indent = " ".repeat(stripVTControlCharacters(start).length || 2);
  const lines: string[] = [];
  let current = start;
  for (const word of line.slice(start.length).split(" ")) {
    const isFull = stripVTControlCharacters(`${current}${word}`).length > COLUMNS;
    if (isFull) lines.push(current.trimEnd());
    current = `${isFull ? `${indent}${lastCode(current)}` : current}${word} `;
  }
  return [...lines, current.trimEnd()];
}

/** The colour in which a line goes on. */
function lastCode(line: string): string {
  const at = line.lastIndexOf(ESCAPE);
  return at < 0 ? "" : line.slice(at, line.indexOf("m", at) + 1);
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

function drawn({ column, text, colour }: Piece, y: number): string {
  const place = `x="${(MARGIN + column * CHARACTER).toFixed(1)}" y="${y}" textLength="${(text.length * CHARACTER).toFixed(1)}"`;
  return `<text ${place} fill="${colour}">${escaped(text)}</text>`;
}
