import { readFileSync } from "node:fs";
import { join } from "node:path";
import { commandReference } from "../../docs/command-reference";
import type { DocumentedCommand } from "../../ops/command-line/command";
import { createProgram } from "../../ops/command-line/program";
import { Terminal } from "../../ops/terminal/terminal";
import { PROJECT } from "../cluster-files";

const PAGE = commandReference();
/** The page's part about a command, by its name. */
const sectionOf = (name: string): string => PAGE.split(`\n## ${name}\n`)[1]?.split("\n## ")[0] ?? "";

/** npm runs it by itself. */
const BY_NPM = ["prepack"];

test("every npm script is on the page", () => {
  const { scripts } = JSON.parse(readFileSync(join(PROJECT, "package.json"), "utf8")) as { scripts: object };
  const names = Object.keys(scripts).filter((name) => !BY_NPM.includes(name));
  expect(names.filter((name) => !new RegExp(`\\bnpm run ${name}(?![\\w:-])`).test(PAGE))).toEqual([]);
});

test("scripts that users run have options, exit codes and examples, as commands do", () => {
  expect(sectionOf("synth")).toContain("| `-o, --output <FOLDER>` | write to this folder. Default: cdktf.out |");
  expect(sectionOf("local")).toContain("\nnpm run local   # ");
  expect(PAGE).toContain("| `synth` | 1 | ");
});

test.each([
  ["maintain", "--wait <SECONDS>", "Default: 900 s"],
  ["status", "--watch [SECONDS]", "Without SECONDS: 2 s"],
  ["status", "--timeout <SECONDS>", "Default: 3 s"],
  ["deploy", "--parallelism <N>", "Default: as many of the largest as fit into 1.5 GB"],
  ["deploy", "--terraform-parallelism <N>", "Default: 10, and 2 for each container"],
  ["init", "--name <NAME>", "Default: consul"],
])("%s: the default of %s is on the page, with its unit: %s", (command, flags, text) => {
  const row = sectionOf(command)
    .split("\n")
    .find((line) => line.startsWith(`| \`${flags}\` |`));
  expect(row).toContain(text);
});

const withSubcommands = (command: DocumentedCommand): DocumentedCommand[] => [
  command,
  ...command.subcommands.flatMap(withSubcommands),
];

test("no option has a number as its default that the page does not have", () => {
  const program = createProgram({ terminal: new Terminal(), words: [], exitCode: 0 });
  const missing = withSubcommands(program).flatMap((command) =>
    command.options
      .filter((option) => [option.defaultValue, option.presetArg].some((value) => typeof value === "number"))
      .filter(({ flags, defaultValue, presetArg }) => {
        const row = sectionOf(command.path().join(" "))
          .split("\n")
          .find((line) => line.includes(flags));
        return !row?.includes(`: ${presetArg ?? defaultValue}`);
      })
      .map(({ flags }) => `${command.name()} ${flags}`),
  );
  expect(missing).toEqual([]);
});
