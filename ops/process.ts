import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { endOf } from "../rollout/program";
import { exitCodeOfSignal } from "./signals";

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
  const { code, signal, ...written } = await endOf(spawn(program, args, spawnOptions), seconds);
  return { exitCode: exitCode(code, signal), ...written };
}

/** @throws when the program cannot be started */
export function exitCodeOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve(exitCode(code, signal)));
  });
}

const exitCode = (code: number | null, signal: NodeJS.Signals | null): number =>
  code ?? (signal ? exitCodeOfSignal(signal) : 128);
