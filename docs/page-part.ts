import { readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * A page of this folder that a person writes, in which one part is generated: the lines between `<!-- begin: NAME -->`
 * and `<!-- end -->`.
 * @throws if the page has no such part
 */
export function pageWithPart(page: string, name: string, lines: readonly string[]): string {
  const text = readFileSync(join(__dirname, page), "utf8");
  const mark = `<!-- begin: ${name} -->\n`;
  const [before, after] = text.split(mark) as [string, string?];
  if (after === undefined) throw new Error(`docs/${page} has no part that begins with ${mark}`);
  return `${before}${mark}\n${lines.join("\n")}\n\n${after.slice(after.indexOf("<!-- end -->"))}`;
}
