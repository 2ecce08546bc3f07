import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { constants } from "node:os";

/** How a program ended, and what it wrote. */
export interface ProgramResult {
  /** 128 and the signal's number, as in a shell, for a program that a signal ended. */
  readonly exitCode: number;
  readonly output: string;
  readonly error: string;
  readonly timedOut: boolean;
}

export interface RunOptions extends Pick<SpawnOptions, "cwd" | "env" | "signal"> {
  /** After which the program is killed. */
  readonly seconds?: number;
}

/**
 * Runs a program to its end.
 * @throws when it cannot be started
 */
export async function run(program: string, args: readonly string[], options: RunOptions): Promise<ProgramResult> {
  const { seconds, ...spawnOptions } = options;
  const child = spawn(program, args, spawnOptions);
  let output = "";
  let error = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    error += text;
  });
  let timedOut = false;
  const kill = () => {
    timedOut = true;
    // Its own children may keep the pipes open.
    child.stdout?.destroy();
    child.stderr?.destroy();
    child.kill("SIGKILL");
  };
  const timer = seconds === undefined ? undefined : setTimeout(kill, seconds * 1000);
  try {
    const exitCode = await exitCodeOf(child);
    return { exitCode, output, error, timedOut };
  } finally {
    clearTimeout(timer);
  }
}

/** @throws when the program cannot be started */
export function exitCodeOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  });
}
