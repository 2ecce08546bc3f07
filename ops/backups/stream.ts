import { spawn } from "node:child_process";
import { closeSync, fsyncSync, openSync } from "node:fs";
import type { Daemon } from "../../cluster/resolve/daemon";
import { type DockerResult, dockerCommand } from "../docker/docker";

export interface StreamOptions {
  /** A file for its standard input. */
  readonly from?: string;
  /** A new file for its standard output, for this user alone; the result then has none. */
  readonly to?: string;
  /** After which a daemon that has not done it counts as gone. */
  readonly seconds: number;
}

/** Runs the docker CLI with files that are too large for memory. */
export async function stream(
  daemon: Daemon,
  args: readonly string[],
  { from, to, seconds }: StreamOptions,
): Promise<DockerResult> {
  const input = from === undefined ? "ignore" : openSync(from, "r");
  const output = to === undefined ? "pipe" : openSync(to, "wx", 0o600);
  try {
    const [program, words, options] = dockerCommand(daemon, args, [input, output, "pipe"]);
    const child = spawn(program, words, { ...options, timeout: seconds * 1000 });
    const said = { output: "", error: "" };
    child.stdout?.setEncoding("utf8").on("data", (text: string) => (said.output += text));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (said.error += text));
    const ended = await new Promise<{ status: number | null; failure?: Error }>((done) => {
      child.once("error", (failure) => done({ status: null, failure }));
      child.once("close", (status) => done({ status }));
    });
    if (typeof output === "number") fsyncSync(output);
    const error = said.error.trim() || ended.failure?.message || (child.killed ? `no end within ${seconds} s` : "");
    return { ok: ended.status === 0, output: said.output, error };
  } finally {
    for (const file of [input, output]) if (typeof file === "number") closeSync(file);
  }
}
