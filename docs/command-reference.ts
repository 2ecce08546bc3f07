import type { Option } from "commander";
import type { DocumentedCommand } from "../ops/command-line/command";
import { COMMON_EXIT_CODES, createProgram } from "../ops/command-line/program";
import { Terminal } from "../ops/terminal/terminal";
import { escaped, table } from "./markdown";
import { CONTRIBUTORS_SCRIPTS, NPM_SCRIPTS } from "./npm-scripts";

/** The commands and npm scripts with their options, examples and exit codes. */
export function commandReference(): string {
  const program = createProgram({ terminal: new Terminal(), words: [], exitCode: 0 });
  const commands = program.subcommands.flatMap(withSubcommands);
  const exitCodes = [
    ["every command", COMMON_EXIT_CODES] as const,
    ...commands.map((command) => [`\`${command.path().join(" ")}\``, command.exitCodes] as const),
    ...Object.entries(NPM_SCRIPTS).map(([name, script]) => [`\`${name}\``, script.exitCodes] as const),
  ];
  return [
    "# Commands",
    "",
    "`npm run generate` writes this page from ops/command-line/ and docs/npm-scripts.ts. Each command shows the same by",
    "`--help`. A command is an npm script: `npm run COMMAND -- OPTIONS`.",
    "",
    "Commands print their results to standard output. Progress, warnings and errors go to standard error. With `--json`,",
    "standard output has only JSON.",
    "",
    "## Options of every command",
    "",
    ...table(
      ["option", "meaning"],
      [
        [
          "`--cluster <FILE>`",
          "the cluster file. Default: the file that the variable `CLUSTER` names; without it, the file that the `cluster` key of cdktf.json's context names",
        ],
        ["`-h, --help`", "show the help of the command"],
      ],
    ),
    "",
    "## Exit codes",
    "",
    ...table(
      ["command", "exit code", "meaning"],
      exitCodes.flatMap(([name, codes]) => codes.map(([code, meaning]) => [name, String(code), meaning])),
    ),
    ...commands.flatMap(section),
    ...Object.entries(NPM_SCRIPTS).flatMap(([name, script]) => sectionOf({ ...script, name, rows: script.options })),
    "",
    "## Scripts for contributors",
    "",
    "These are in this repository only. [CONTRIBUTING.md](../CONTRIBUTING.md) says when to run them.",
    "",
    ...table(
      ["script", "meaning"],
      Object.entries(CONTRIBUTORS_SCRIPTS).map(([name, meaning]) => [`\`npm run ${name}\``, meaning]),
    ),
    "",
  ].join("\n");
}

/** Those that do something: `secrets` alone does nothing, and has no examples. */
const withSubcommands = (command: DocumentedCommand): DocumentedCommand[] => [
  ...(command.examples.length > 0 ? [command] : []),
  ...command.subcommands.flatMap(withSubcommands),
];

function section(command: DocumentedCommand): string[] {
  const operands = command.registeredArguments.map((argument) => {
    const name = `${argument.name()}${argument.variadic ? "..." : ""}`;
    return [`\`${name}\`${argument.required ? " (required)" : ""}`, escaped(argument.description)];
  });
  const options = command.options.filter(({ hidden }) => !hidden).map(optionRow);
  return sectionOf({
    name: command.path().join(" "),
    description: command.description(),
    usage: command.typedUsage(),
    rows: [...operands, ...options],
    examples: command.examples.map(([words, meaning]) => [command.typed(words), meaning]),
  });
}

interface Section {
  readonly name: string;
  readonly description: string;
  readonly usage: string;
  /** The table of arguments and options. */
  readonly rows: readonly (readonly string[])[];
  readonly examples: readonly (readonly [command: string, meaning: string])[];
}

const sectionOf = ({ name, description, usage, rows, examples }: Section): string[] => [
  "",
  `## ${name}`,
  "",
  description,
  "",
  "```sh",
  usage,
  "```",
  "",
  ...(rows.length > 0 ? [...table(["argument or option", "meaning"], rows), ""] : []),
  "Examples:",
  "",
  "```sh",
  ...examples.map(([command, meaning]) => `${command}   # ${meaning}`),
  "```",
];

function optionRow(option: Option): string[] {
  const { flags, description, mandatory, presetArg } = option;
  const texts = [escaped(description)];
  const value = defaultText(option);
  if (value !== undefined) texts.push(`Default: ${escaped(value)}`);
  if (presetArg !== undefined) texts.push(`Without ${operandOf(flags)}: ${withUnit(presetArg, flags)}`);
  return [`\`${flags}\`${mandatory ? " (required)" : ""}`, texts.join(". ")];
}

/** Undefined for an option that is off by default, or whose description says its default. */
function defaultText({ flags, defaultValue, defaultValueDescription }: Option): string | undefined {
  if (defaultValueDescription !== undefined) return defaultValueDescription;
  return typeof defaultValue === "string" || typeof defaultValue === "number"
    ? withUnit(defaultValue, flags)
    : undefined;
}

/** `SECONDS` of `--wait <SECONDS>`. */
const operandOf = (flags: string): string => /[<[](.*)[>\]]/.exec(flags)?.[1] ?? "";

/** A value of an option, as in `900 s`. */
const withUnit = (value: unknown, flags: string): string =>
  operandOf(flags) === "SECONDS" ? `${value} s` : String(value);
