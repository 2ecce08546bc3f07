import { createProgram } from "../../../ops/command-line/program";
import * as deployCommand from "../../../ops/commands/deploy";
import * as destroyCommand from "../../../ops/commands/destroy";
import * as diffCommand from "../../../ops/commands/diff";
import * as planCommand from "../../../ops/commands/plan";
import { run } from "../../command-line";

jest.mock("../../../ops/commands/deploy", () => ({ deploy: jest.fn(async () => 0) }));
jest.mock("../../../ops/commands/destroy", () => ({ destroy: jest.fn(async () => 0) }));
jest.mock("../../../ops/commands/diff", () => ({ diff: jest.fn(async () => 0) }));
jest.mock("../../../ops/commands/plan", () => ({ plan: jest.fn(async () => 0) }));

/** The options that a command gets for a command line. */
async function optionsOf(command: "deploy" | "destroy" | "diff" | "plan", ...words: string[]) {
  const { status, stderr } = await run([command, ...words]);
  expect([status, stderr]).toEqual([0, ""]);
  const mocks = { ...deployCommand, ...destroyCommand, ...diffCommand, ...planCommand } as unknown as Record<
    string,
    jest.Mock
  >;
  return mocks[command]?.mock.lastCall?.[0];
}

describe("the command line of deploy", () => {
  test("its options are read, and stacks are told from them", async () => {
    const words = [
      "--auto-approve",
      "consul-a",
      "--without",
      "h1",
      "--without=h2",
      "consul-b",
      "--allow",
      "host-moved",
    ];
    expect(await optionsOf("deploy", ...words, "--json")).toEqual({
      autoApprove: true,
      json: true,
      stacks: ["consul-a", "consul-b"],
      without: ["h1", "h2"],
      allow: ["host-moved"],
    });
  });

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
    [["--allow", "stack-moved"], "Allowed are line-deleted, host-moved, agent-elsewhere, network-replaced, stack-gone"],
    [["--allow", "lines-deleted"], 'did you mean "line-deleted"?'],
    [["--witout", "h1"], "unknown option '--witout'\n(Did you mean --without?)"],
    [["--json"], "option '--json' needs '--auto-approve'"],
    [["--plan", "x", "--without", "h1"], "option '--plan <FOLDER>' cannot be used with option '--without <HOST>'"],
    [["--plan", "x", "--allow", "host-moved"], "option '--plan <FOLDER>' cannot be used with option '--allow <CODE>'"],
    [["--plan", "x", "consul"], "option '--plan' takes no stacks: the plans have them"],
    [["--outputs-file", "x"], "option '--outputs-file' was one of the CDKTF CLI; hint: run terraform -chdir="],
    [["--var=a=b"], "option '--var' was one of the CDKTF CLI; hint: set the environment variable TF_VAR_NAME"],
    [["--refresh-only"], "option '--refresh-only' was one of the CDKTF CLI"],
    [["--no-color"], "option '--no-color' was one of the CDKTF CLI; hint: set the environment variable NO_COLOR"],
    [["--log-level"], "unknown option '--log-level'"],
  ])("%j is rejected", async (words, reason) =>
    expect(await run(["deploy", ...words])).toEqual({
      status: 1,
      stdout: "",
      stderr: expect.stringContaining(reason),
    }),
  );
});

test("saved plans are deployed without approval, with events too", async () =>
  expect(await optionsOf("deploy", "--plan", "plans", "--json")).toMatchObject({
    plan: "plans",
    json: true,
    stacks: [],
  }));

test("plan takes what diff takes, and needs a folder", async () => {
  expect(await optionsOf("plan", "--out", "plans", "--markdown", "--detailed-exitcode", "--without=h1", "c*")).toEqual({
    out: "plans",
    markdown: true,
    detailedExitcode: true,
    stacks: ["c*"],
    without: ["h1"],
    allow: [],
  });
  expect((await run(["plan"])).stderr).toContain("required option '--out <FOLDER>' not specified");
});

test("diff rejects an unknown option", async () => {
  expect(await optionsOf("diff", "--json", "--detailed-exitcode", "c*")).toEqual({
    json: true,
    detailedExitcode: true,
    stacks: ["c*"],
    without: [],
    allow: [],
  });
  expect((await run(["diff", "--outputs-file", "x"])).stderr).toContain("unknown option '--outputs-file'");
});

test.each(["--without", "--allow", "--accept"])(
  "destroy has no %s, and does not take its value for a stack",
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
