import type { Option } from "commander";
import type { DocumentedCommand } from "../ops/command-line/command";
import { COMMON_EXIT_CODES, createProgram } from "../ops/command-line/program";
import { Terminal } from "../ops/terminal/terminal";
import { cellText } from "./markdown";

/** The commands with their options, examples and exit codes. */
export function commandReference(): string {
  const program = createProgram({ terminal: new Terminal(), words: [], exitCode: 0 });
  const commands = program.subcommands.flatMap(withSubcommands);
  return [
    "# Commands",
    "",
    "`npm run generate` writes this page from ops/command-line/. Each command shows the same by `--help`. All commands use",
    "the cluster file that the option `--cluster FILE` or the variable `CLUSTER` names. Without it, they use the file that",
    "the `cluster` key of cdktf.json's context names.",
    "",
    "Commands print their results to standard output. Progress, warnings and errors go to standard error. With `--json`,",
    "standard output has only JSON.",
    "",
    "## Exit codes",
    "",
    "| command | exit code | meaning |",
    "| --- | --- | --- |",
    ...COMMON_EXIT_CODES.map(([code, meaning]) => `| every command | ${code} | ${meaning} |`),
    ...commands.flatMap((command) =>
      command.exitCodes.map(([code, meaning]) => `| \`${command.path().join(" ")}\` | ${code} | ${meaning} |`),
    ),
    ...commands.flatMap(section),
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
    return `| \`${name}\`${argument.required ? " (required)" : ""} | ${cellText(argument.description)} |`;
  });
  const options = command.options.filter(({ hidden }) => !hidden).map(optionRow);
  return [
    "",
    `## ${command.path().join(" ")}`,
    "",
    command.description(),
    "",
    "```sh",
    command.typedUsage(),
    "```",
    "",
    "| argument or option | meaning |",
    "| --- | --- |",
    ...operands,
    ...options,
    "",
    "Examples:",
    "",
    "```sh",
    ...command.examples.map(([words, meaning]) => `${command.typed(words)}   # ${meaning}`),
    "```",
  ];
}

function optionRow({ flags, description, defaultValue, defaultValueDescription }: Option): string {
  const value = defaultValueDescription ?? (typeof defaultValue === "string" ? defaultValue : undefined);
  return `| \`${flags}\` | ${cellText(description)}${value === undefined ? "" : `. Default: ${value}`} |`;
}
