import { spawnSync } from "node:child_process";
import { endBy, SIGNALS } from "../../ops/signals";
import type { Operator } from "./operator";
import { type MachineStatus, TestBed } from "./test-bed";
import { DEFAULT_HOSTS } from "./world";

const USAGE = `usage: npm run rig <command>
  up                                brings the test bed up; twice is fine
  down                              removes everything but the cache; twice is fine
  status [--json]                   the status of every machine; exit code 1 if one is not up
  shell [--on MACHINE] [-- COMMAND] a shell, or one command, as the operator, or on a machine: local, registry, a host's name`;

async function main(args: readonly string[]): Promise<number> {
  const [command, ...rest] = args;
  switch (command) {
    case "up":
      await TestBed.up({ progress });
      progress("up");
      return 0;
    case "down":
      await TestBed.down(progress);
      progress("down");
      return 0;
    case "status":
      return showStatus(await TestBed.standing().status(), rest.includes("--json"));
    case "shell":
      return shell(rest);
    default:
      process.stderr.write(`${USAGE}\n`);
      return 2;
  }
}

function showStatus(machines: readonly MachineStatus[], asJson: boolean): number {
  const missing = DEFAULT_HOSTS.filter((host) => !machines.some((machine) => machine.name === host.name));
  const all = [...machines, ...missing.map((host) => ({ ...host, on: false, serving: false, engine: undefined }))];
  const isUp = all.every((machine) => machine.on && machine.serving !== false);
  if (asJson) {
    process.stdout.write(`${JSON.stringify({ up: isUp, machines: all }, undefined, 2)}\n`);
  } else {
    for (const { name, address, on, serving, engine } of all) {
      const state = on ? (serving === false ? "on, not serving" : ["on", engine].filter(Boolean).join(", ")) : "off";
      process.stdout.write(`${name.padEnd(20)} ${address.padEnd(15)} ${state}\n`);
    }
  }
  return isUp ? 0 : 1;
}

function shell(args: readonly string[]): number {
  const testBed = TestBed.standing();
  const named = args[0] === "--on" ? (args[1] ?? "") : "ops";
  const command = args.slice(args[0] === "--on" ? 2 : 0).filter((arg, index) => !(index === 0 && arg === "--"));
  const [program = process.env.SHELL ?? "/bin/sh", ...programArgs] = command;
  const { machine, env } =
    named === "ops" ? testBed.operator : named === "local" ? testBed.local : onHost(testBed, named);
  // npm changes to the package's folder; the shell opens where the user is.
  const cwd = process.env.INIT_CWD ?? process.cwd();
  const done = spawnSync("nsenter", machine.enter(program, programArgs, cwd), { env, stdio: "inherit" });
  if (done.error) throw done.error;
  return done.status ?? 1;
}

function onHost(testBed: TestBed, name: string): Pick<Operator, "machine" | "env"> {
  const machine = name === "registry" ? testBed.registry.machine : testBed.host(name);
  return { machine, env: { ...process.env, CONSUL_CDKTF_RIG_MACHINE: name } };
}

function progress(line: string): void {
  process.stderr.write(`test bed: ${line}\n`);
}

// These signals also end the commands that were started. SIGKILL cannot; the next `up` or `down` ends what it leaves.
for (const signal of SIGNALS) process.once(signal, endBy);
// `| head` may end first.
process.stdout.on("error", ({ code }: NodeJS.ErrnoException) => process.exit(code === "EPIPE" ? 0 : 1));

main(process.argv.slice(2)).then(
  (code) => (process.exitCode = code),
  (error: Error) => {
    process.stderr.write(`test bed: ${error.message}\n`);
    process.exitCode = 1;
  },
);
