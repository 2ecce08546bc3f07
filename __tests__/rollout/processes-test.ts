import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SystemProcesses } from "../../rollout/processes";
import { folder } from "../cluster-files";

/** A machine without /proc, where `ps` prints its arguments, or what a test has it print. */
function withoutProc(body = 'echo "$*"') {
  const program = join(folder(), "ps");
  writeFileSync(program, `#!/bin/sh\n${body}\n`);
  chmodSync(program, 0o755);
  return new SystemProcesses("/nowhere", program);
}

test("a process is alive until it has ended", async () => {
  const processes = new SystemProcesses();
  const child = spawn("sleep", ["60"]);
  const pid = child.pid ?? 0;
  expect(processes.isAlive(pid)).toBe(true);
  child.kill();
  await once(child, "exit");
  expect(processes.isAlive(pid)).toBe(false);
});

test("a process that has ended, and that its parent has not taken notice of, is not alive", () => {
  const proc = folder();
  mkdirSync(join(proc, String(process.pid)));
  writeFileSync(join(proc, `${process.pid}/stat`), `${process.pid} (node) Z 1 1`);
  expect(new SystemProcesses(proc, "/nowhere").isAlive(process.pid)).toBe(false);
  expect(withoutProc("echo Z+").isAlive(process.pid)).toBe(false);
  expect(withoutProc("echo Ss").isAlive(process.pid)).toBe(true);
});

test("another user's process is alive", () => {
  const kill = jest.spyOn(process, "kill").mockImplementation(() => {
    throw Object.assign(new Error(), { code: "EPERM" });
  });
  expect(new SystemProcesses().isAlive(1)).toBe(true);
  kill.mockRestore();
});

test("a process has a command line and a start, by /proc", () => {
  const proc = folder();
  mkdirSync(join(proc, "42"));
  writeFileSync(join(proc, "42/cmdline"), "terraform\0apply\0-parallelism=3\0");
  const words = ["S", ...Array.from({ length: 18 }, (_, at) => String(at)), "8877", "0"];
  writeFileSync(join(proc, "42/stat"), `42 (a) b) ${words.join(" ")}`);
  const processes = new SystemProcesses(proc, "/nowhere");
  expect([processes.commandLine(42), processes.startOf(42)]).toEqual(["terraform apply -parallelism=3", "8877"]);
});

test("where there is no /proc, ps tells both, in the same format for everybody", () => {
  expect(withoutProc().commandLine(42)).toBe("-ww -o args= -p 42");
  expect(withoutProc('echo "Sat Nov 28 21:27:56 2026"').startOf(42)).toBe("Sat-Nov-28-21-27-56-2026");
  expect(withoutProc('echo "$LC_ALL $TZ"').startOf(42)).toBe("C-UTC");
});

test("both are unknown if ps does not know the process", () => {
  const processes = withoutProc("exit 1");
  expect([processes.commandLine(42), processes.startOf(42)]).toEqual(["", ""]);
});

test("the start of a live process stays the same", () => {
  const processes = new SystemProcesses();
  expect(processes.startOf(process.pid)).toMatch(/^[A-Za-z0-9-]+$/);
  expect(processes.startOf(process.pid)).toBe(processes.startOf(process.pid));
});
