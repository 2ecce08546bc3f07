import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import type { Cluster } from "../../../cluster/model";
import { applyApproved, type Job, planAndApply } from "../../../ops/deploy/deployment";
import type { DeployEvent } from "../../../ops/deploy/events";
import type { PlannedStack } from "../../../ops/deploy/planned-stacks";
import { Terminal } from "../../../ops/terminal/terminal";
import type { Stack } from "../../../ops/terraform/synth";
import { folder, PROJECT } from "../../cluster-files";

/** Terraform that plans one agent a stack; what it does in an apply is the test's. */
const TERRAFORM = `#!/bin/sh
stack=$(basename "$PWD")
echo "$stack $1 $CONSUL_ALLOW_QUORUM_LOSS" >>../log
hook() { printf '{"@message":"%s","type":"%s","hook":{"resource":{"addr":"%s","resource_type":"%s","resource_name":"%s"},"action":"%s","output":"%s"}}\\n' "$1" "$1" "$2.$3" "$2" "$3" "$4" "$5"; }
case $1 in
  plan) for word; do case $word in -out=*) echo "$*" >"\${word#-out=}";; esac; done
        [ ! -e ../unplannable ] || { echo "no such host" >&2; exit 1; } ;;
  show) [ -e ../unchanged ] && actions='"no-op"' || actions='"delete","create"'
        printf '{"resource_changes":[{"address":"docker_container.%s","mode":"managed","type":"docker_container","name":"%s","change":{"actions":[%s],"before":{},"after":{}}}]}' "$stack" "$stack" "$actions" ;;
  apply) cp "$5" ../applied.$stack 2>/dev/null || cp "$4" ../applied.$stack
         cp "$CONSUL_CDKTF_DEPLOY" ../permit 2>/dev/null
         . ../apply ;;
esac`;
/** An apply that replaces its agent. */
const REPLACES = `hook apply_start docker_container $stack delete
hook provision_start docker_container $stack
hook provision_progress docker_container $stack "" "$stack: stop allowed"
hook provision_complete docker_container $stack
hook apply_complete docker_container $stack delete
hook apply_start docker_container $stack create
hook apply_complete docker_container $stack create`;

const cwd = process.cwd();
const { isTTY } = process.stdin;
afterEach(() => {
  process.chdir(cwd);
  process.stdin.isTTY = isTTY;
  delete process.env.TERRAFORM_BINARY_NAME;
});

/** A project with stacks, the second of which depends on the first. */
function project(apply = REPLACES) {
  const root = folder();
  writeFileSync(join(root, "terraform"), TERRAFORM, { mode: 0o755 });
  writeFileSync(join(root, "apply"), apply);
  const stacks = ["a", "b"].map((name): Stack => {
    mkdirSync(join(root, name));
    return { name, folder: join(root, name), dependencies: name === "b" ? ["a"] : [], json: {} };
  });
  process.env.TERRAFORM_BINARY_NAME = join(root, "terraform");
  process.chdir(root);
  const events: DeployEvent[] = [];
  const report = { take: (event: DeployEvent) => void events.push(event), begin() {}, end() {}, reject() {} };
  const job = (more: Partial<Job> = {}): Job => ({
    command: "deploy",
    file: "cluster.yaml",
    cluster: { name: "c" } as Cluster,
    stacks,
    ...more,
  });
  const run = (more?: Partial<Job>, autoApprove = true) =>
    planAndApply(job(more), { autoApprove }, report, new Terminal(new PassThrough(), new PassThrough()));
  const runApproved = (planned: readonly PlannedStack[], hidden: string) =>
    applyApproved(job(), planned, hidden, {}, report, new Terminal(new PassThrough(), new PassThrough()));
  const read = (file: string) => readFileSync(join(root, file), "utf8");
  const summary = () => events.find(({ event }) => event === "summary");
  return { root, stacks, events, run, runApproved, read, summary };
}

test("all stacks are planned, then exactly these plans are applied in the stacks' order", async () => {
  const { run, read, events, summary } = project();
  expect(await run()).toBe(0);
  const log = read("log")
    .trim()
    .split("\n")
    .map((line) => line.trim());
  expect(log.slice(0, 4).sort()).toEqual(["a plan", "a show", "b plan", "b show"]);
  expect(log.slice(4)).toEqual(["a apply", "b apply"]);
  for (const stack of ["a", "b"]) expect(read(`applied.${stack}`)).toContain(`${stack}.plan`);
  expect(events.map(({ event }) => event).filter((event) => event !== "agent")).toEqual([
    "plan",
    "approved",
    "stack",
    "stack",
    "stack",
    "stack",
    "summary",
  ]);
  expect(summary()).toMatchObject({ result: "done", failures: [], untouched: [] });
});

