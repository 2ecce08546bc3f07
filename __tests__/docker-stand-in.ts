import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { folder, PROJECT } from "./cluster-files";
import { programOn } from "./requirements";

/** Scripts of rollout/operator, one behind the other. */
export const operatorScript = (...names: string[]): string =>
  names.map((name) => readFileSync(join(PROJECT, `rollout/operator/${name}.sh`), "utf8")).join("");

/** A folder of POSIX tools, and nothing else that this machine has. */
const TOOLS = folder();
for (const tool of [
  "sh",
  "date",
  "sleep",
  "cat",
  "env",
  "wc",
  "sed",
  "tr",
  "cut",
  "head",
  "grep",
  "mkdir",
  "mkfifo",
  "rm",
]) {
  const found = programOn(process.env.PATH ?? "", tool);
  if (!found) throw new Error(`${tool} is not on the PATH`);
  symlinkSync(found, join(TOOLS, tool));
}

export interface Run {
  readonly script: string;
  /** Body of a stand-in for the docker CLI: `$*` are its arguments, what it is sent comes on standard input, `$calls` says how often it was called. */
  readonly docker?: string;
  readonly env?: Record<string, string>;
}

/** Runs an operator's script as Terraform does: `sh -c`, with everything in the environment, and nothing on the PATH but the docker CLI and POSIX tools. */
export function runAsTerraform({ script, docker, env = {} }: Run) {
  const directory = folder();
  const bin = join(directory, "bin");
  mkdirSync(bin);
  const log = join(directory, "calls");
  writeFileSync(log, "");
  if (docker !== undefined) {
    writeFileSync(join(bin, "docker"), `#!/bin/sh\n${notesCall(log)}\ncalls=$(($(wc -l <"${log}")))\n${docker}\n`);
    chmodSync(join(bin, "docker"), 0o755);
  }
  const { status, stdout, stderr } = spawnSync("/bin/sh", ["-c", 'sh -c "$SCRIPT"'], {
    encoding: "utf8",
    timeout: 20_000,
    env: { PATH: `${bin}:${TOOLS}`, TF_DATA_DIR: directory, SCRIPT: script, ...env },
  });
  return { status, stdout, stderr, calls: readFileSync(log, "utf8").split("\n").slice(0, -1) };
}

/** A line a call in a log: its words, and SCRIPT for a script. */
export const notesCall = (log: string): string =>
  `{ for word; do case $word in *'\n'*) printf 'SCRIPT ' ;; *) printf '%s ' "$word" ;; esac; done; echo; } | sed 's/ $//' >>'${log}'`;
