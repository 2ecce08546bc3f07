import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { Waiting } from "../../rollout/outcome";
import { WaitFile } from "../../rollout/wait-file";
import { folder } from "../cluster-files";
import { Simulation } from "./simulation";
import { ALONE } from "./stop-tools";

/** A run of Terraform, as a check in it sees it. */
const runOf = (own = process.pid, path = join(folder(), "run")) => ({ folder: path, own });

/** Checks of one run, each a process of its own, and a clock of the test's own. */
function checks() {
  const run = join(folder(), "run");
  const time = { now: 1_000_000 };
  const { clock } = new Simulation();
  const log: string[] = [];
  const record = (pid: number) => new WaitFile(runOf(pid, run), ALONE, () => time.now);
  const check = (pid: number) => new Waiting(`c${pid}`, clock, (line) => log.push(line), record(pid));
  return { time, log, record, check };
}

test("what a check waited for counts for the check behind it, if that waits for the same", () => {
  const { time, log, check } = checks();
  const first = check(1);
  first.for("waiting: c9");
  expect(first.reached(1)).toBe(false);
  time.now += 60_000;
  // And for those behind that one.
  for (const pid of [2, 3]) {
    const next = check(pid);
    next.for("waiting: c9");
    next.for("waiting: c9");
    expect([next.reached(60), next.reached(61)]).toEqual([true, false]);
  }
  expect(log).toEqual(["c1: waiting: c9", "c2: waiting: c9", "c3: waiting: c9"]);
  const other = check(4);
  other.for("waiting: c8");
  expect(other.reached(1)).toBe(false);
});

test("it does not count for the same process, by the clock of the machine", () => {
  const record = new WaitFile(runOf(), ALONE);
  record.begin("waiting: s1");
  expect(record.lasted("waiting: s1")).toBe(0);
  expect(new WaitFile(runOf(), ALONE).lasted("waiting: s1")).toBe(0);
});

test.each([
  ["it has waited for something else in between", 2, "this agent knows no leader"],
  ["it is the same check, which asks another agent", 1, undefined],
])("it does not count if %s", (_, pid, before) => {
  const { time, check } = checks();
  check(1).for("waiting: c9");
  time.now += 60_000;
  const next = check(pid);
  if (before) next.for(before);
  next.for("waiting: c9");
  expect(next.reached(1)).toBe(false);
});

test("it does not count for what counts anew", () => {
  const { time, check } = checks();
  check(1).for("waiting a while");
  time.now += 60_000;
  const next = check(2);
  next.for("waiting a while", { anew: true });
  expect(next.reached(1)).toBe(false);
});

test("it does not count when the check before was allowed, nor when a clock was set back", () => {
  const { time, check, record } = checks();
  check(1).for("waiting: c9");
  time.now -= 60_000;
  const early = check(2);
  early.for("waiting: c9");
  expect(early.reached(1)).toBe(false);
  time.now += 180_000;
  record(2).forget();
  const next = check(3);
  next.for("waiting: c9");
  expect(next.reached(1)).toBe(false);
});

test("of those that a check waits for, the first three are called, whatever role they have", () => {
  const { check, record } = checks();
  const names: string[] = [];
  check(1).forOwners(["c4", "c3", "c2", "c1"], (first) => {
    names.push(first);
    return `waiting: ${first}`;
  });
  expect(names).toEqual(["c4, c3, c2"]);
  expect(["c1", "c2", "c3", "c4"].filter((owner) => record(2).isCalled(owner))).toEqual(["c2", "c3", "c4"]);
});

test("what is in the lock is no path: nothing is written outside of the run's folder", () => {
  const run = join(folder(), "runs", "1");
  const record = new WaitFile(runOf(1, run), ALONE);
  for (const owner of ["/../../../outside", "../outside", "x".repeat(5000), "\0"]) {
    record.call(owner);
    expect(record.isCalled(owner)).toBe(true);
  }
  expect(readdirSync(run)).toHaveLength(4);
  expect(readdirSync(dirname(run))).toEqual(["1"]);
});
