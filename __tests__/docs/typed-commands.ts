import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { DocumentedCommand } from "../../ops/command-line/command";
import { createProgram } from "../../ops/command-line/program";
import { Terminal } from "../../ops/terminal/terminal";
import { PROJECT } from "../cluster-files";

const { scripts } = JSON.parse(readFileSync(join(PROJECT, "package.json"), "utf8")) as {
  readonly scripts: Readonly<Record<string, string>>;
};
const PROGRAM = createProgram({ terminal: new Terminal(), words: [], exitCode: 0 });
/** Every command has these. */
const COMMON_OPTIONS = ["-h", "--help", "--cluster"];

/** A command of the product, as a page shows it: `npm run NAME -- WORDS`, or `npx consul-cdktf NAME WORDS`. */
const TYPED = /\b(?:npm run (?:-s |--silent )?|npx consul-cdktf )(?=[a-z])[^\n`,;&|)\]\u3000-\uffff]*/g;

/** The commands of the product in a page's text, in code blocks and in the text between them. */
export const commandsIn = (text: string): string[] =>
  [...text.matchAll(TYPED)].map(([command]) => command.replace(/\s#.*/, "").trim());

/** What the product would reject in a command: a name or an option that is not declared. Undefined if nothing. */
export function mistakeIn(command: string): string | undefined {
  const [name = "", ...words] = command.replace(/^npx consul-cdktf |^npm run (-s |--silent )?/, "").split(/\s+/);
  const isScript = command.startsWith("npm run");
  if (isScript && !(name in scripts)) return `${command}: no npm script "${name}"`;
  if (isScript && !/ops\/main\.ts/.test(scripts[name] ?? "")) return undefined;
  const separator = words.indexOf("--");
  // npm takes options before `--` as its own. Behind a second one are the words of another program.
  const own = isScript ? (separator < 0 ? [] : words.slice(separator + 1)) : words;
  if (isScript && words.some((word, index) => word.startsWith("-") && (separator < 0 || index < separator)))
    return `${command}: npm takes the option, because \`--\` is missing before it`;
  const end = own.indexOf("--");
  const its = end < 0 ? own : own.slice(0, end);
  return mistakeOf(command, name === "consul-cdktf" ? its : [name, ...its]);
}

function mistakeOf(typed: string, words: readonly string[]): string | undefined {
  let command: DocumentedCommand = PROGRAM;
  let rest = words;
  while (command.subcommands.length > 0) {
    const [name, ...behind] = rest;
    // A command with others below it can have options of its own; without any, it shows its help.
    if (name === undefined || name.startsWith("-") || name === "COMMAND") break;
    const below = command.subcommands.find((candidate) => candidate.name() === name);
    if (below === undefined) return `${typed}: no command "${name}"`;
    command = below;
    rest = behind;
  }
  const declared = new Set(command.options.flatMap(({ short, long }) => [short, long]).concat(COMMON_OPTIONS));
  const unknown = rest.map((word) => word.replace(/=.*/, "")).filter((word) => /^--?[a-z]/.test(word));
  const wrong = unknown.find((option) => !declared.has(option));
  return wrong && `${typed}: no option ${wrong}`;
}
