import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { escaped, sectionOf } from "./documented";
import type { Project } from "./project";
import { typeAtTerminal } from "./terminal";
import type { CommandOptions } from "./test-bed/command";

/** What a page shows: what a reader types, what is printed then, or what goes into a file. */
interface Block {
  /** All headings that it is below, from the page's sections on. */
  readonly headings: readonly string[];
  readonly kind: "commands" | "output" | "file";
  readonly text: string;
}

/** How the commands of a section are typed. */
export interface FollowOptions {
  /** Variables of the reader's environment. */
  readonly env?: NodeJS.ProcessEnv;
  /** Throw when a command fails; else the next one is typed. @default true */
  readonly check?: boolean;
  /** Runs at the file that a block shows. */
  readonly edit?: (text: string) => void;
  /** Compares an output that differs from run to run in more than days, times and IDs. */
  readonly compare?: (shown: string, printed: string) => void;
  /** Runs after the commands of each block. */
  readonly after?: (commands: string) => Promise<void>;
  /** What is answered to deploys that ask, one after the other. @default always yes */
  readonly answers?: readonly string[];
  readonly timeoutMs?: number;
}

/**
 * A page of the documentation that a test follows as a reader does. It types the commands of a section as they stand
 * there, in one shell, and expects that each printed what the page shows below it. At the end it tells which commands
 * nobody has typed.
 */
export class Page {
  private readonly text: string;
  private readonly blocks: readonly Block[];
  private readonly done = new Set<Block>();

  private constructor(
    readonly path: string,
    private readonly project: Project,
    here: Readonly<Record<string, string>>,
  ) {
    const text = readFileSync(join(__dirname, "..", path), "utf8");
    this.text = replaced(text, here);
    this.blocks = blocksOf(text).map((block) => ({ ...block, text: replaced(block.text, here) }));
  }

  /**
   * @param path from the product's folder
   * @param here what the page's names and addresses are on the test bed
   */
  static open(path: string, project: Project, here: Readonly<Record<string, string>> = {}): Page {
    return new Page(path, project, here);
  }

  /**
   * Does what a section has, in its order.
   * @param heading its first words, such as `## Check`, or `### 2. `; `# ` is what stands before the first section
   * @returns all that was printed
   */
  async follow(heading: string, options: FollowOptions = {}): Promise<string> {
    const printed: string[] = [];
    for (const block of this.below(heading)) {
      this.done.add(block);
      if (block.kind === "commands") {
        printed.push(await this.type(block.text, options));
        await options.after?.(block.text);
      } else if (block.kind === "output") (options.compare ?? expectPrinted)(block.text, printed.at(-1) ?? "");
      else options.edit?.(block.text);
    }
    return printed.join("");
  }

  /** Takes the commands of a section as done, because they are for another case, or are run in another way. */
  leaveOut(heading: string): void {
    for (const block of this.below(heading)) this.done.add(block);
  }

  /** A section's commands, one text for each block, for a test that types them by itself. They count as typed. */
  commands(heading: string): string[] {
    const blocks = this.below(heading).filter(({ kind }) => kind === "commands");
    for (const block of blocks) this.done.add(block);
    return blocks.map(({ text }) => text);
  }

  /** What a section shows as printed, one text for each block. */
  outputs(heading: string): string[] {
    return this.below(heading).flatMap(({ kind, text }) => (kind === "output" ? [text] : []));
  }

  /** The text of a section's blocks that go into files, such as lines of the cluster file. */
  files(heading: string): string[] {
    return this.below(heading).flatMap(({ kind, text }) => (kind === "file" ? [text] : []));
  }

  /**
   * A command that stands in a section's sentences, between backquotes.
   * @throws if the section has no such command, so that a test types nothing that the page does not have
   */
  inSentences(heading: string, command: string): string {
    const section = sectionOf(this.text, heading).replaceAll(/\s+/g, " ");
    if (!section.includes(`\`${command}\``)) throw new Error(`${this.path} has no ${command} below "${heading}"`);
    return command;
  }

  /** The commands that nobody has typed: the test does not follow the whole page. */
  get untyped(): string[] {
    return this.blocks.flatMap((block) => (block.kind === "commands" && !this.done.has(block) ? [block.text] : []));
  }

  /** Types commands into the shell in which those before them were typed. @returns what they printed */
  async type(commands: string, { env, check, answers, timeoutMs = 480_000 }: FollowOptions = {}): Promise<string> {
    writeFileSync(join(this.project.folder, TYPED), shellScript(commands, check), { mode: 0o600 });
    const options: CommandOptions = { env, check, timeoutMs };
    const { stdout } = await typeAtTerminal(this.project, `bash ${TYPED}`, options, answers);
    return stdout.replaceAll("\r", "").replaceAll(SPINNER, "");
  }

  private below(heading: string): Block[] {
    const isTop = heading === TITLE;
    const found = this.blocks.filter(({ headings }) =>
      isTop ? headings.length === 0 : headings.some((one) => one.startsWith(heading)),
    );
    if (found.length === 0) throw new Error(`${this.path} has no block below "${heading}"`);
    return found;
  }
}

