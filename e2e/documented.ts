import { readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * The contents of a page's fenced blocks of one language, in order, so that a test runs the commands that a reader
 * types.
 * @param page from the project's folder
 * @param heading of the section, which ends at the next heading of its level or above; default the whole page
 * @throws if the page has no such section, or the section has no such block
 */
export function documented(page: string, language: string, heading?: string): string[] {
  const text = readFileSync(join(__dirname, "..", page), "utf8");
  // In a numbered step, a block is indented like the step's text.
  const fenced = new RegExp(`^( *)\`\`\`${language}\\n(.*?)^\\1\`\`\``, "gms");
  const blocks = [...(heading ? sectionOf(text, `${heading}\n`) : text).matchAll(fenced)].map(
    ([, indent, block = ""]) => block.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
  );
  if (blocks.length === 0) throw new Error(`${page} has no ${language}${heading ? ` below "${heading}"` : ""}`);
  return blocks;
}

/**
 * A section after its heading, up to the next heading of its level or above.
 * @param heading or its beginning
 * @throws if there is no such section
 */
export function sectionOf(text: string, heading: string): string {
  const [, level = ""] = /^(#+) /.exec(heading) ?? [];
  const [, ...after] = text.split(`\n${heading}`);
  if (after.length === 0) throw new Error(`there is no section "${heading}"`);
  // A single # starts a comment in a block.
  return after.join(`\n${heading}`).split(new RegExp(`^#{2,${level.length}} `, "m"))[0] as string;
}

/** A text as a pattern that matches itself. */
export const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** The function of docs/secrets.md that runs the CLI in a server's container with the management token. */
export const CONSUL_IN = functionOf(
  "consul_in",
  documented("docs/secrets.md", "sh", "## Using the API, the CLI and the UI").join(""),
);

function functionOf(name: string, script: string): string {
  const [definition] = new RegExp(`^${name}\\(\\) .*?^}\\n`, "ms").exec(script) ?? [];
  if (definition === undefined) throw new Error(`no block defines ${name}`);
  return definition;
}
