/** Text of a table's cell. Code stays as it is, except that a bar would end the cell. */
export const cellText = (text: string): string =>
  text.replaceAll("|", "\\|").replace(/(`[^`]*`)|</g, (_, code?: string) => code ?? "\\<");

/** A table, with a heading for each column. */
export const table = (headings: readonly string[], rows: readonly (readonly string[])[]): string[] =>
  [headings, headings.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