const TITLE = "# ";
/** What npm draws at a terminal while it starts, and erases again. */
const SPINNER = /[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/g;
const TYPED = ".typed.sh";
const STATE = ".typed-state";

/**
 * Commands in a shell that goes on where the one before ended: with its folder, variables and functions.
 * @param check whether it ends at the first command that fails
 */
export const shellScript = (commands: string, check = true): string => `
remember() {
  { printf 'cd %q\\n' "$PWD"; declare -p | grep -v '^declare -[a-zA-Z]*r'; declare -f; } >"$remembered"
}
remembered=$PWD/${STATE}
if [ -e "$remembered" ]; then . "$remembered" 2>/dev/null; fi
trap remember EXIT
${check ? "set -e" : ""}
${commands.trimEnd()}
`;

const COMMANDS = new Set(["sh", "indented"]);
const OUTPUTS = new Set(["", "text"]);

/** The blocks of a page's text, in order: fenced ones, and those that are indented by four spaces. */
export function blocksOf(text: string): Block[] {
  const blocks: Block[] = [];
  const headings: string[] = [];
  const lines = text.split("\n");
  const add = (language: string, block: readonly string[]) => {
    const kind = COMMANDS.has(language) ? "commands" : OUTPUTS.has(language) ? "output" : "file";
    blocks.push({ headings: [...headings], kind, text: `${block.join("\n").trimEnd()}\n` });
  };
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? "";
    const [, level] = /^(##+) /.exec(line) ?? [];
    const [, indent = "", language] = /^( *)```(\w*)$/.exec(line) ?? [];
    if (level) headings.splice(level.length - 2, headings.length, line);
    // After a line of text, such a line goes on with its paragraph.
    const isIndented = line.startsWith("    ") && (lines[at - 1] ?? "") === "";
    if (language === undefined && !isIndented) continue;
    const isInside = (inside: string | undefined) =>
      inside !== undefined && (language === undefined ? /^( {4}|$)/.test(inside) : inside !== `${indent}\`\`\``);
    const begin = language === undefined ? at : at + 1;
    let end = begin;
    while (isInside(lines[end])) end++;
    const width = language === undefined ? 4 : indent.length;
    add(
      language ?? "indented",
      lines.slice(begin, end).map((inside) => inside.slice(width)),
    );
    at = language === undefined ? end - 1 : end;
  }
  return blocks;
}

/** Longer names first, so that one that is part of another does not spoil it. */
const replaced = (text: string, here: Readonly<Record<string, string>>): string => {
  const names = Object.keys(here).sort((a, b) => b.length - a.length);
  if (names.length === 0) return text;
  const either = names.map((name) => `(?<![\\w-])${escaped(name)}(?![A-Za-z0-9])`).join("|");
  const pattern = new RegExp(either, "g");
  return text.replaceAll(pattern, (name) => here[name] as string);
};

/** Parts of outputs that differ from run to run, and what stands for them. */
const VARYING: readonly (readonly [part: string, pattern: string])[] = [
  ["\\.\\.\\.", ".*"],
  ["[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", "[0-9a-f-]{36}"],
  ["\\d{4}-\\d\\d-\\d\\dT\\d{6}Z", "\\d{4}-\\d\\d-\\d\\dT\\d{6}Z"],
  ["\\d{4}-\\d\\d-\\d\\d(?: \\d\\d:\\d\\d)?", "\\d{4}-\\d\\d-\\d\\d(?: \\d\\d:\\d\\d)?"],
  ["done after [\\d:]+", "done after [\\d:]+"],
  // An index of Raft.
  ["\\b\\d{5,}\\b", "\\d+"],
  [" {2,}", " +"],
];

/**
 * Expects that a program printed each line that a page shows, in their order; others may stand between them. Days, times,
 * durations, IDs and the width of columns may be others, and `...` stands for anything.
 */
export function expectPrinted(shown: string, printed: string): void {
  const lines = printed.split("\n").map((line) => line.trimEnd());
  let from = 0;
  for (const line of shown.split("\n").filter((each) => each.trim() !== "")) {
    const pattern = new RegExp(`^${patternOf(line.trimEnd())}$`);
    const index = lines.findIndex((each, at) => at >= from && pattern.test(each));
    expect(index < 0 ? `not printed: ${line}\nin: ${lines.slice(from).join("\n")}` : "").toBe("");
    from = index + 1;
  }
}

function patternOf(line: string): string {
  const varying = new RegExp(VARYING.map(([part]) => `(${part})`).join("|"), "g");
  let pattern = "";
  let end = 0;
  for (const match of line.matchAll(varying)) {
    const [, ...groups] = match;
    const [, its = ""] = VARYING[groups.findIndex((group) => group !== undefined)] ?? [];
    pattern += escaped(line.slice(end, match.index)) + its;
    end = match.index + match[0].length;
  }
  return pattern + escaped(line.slice(end));
}
