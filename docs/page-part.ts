import { readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * A page of this folder that a person writes, in which parts are generated, by their names: the lines between
 * `<!-- begin: NAME -->` and `<!-- end -->`.
 * @throws if the page does not have one of the parts
 */
export function pageWithParts(page: string, parts: Readonly<Record<string, readonly string[]>>): string {
  const text = readFileSync(join(__dirname, page), "utf8");
  return Object.entries(parts).reduce((filled, [name, lines]) => {
    const mark = `<!-- begin: ${name} -->\n`;
    const [before, after] = filled.split(mark) as [string, string?];
    if (after === undefined) throw new Error(`docs/${page} has no part that begins with ${mark}`);
    return `${before}${mark}\n${lines.join("\n")}\n\n${after.slice(after.indexOf("<!-- end -->"))}`;
  }, text);
}