test("while it runs, a file with its process id permits stops; plans and this file are gone afterwards", async () => {
  const { run, read } = project(`${REPLACES}\necho "$CONSUL_CDKTF_DEPLOY" >../path`);
  await run();
  expect(read("permit")).toBe(`${process.pid}\n`);
  expect(existsSync(join(read("path").trim(), ".."))).toBe(false);
});

test("everything that Terraform prints is in a log file of this user's alone, which no repository takes up", async () => {
  const { run, read, summary } = project();
  await run();
  const { log } = summary() as { log: string };
  expect(log).toMatch(/^logs\/c\/deploy-\d{4}-\d\d-\d\dT\d{9}Z\.log$/);
  expect(read(log)).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z a: apply_start\n/);
  expect([statSync(log).mode & 0o777, statSync("logs/c").mode & 0o777]).toEqual([0o600, 0o700]);
  expect(read("logs/.gitignore")).toBe("*\n");
});

test("targets and the plan for a removal reach Terraform's plan, variables its apply; removal has the opposite order", async () => {
  const { run, read } = project();
  const targets = new Map([["a", ["docker_container.a"]]]);
  await run({ command: "destroy", targets, env: { CONSUL_ALLOW_QUORUM_LOSS: "yes" } });
  expect(read("applied.a")).toMatch(/ -destroy -target=docker_container\.a$/m);
  expect(read("applied.b")).not.toContain("-target");
  expect(read("log").trim().split("\n").slice(-2)).toEqual(["b apply yes", "a apply yes"]);
});

test("after a failure no further stack is applied, and the summary has the reason", async () => {
  const failure = `hook provision_progress docker_container $stack "" "$stack: not stopped: no quorum"
hook provision_errored docker_container $stack
exit 1`;
  const { run, read, summary } = project(failure);
  expect(await run()).toBe(1);
  expect(read("log")).not.toContain("b apply");
  expect(summary()).toMatchObject({
    result: "failed",
    failures: [{ stack: "a", subject: "a", reason: "not stopped: no quorum" }],
    untouched: ["b"],
  });
});

test("a stack that fails without a word is a failure too", async () => {
  const { run, summary } = project("exit 1");
  expect(await run()).toBe(1);
  expect(summary()).toMatchObject({ failures: [{ stack: "a", reason: expect.stringContaining("in the log") }] });
});

describe("nothing is changed", () => {
  const expectUnchanged = (root: string) =>
    expect(readdirSync(root).filter((name) => /applied|logs/.test(name))).toEqual([]);

  test("if a stack cannot be planned", async () => {
    const { root, run, events } = project();
    writeFileSync("unplannable", "");
    await expect(run()).rejects.toThrow("nothing was changed\nstack a cannot be planned\nstack b cannot be planned");
    expect(events).toMatchObject([{ event: "plan", stacks: [{ stack: "a", error: "no such host" }, { stack: "b" }] }]);
    expectUnchanged(root);
  });

  test("without a terminal and without --auto-approve", async () => {
    const { root, run, events } = project();
    process.stdin.isTTY = false;
    await expect(run({}, false)).rejects.toThrow("no terminal to ask for approval at");
    expect(events).toEqual([]);
    expectUnchanged(root);
  });

  test("if a stack reads outputs of one that changes", async () => {
    const { root, run, stacks } = project();
    const json = { data: { terraform_remote_state: { other: {} } } };
    await expect(run({ stacks: [stacks[0] as Stack, { ...(stacks[1] as Stack), json }] })).rejects.toThrow(
      "stack b reads outputs of other stacks, and can be planned when these are deployed: npm run deploy -- a",
    );
    expectUnchanged(root);
  });
});

test("without changes nobody is asked, and the plans are applied, because they may update the Terraform state", async () => {
  const { run, read, events } = project("");
  writeFileSync("unchanged", "");
  process.stdin.isTTY = true;
  expect(await run({}, false)).toBe(0);
  expect(events).toContainEqual({ event: "approved", by: "no changes" });
  expect(read("log")).toContain("b apply");
});

