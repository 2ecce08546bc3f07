/** Text in which no tag of HTML begins. Code stays as it is. */
export const escaped = (text: string): string => text.replace(/(`[^`]*`)|</g, (_, code?: string) => code ?? "\\<");

/** A table with a heading for each column. A bar would end a cell, in code too. */
export const table = (headings: readonly string[], rows: readonly (readonly string[])[]): string[] =>
  [headings, headings.map(() => "---"), ...rows].map((cells) => `| ${cells.map(barless).join(" | ")} |`);

const barless = (text: string): string => text.replaceAll("|", "\\|");

/**
 * Text of a program for a page of this folder: a page that it names by its path, `docs/secrets.md`, becomes a link.
 * Code stays as it is.
 */
export const withPageLinks = (text: string): string =>
  text.replace(
    /(`[^`]*`)|docs\/([\w-]+)\.md(#[\w-]+)?/g,
    (_, code?: string, page = "", anchor = "") => code ?? `[${page.replaceAll("-", " ")}](${page}.md${anchor})`,
  );
