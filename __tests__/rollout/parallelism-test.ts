import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parallelism, TerraformRun } from "../../rollout/parallelism";
import type { Processes } from "../../rollout/processes";
import { folder } from "../cluster-files";

const TERRAFORM = 100;

/** Processes of a test: Terraform, and those that it names. */
function processesOf(...alive: number[]): Processes & { alive: Set<number> } {
  const set = new Set([TERRAFORM, ...alive]);
  return {
    alive: set,
    commandLine: (pid) => (pid === TERRAFORM ? "/usr/bin/terraform apply plan" : ""),
    isAlive: (pid) => set.has(pid),
    startOf: () => "",
  };
}

/** Checks of one run, which share a folder and Terraform's settings. */
function checks(flags = "-parallelism=1", data = folder()) {
  const processes = processesOf(1, 2, 3);
  const env = { TF_DATA_DIR: data, TF_CLI_ARGS: flags };
  return { data, processes, check: (pid: number) => new TerraformRun(TERRAFORM, env, processes, pid) };
}

test("a check does not take the only operation while a stopped agent needs it", () => {
  const { check } = checks();
  expect(check(1).reserve("s1")).toBeUndefined();
  check(1).release("s1");
  check(1).recordStop("s1");
  expect(check(2).reserve("s2")).toMatchObject({
    kind: "deny",
    reason: "Terraform's -parallelism is 1, and no operation would be left to start s1",
    hint: expect.stringContaining("npm run deploy"),
  });
  check(1).recordReady("s1");
  expect(check(2).reserve("s2")).toBeUndefined();
});

test("checks that wait leave an operation for a stopped agent", () => {
  const { check, processes, data } = checks("-parallelism=3");
  check(1).recordStop("s1");
  expect(check(1).reserve("s2")).toBeUndefined();
  expect(check(2).reserve("s3")).toBeUndefined();
  expect(check(3).reserve("s4")).toMatchObject({ kind: "deny" });
  // A killed check leaves its file, and no longer waits; one that is about to end may have none any more.
  processes.alive.delete(1);
  expect(check(3).reserve("s4")).toBeUndefined();
  check(3).release("s4");
  mkdirSync(join(data, "questions/100/asking.s5"));
  expect(check(3).reserve("s4")).toBeUndefined();
});

test("as many checks as there are operations may wait while no agent is stopped", () => {
  const { check } = checks("-parallelism=2");
  for (const [pid, owner] of [
    [1, "s1"],
    [2, "s2"],
    [3, "s3"],
  ] as const)
    expect(check(pid).reserve(owner)).toBeUndefined();
});

test("a check has the file that programs of other versions write, and leaves none", () => {
  const { check, data } = checks();
  check(2).reserve("s1");
  expect(readFileSync(join(data, "questions/100/asking.s1"), "utf8")).toBe("2\n");
  check(2).release("s1");
  check(2).release("s1");
  expect(readdirSync(join(data, "questions/100"))).toEqual([]);
});

test("folders of runs that have ended are removed", () => {
  const { check, data } = checks();
  for (const run of ["100", "999", "x"]) {
    mkdirSync(join(data, "questions", run), { recursive: true });
    writeFileSync(join(data, "questions", run, "stopped.s9"), "");
  }
  check(1).reserve("s1");
  expect(readdirSync(join(data, "questions"))).toEqual(["100"]);
});

test("the folder is below Terraform's data folder, which is .terraform by default", () => {
  const processes = processesOf();
  expect(new TerraformRun(TERRAFORM, {}, processes).folder).toBe(".terraform/questions/100");
  expect(new TerraformRun(TERRAFORM, { TF_DATA_DIR: "" }, processes).folder).toBe(".terraform/questions/100");
  expect(existsSync(".terraform/questions/100")).toBe(false);
});

describe("Terraform's parallelism", () => {
  test.each([
    [10, "terraform apply", {}],
    [4, "terraform apply -parallelism=4 plan", { TF_CLI_ARGS_apply: "-parallelism=5", TF_CLI_ARGS: "-parallelism=6" }],
    [4, "terraform apply -parallelism 4", {}],
    [4, "terraform apply -json -input=false -parallelism=4 /tmp/plan-parallelism=9/x-parallelism=9", {}],
    [4, "terraform apply --parallelism=4 plan", {}],
    [4, "terraform apply -parallelism=3 -parallelism=4", {}],
    [5, "", { TF_CLI_ARGS_apply: "-no-color -parallelism=5", TF_CLI_ARGS: "-parallelism=6" }],
    [7, "", { TF_CLI_ARGS_destroy: "-parallelism=7", TF_CLI_ARGS: "-parallelism=6" }],
    [6, "", { TF_CLI_ARGS: "-parallelism=6" }],
    [6, "", { TF_CLI_ARGS: "'-parallelism=6'" }],
  ])("is %i for %j and %j", (expected, commandLine, env) => expect(parallelism(commandLine, env)).toBe(expected));
});
