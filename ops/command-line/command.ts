import { Command, type ErrorOptions, Option } from "commander";
import type { Terminal } from "../terminal/terminal";

type Example = readonly [words: string, meaning: string];
type ExitCode = readonly [code: number | string, meaning: string];

/** One run of the program. */
export interface Invocation {
  readonly terminal: Terminal;
  /** The words behind the command's name. */
  readonly words: readonly string[];
  /** Set by the command that runs. */
  exitCode: number;
}

/**
 * What a command does. Its options and operands are as its definition says, which TypeScript cannot see.
 * @returns the exit code
 */
// biome-ignore lint/suspicious/noExplicitAny: commander parses options and operands at run time
type Work = (invocation: Invocation, options: any, operands: any, command: DocumentedCommand) => Promise<number>;

/** A command with examples and exit codes in its help. */
export class DocumentedCommand extends Command {
  examples: readonly Example[] = [];
  exitCodes: readonly ExitCode[] = [];
  /** Whether it is for people who have no project yet, and thus no npm scripts. */
  isForEverybody = false;

  constructor(
    name: string,
    private readonly invocation: Invocation,
  ) {
    super(name);
    this.helpOption("-h, --help", "show this help");
    this.addHelpText("after", () => this.footer());
  }

  override createCommand(name: string): DocumentedCommand {
    return new DocumentedCommand(name, this.invocation);
  }

  get subcommands(): readonly DocumentedCommand[] {
    return this.commands as readonly Command[] as readonly DocumentedCommand[];
  }

  documented(examples: readonly Example[], exitCodes: readonly ExitCode[]): this {
    this.examples = examples;
    this.exitCodes = exitCodes;
    return this;
  }

  /** @param work imports the modules that it needs when it runs: `--help` and wrong options must not load them */
  does(work: Work): this {
    return this.action(async () => {
      this.invocation.exitCode = await work(this.invocation, this.opts(), this.processedArgs, this);
    });
  }

  /** Every error of the command line names the help. */
  override error(message: string, options?: ErrorOptions): never {
    return super.error(`${message}\nhelp: ${this.typed("--help")}`, options);
  }

  /** As a command that does nothing by itself: an error for an unknown subcommand, and its help without one. */
  refuseWithoutSubcommand(): never {
    // commander has it, with its suggestion of a similar name; its types have it not.
    if (this.args.length > 0) (this as unknown as { unknownCommand(): never }).unknownCommand();
    return this.help({ error: true });
  }

  forEverybody(): this {
    this.isForEverybody = true;
    return this;
  }

  /** The command as a user types it in a project. */
  typed(words: string): string {
    const [name, ...subcommands] = this.path();
    if (name === undefined) return `npx ${this.name()} ${words}`;
    if (this.isForEverybody) return `npx consul-cdktf ${name} ${words}`.trim();
    const behind = [...subcommands, words].filter((word) => word !== "");
    return ["npm run", name, ...(behind.length > 0 ? ["--", ...behind] : [])].join(" ");
  }

  /** The first line of its help. */
  typedUsage(): string {
    return this.typed(this.usage());
  }

  /** Its names below the program, as in `secrets rotate ca`. */
  path(): string[] {
    return this.parent ? [...(this.parent as DocumentedCommand).path(), this.name()] : [];
  }

  private footer(): string {
    const examples = this.examples.map(([words, meaning]) => `  ${this.typed(words)}\n      ${meaning}`);
    const exitCodes = this.exitCodes.map(([code, meaning]) => `  ${code}  ${meaning}`);
    const parts = [
      ["Examples:", ...examples],
      ["Exit codes:", ...exitCodes],
    ];
    return parts
      .filter(({ length }) => length > 1)
      .map((lines) => `\n${lines.join("\n")}`)
      .join("\n");
  }
}

export const jsonOption = (description = "print the result as JSON, for programs"): Option =>
  new Option("--json", description);

/** An option that may be given several times. */
export const repeated = <Value = string>(
  flags: string,
  description: string,
  parse: (value: string) => Value = (value) => value as Value,
): Option =>
  new Option(flags, description)
    .default([], "none")
    .argParser((value, previous: readonly Value[]) => [...previous, parse(value)]);
