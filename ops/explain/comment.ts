import { commandsIn } from "../../cluster/chosen-file";

/**
 * Characters of a comment on a pull request, at most: GitHub takes 65536 (its API answers "body is too long (maximum is
 * 65536 characters)"), GitLab more.
 */
const MAX_LENGTH = 65_000;

/**
 * A result as Markdown, for a comment on a pull request: the summary as its heading, the rest as it is, so that no value
 * of the cluster file is read as Markdown.
 */
export function comment(summary: string, texts: readonly string[]): string {
  const heading = `### ${summary.replace(/[\\`*_[\]<>|#&]/g, "\\$&")}`;
  if (texts.length === 0) return heading;
  const whole = texts.join("\n\n");
  const cut = () => `${whole.slice(0, MAX_LENGTH)}\n... cut off here; ${commandsIn("npm run diff")} shows the rest`;
  const text = whole.length <= MAX_LENGTH ? whole : cut();
  const fence = "`".repeat(Math.max(3, ...Array.from(text.matchAll(/`+/g), ([run]) => run.length + 1)));
  return `${heading}\n\n${fence}text\n${text}\n${fence}`;
}
