import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createProgram } from "../../ops/command-line/program";
import { PROJECT } from "../cluster-files";
import { run } from "../command-line";

/** A cluster file that does not exist: a command that begins its work fails. */
const env = { CLUSTER: "clusters/none.yaml" };
const { scripts, version } = JSON.parse(readFileSync(join(PROJECT, "package.json"), "utf8"));

/** All commands, as `secrets rotate ca`. */
const program = createProgram({
  terminal: { stdout: process.stdout, stderr: process.stderr } as never,
  words: [],
  exitCode: 0,
});
const commandsIn = (command: typeof program): (typeof program)[] =>
  command.subcommands.flatMap((below) => [below, ...commandsIn(below)]);
const COMMANDS = commandsIn(program);
/** They have a cluster file; `init` makes one. */
const OF_PROJECTS = COMMANDS.filter(({ isForEverybody }) => !isForEverybody);

describe.each(COMMANDS.map((command) => [command.path().join(" "), command] as const))("%s", (name, command) => {
  test("--help and -h print its usage, options, examples and exit codes, and do nothing else", async () => {
    const help = await run([...name.split(" "), "--help"], { env });
    expect([help.status, help.stderr]).toEqual([0, ""]);
    const typed = command.isForEverybody ? `npx consul-cdktf ${name}` : `npm run ${name.replace(" ", " -- ")}`;
    expect(help.stdout).toContain(`Usage: ${typed}`);
    expect(await run([...name.split(" "), "-h"], { env })).toEqual(help);
    if (command.commands.length > 0) return;
    for (const part of [command.description(), "Options:", "Examples:", "Exit codes:"].map((text) => text.slice(0, 40)))
      expect(help.stdout.replace(/\s+/g, " ")).toContain(part);
  });
});

describe.each(OF_PROJECTS.map((command) => [command.path().join(" "), command] as const))("%s", (name, command) => {
  test("its examples are command lines that it accepts", async () => {
    for (const [words] of command.examples) {
      const { status, stderr } = await run([...name.split(" "), ...shellWords(words)], { env });
      // The first thing that every command does is to read the cluster file, but for restore, which looks for the snapshot.
      expect([status, stderr]).toEqual([1, expect.stringMatching(/clusters\/none\.yaml|is not a file\n/)]);
    }
  });
});

const shellWords = (text: string): string[] =>
  (text.match(/'[^']*'|\S+/g) ?? []).map((word) => word.replaceAll("'", ""));

test("every command is an npm script, which runs it", () => {
  const expected = OF_PROJECTS.filter(({ parent }) => parent === program).map((command) => [
    command.name(),
    expect.stringMatching(new RegExp(`^(exec )?node --require ./typescript.cjs ops/main.ts ${command.name()}$`)),
  ]);
  expect(scripts).toMatchObject(Object.fromEntries(expected));
});

test("the program has a version, a help, and a command for help", async () => {
  expect(await run(["--version"])).toEqual({ status: 0, stdout: `${version}\n`, stderr: "" });
  const help = await run(["--help"]);
  for (const command of program.commands) expect(help.stdout).toContain(`\n  ${command.name()} `);
  expect(await run(["help"])).toEqual(help);
  expect(await run(["help", "status"])).toEqual(await run(["status", "--help"]));
});

test("without a command, the program prints its help as an error", async () =>
  expect(await run([])).toMatchObject({
    status: 1,
    stdout: "",
    stderr: expect.stringContaining("Usage: npx consul-cdktf COMMAND"),
  }));

test.each([
  [["statsu"], "error: unknown command 'statsu'\n(Did you mean status?)\nhelp: npx consul-cdktf --help\n"],
  [["secrets", "chekc"], "error: unknown command 'chekc'\n(Did you mean check?)"],
  [["doctor", "--fixx"], "error: unknown option '--fixx'\n(Did you mean --fix?)\nhelp: npm run doctor -- --help\n"],
  [["doctor", "now"], "error: too many arguments for 'doctor'. Expected 0 arguments but got 1.\n"],
  [["diagram", "--format"], "error: option '--format <FORMAT>' argument missing\n"],
  [["diff", "--jsn"], "error: unknown option '--jsn'\n(Did you mean --json?)"],
  [["adopt", "--container", "x"], "argument 'x' is invalid. It must be AGENT=NAME."],
])("%j is rejected with a reason and a suggestion", async (words, reason) =>
  expect(await run(words, { env })).toEqual({ status: 1, stdout: "", stderr: expect.stringContaining(reason) }),
);

test("neither help nor an error of the command line loads the modules of a command, or CDKTF", () => {
  const program = `
    const { main } = require("./ops/main");
    const lines = [["--help"], ["deploy", "--help"], ["secrets", "init", "--jsn"], ["status", "--watch", "x"]];
    Promise.all(lines.map((words) => main(words))).then(() => {
      const loaded = Object.keys(require.cache).filter((file) => /node_modules.(cdktf|zod|yaml|constructs)|ops.commands./.test(file));
      console.log("loaded:", JSON.stringify(loaded));
    });`;
  const output = execFileSync(process.execPath, ["--require", "./typescript.cjs", "-e", program], {
    cwd: PROJECT,
    encoding: "utf8",
    stdio: "pipe",
  });
  expect(output).toContain("loaded: []");
});
