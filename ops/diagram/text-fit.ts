/** Width of a letter, by the size of its font: DejaVu Sans, the widest of the usual ones, on average. Names are Latin letters. */
const LETTER = 0.6;
const BOLD_LETTER = 0.72;

interface Font {
  /** In pixels. */
  readonly size: number;
  readonly bold?: boolean;
}

/** The approximate width of a text, in pixels: fonts of viewers differ. */
export const textWidth = (text: string, { size, bold }: Font): number =>
  Math.ceil(text.length * size * (bold ? BOLD_LETTER : LETTER));

/** A text that fits, shortened in its middle, since names differ at their ends. */
export function fitted(text: string, width: number, font: Font): string {
  if (textWidth(text, font) <= width) return text;
  const letters = Math.max(3, Math.floor((width / textWidth("n".repeat(100), font)) * 100)) - 1;
  return `${text.slice(0, Math.ceil(letters / 2))}…${text.slice(text.length - Math.floor(letters / 2))}`;
}

/** The words of a text. A number stays with the word before it: `DNS 8600`. */
export const wordsOf = (text: string): string[] => text.split(/ (?!\d)/);

/** A text in lines that fit, broken between words. */
export function wrapped(text: string, width: number, font: Font): string[] {
  const lines: string[] = [];
  for (const word of wordsOf(text)) {
    const longer = lines.length > 0 ? `${lines.at(-1)} ${word}` : word;
    if (lines.length > 0 && textWidth(longer, font) <= width) lines[lines.length - 1] = longer;
    else lines.push(fitted(word, width, font));
  }
  return lines;
}
