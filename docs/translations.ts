import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Pages in Chinese, by their path from the project's folder, each with the English page that it translates. */
export const TRANSLATIONS: Readonly<Record<string, string>> = {
  "README.zh-CN.md": "README.md",
  ...Object.fromEntries(
    readdirSync(join(__dirname, "zh-CN"))
      // The index of the Chinese pages is no translation.
      .filter((file) => file !== "README.md")
      .map((file) => [`docs/zh-CN/${file}`, `docs/${file}`]),
  ),
};

/** A part of an English page, and the part of a Chinese page at the same place. */
export interface TranslatedPart {
  /** Path of the Chinese page. */
  readonly page: string;
  /** Counted from 1. */
  readonly number: number;
  /** The first line of the English part. */
  readonly heading: string;
  /** Of the English part. */
  readonly hash: string;
  /** The hash of the English part that was translated. Undefined if the Chinese part names none. */
  readonly translated?: string;
}

export const pageText = (page: string): string => readFileSync(join(__dirname, "..", page), "utf8");

/** The parts of a page: what is before its first heading of level 2 or 3, and each part with such a heading. */
export function partsOf(text: string): string[] {
  const parts: string[][] = [[]];
  let isCode = false;
  for (const line of text.split("\n")) {
    if (/^ *```/.test(line)) isCode = !isCode;
    if (!isCode && /^###? /.test(line)) parts.push([]);
    parts.at(-1)?.push(line);
  }
  return parts.map((lines) => lines.join("\n"));
}

export const hashOf = (part: string): string => createHash("sha256").update(part.trim()).digest("hex").slice(0, 12);

const HASH = /^<!-- en: (\w+) -->\n/m;

/** The parts of a Chinese page. @throws if the page has more or fewer parts than the English one */
export function translatedParts(page: string): TranslatedPart[] {
  const english = partsOf(pageText(TRANSLATIONS[page] as string));
  const chinese = partsOf(pageText(page));
  if (chinese.length !== english.length)
    throw new Error(`${page} has ${chinese.length} parts, and ${TRANSLATIONS[page]} has ${english.length}`);
  return english.map((part, index) => {
    const [, translated] = HASH.exec(chinese[index] as string) ?? [];
    const [heading = ""] = part.split("\n");
    return { page, number: index + 1, heading, hash: hashOf(part), ...(translated && { translated }) };
  });
}

/** Parts whose English text has changed since their translation, and parts that name no English text. */
export const staleParts = (): TranslatedPart[] =>
  Object.keys(TRANSLATIONS)
    .flatMap(translatedParts)
    .filter(({ hash, translated }) => translated !== hash);

/** The text of a Chinese page in which a part names the English text of today. */
export function withHash(text: string, { number, hash }: TranslatedPart): string {
  const comment = `<!-- en: ${hash} -->\n`;
  const parts = partsOf(text).map((part, index) => {
    if (index !== number - 1) return part;
    return HASH.test(part) ? part.replace(HASH, comment) : part.replace(/\n/, `\n\n${comment}`);
  });
  return parts.join("\n");
}