describe("plans that were approved before", () => {
  const KNOWN = { changes: [], unchanged: 1, outputsOnly: true, without: [] };
  const planned = (): PlannedStack[] => ["a", "b"].map((stack) => ({ stack, ...KNOWN }));

  test("are applied as they are, and nobody is asked", async () => {
    const { run, runApproved, read, events, root } = project();
    await run();
    rmSync("log");
    const hidden = join(root, "hidden");
    mkdirSync(hidden);
    for (const stack of ["a", "b"]) writeFileSync(join(hidden, `${stack}.plan`), `saved ${stack}`);
    process.stdin.isTTY = false;
    expect(await runApproved(planned(), hidden)).toBe(0);
    expect(read("log").replaceAll(" \n", "\n")).toBe("a apply\nb apply\n");
    expect(read("applied.b")).toBe("saved b");
    expect(events).toContainEqual({ event: "approved", by: "saved plan" });
    expect(events.at(-1)).toMatchObject({ event: "summary", result: "done", saved: true });
  });

  test("are not applied if Terraform cannot read one", async () => {
    const { runApproved, root } = project();
    const [first] = planned() as [PlannedStack];
    expect(() => runApproved([first, { stack: "b", error: "damaged" }], root)).toThrow("stack b cannot be planned");
    expect(existsSync("log")).toBe(false);
  });
});

describe("signals", () => {
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  /** A deploy in a process of its own, whose first apply waits until a file is there. */
  async function deploying(
    apply = `touch ../applying; while [ ! -e ../go ]; do sleep 0.05; done; [ ! -e "$CONSUL_CDKTF_DEPLOY" ] || touch ../permitted\n${REPLACES}`,
  ) {
    const { root } = project(apply);
    const program = `
      const { planAndApply } = require("${PROJECT}/ops/deploy/deployment");
      const { reportFor } = require("${PROJECT}/ops/deploy/report");
      const { Terminal } = require("${PROJECT}/ops/terminal/terminal");
      const stacks = ["a", "b"].map((name) => ({ name, folder: "${root}/" + name, dependencies: name === "b" ? ["a"] : [], json: {} }));
      const terminal = new Terminal();
      const options = { autoApprove: true, json: true };
      const cluster = { name: "c", hosts: [], agents: [] };
      planAndApply({ command: "deploy", file: "f", cluster, stacks }, options, reportFor(options, terminal), terminal)
        .then((code) => { process.exitCode = code; });`;
    const child: ChildProcess = spawn(process.execPath, ["--require", join(PROJECT, "typescript.cjs"), "-e", program], {
      cwd: root,
      // What a killed command leaves behind goes with the folder of the test.
      env: { ...process.env, TMPDIR: root },
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    child.stdout?.on("data", (text) => (output += text));
    const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
    while (!existsSync(join(root, "applying")) && child.exitCode === null) await pause(50);
    const events = () =>
      output
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
    return { root, child, ended, events, go: () => writeFileSync(join(root, "go"), "") };
  }

  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const)(
    "after %s no stop is permitted, what runs goes on, and no further stack starts",
    async (signal, code) => {
      const { root, child, ended, events, go } = await deploying();
      child.kill(signal);
      // npm passes Ctrl-C on, which the terminal has sent already.
      await pause(200);
      child.kill(signal);
      await pause(200);
      go();
      expect(await ended).toBe(code);
      expect(existsSync(join(root, "permitted"))).toBe(false);
      expect(events().filter(({ event }) => event === "interrupted")).toEqual([
        expect.objectContaining({ signal, times: 1 }),
      ]);
      expect(events().at(-1)).toMatchObject({ result: "interrupted", untouched: ["b"], unfinished: [] });
      expect(events().some(({ event, agent, phase }) => event === "agent" && agent === "a" && phase === "ready")).toBe(
        true,
      );
    },
    60_000,
  );

  test("a second one interrupts Terraform, and tells what is still locked", async () => {
    const { root, child, ended, events } = await deploying(
      'trap "exit 1" INT; touch ../applying; while :; do sleep 0.05; done',
    );
    child.kill("SIGINT");
    await pause(1200);
    rmSync(join(root, "apply"));
    child.kill("SIGINT");
    expect(await ended).toBe(130);
    expect(events().at(-1)).toMatchObject({ event: "summary", result: "interrupted", locks: expect.any(Array) });
  }, 60_000);

  test("an apply outlives the command when that is killed by SIGKILL, and its further stops are denied", async () => {
    const { root, child, ended, go } = await deploying(
      `touch ../applying; while [ ! -e ../go ]; do sleep 0.05; done; cat "$CONSUL_CDKTF_DEPLOY" >../killed; seq 1 50000; touch ../ended`,
    );
    child.kill("SIGKILL");
    await ended;
    go();
    while (!existsSync(join(root, "ended"))) await pause(50);
    expect(readFileSync(join(root, "killed"), "utf8")).toBe(`${child.pid}\n`);
  }, 60_000);
});
