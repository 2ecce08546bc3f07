import { createProgram } from "../../../ops/command-line/program";
import * as deployCommand from "../../../ops/commands/deploy";
import * as destroyCommand from "../../../ops/commands/destroy";
import * as diffCommand from "../../../ops/commands/diff";
import { run } from "../../command-line";

jest.mock("../../../ops/commands/deploy", () => ({ deploy: jest.fn(async () => 0) }));
jest.mock("../../../ops/commands/destroy", () => ({ destroy: jest.fn(async () => 0) }));
jest.mock("../../../ops/commands/diff", () => ({ diff: jest.fn(async () => 0) }));

/** The options that a command gets for a command line. */
async function optionsOf(command: "deploy" | "destroy" | "diff", ...words: string[]) {
  const { status, stderr } = await run([command, ...words]);
  expect([status, stderr]).toEqual([0, ""]);
  const mocks = { ...deployCommand, ...destroyCommand, ...diffCommand } as unknown as Record<string, jest.Mock>;
  return mocks[command]?.mock.lastCall?.[0];
}

describe("the command line of deploy", () => {
  test("its own options are read, stacks are told from them, and the rest is passed on in its order", async () => {
    const words = [
      "--auto-approve",
      "consul-a",
      "--without",
      "h1",
      "--without=h2",
      "--outputs-file",
      "out.json",
      "consul-b",
      "--var=a=b",
      "--allow",
      "host-moved",
    ];
    expect(await optionsOf("deploy", ...words)).toEqual({
      autoApprove: true,
      stacks: ["consul-a", "consul-b"],
      without: ["h1", "h2"],
      allow: ["host-moved"],
      passedOn: ["--outputs-file", "out.json", "--var=a=b"],
    });
  });

  test("a word behind an option that takes no value is a stack, and so is one behind an option of deploy", async () =>
    expect(
      await optionsOf("deploy", "--no-color", "consul-a", "--refresh-only", "--without", "h1", "consul-b"),
    ).toEqual({
      stacks: ["consul-a", "consul-b"],
      without: ["h1"],
      allow: [],
      passedOn: ["--no-color", "--refresh-only"],
    }));

  test("a value is passed on only directly behind its option", async () =>
    expect(await optionsOf("deploy", "--outputs-file", "--without", "h1", "consul-a")).toMatchObject({
      stacks: ["consul-a"],
      passedOn: ["--outputs-file"],
    }));

  test("numbers are read", async () =>
    expect(await optionsOf("deploy", "--parallelism", "3", "--terraform-parallelism=40")).toMatchObject({
      parallelism: 3,
      terraformParallelism: 40,
    }));

  test("the former name of --allow still works", async () => {
    expect(await optionsOf("deploy", "--accept", "host-moved")).toMatchObject({ allow: ["host-moved"] });
    expect(await optionsOf("diff", "--accept=host-moved")).toMatchObject({ allow: ["host-moved"] });
  });

  test.each([
    [
      ["--parallelism", "0"],
      "option '--parallelism <N>' argument '0' is invalid. It must be a whole number from 1 on.",
    ],
    [["--without"], "option '--without <HOST>' argument missing"],
    [["--allow", "stack-moved"], "Allowed are line-deleted, host-moved, stack-gone"],
    [["--allow", "lines-deleted"], 'did you mean "line-deleted"?'],
    [["--witout", "h1"], `unknown option '--witout'; did you mean "--without"?`],
    [["--json"], "unknown option '--json'"],
  ])("%j is rejected", async (words, reason) =>
    expect(await run(["deploy", ...words])).toEqual({
      status: 1,
      stdout: "",
      stderr: expect.stringContaining(reason),
    }),
  );
});

test("diff passes nothing on: an unknown option is rejected", async () => {
  expect(await optionsOf("diff", "--json", "--detailed-exitcode", "c*")).toEqual({
    json: true,
    detailedExitcode: true,
    stacks: ["c*"],
    without: [],
    allow: [],
  });
  expect((await run(["diff", "--outputs-file", "x"])).stderr).toContain("unknown option '--outputs-file'");
});

test.each(["--without", "--allow", "--accept", "--json"])(
  "destroy does not pass %s on, which it does not have: it would destroy everything",
  async (option) =>
    expect(await run(["destroy", option, "n1"])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("error: unknown option '--"),
    }),
);

test("no help shows a former name", () => {
  const helps: string[] = [];
  const add = (command: ReturnType<typeof createProgram>) => {
    helps.push(command.helpInformation());
    command.subcommands.forEach(add);
  };
  add(createProgram({ terminal: { stdout: process.stdout, stderr: process.stderr } as never, words: [], exitCode: 0 }));
  expect(helps.join("\n")).not.toMatch(/retire|forget|leaves|--accept/);
});
