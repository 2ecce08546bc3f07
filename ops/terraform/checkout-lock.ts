import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { SystemProcesses } from "../../rollout/processes";

/** The command that uses a checkout's cdktf.out. */
interface Holder {
  readonly pid: number;
  /** Tells it from a later process with the same id. */
  readonly start: string;
  /** As a user typed it, without its options. */
  readonly command: string;
}

const processes = new SystemProcesses();
let held: string | undefined;

/**
 * Reserves a checkout's cdktf.out for this process until its end. Without that, a command would rewrite the JSON that
 * another one, a deploy for example, is about to apply.
 * @param file of the lock
 * @returns undefined, or the command that has it
 */
export function reserveCheckout(file: string): Holder | undefined {
  const path = resolve(file);
  mkdirSync(dirname(path), { recursive: true });
  const own: Holder = { pid: process.pid, start: processes.startOf(process.pid), command: process.argv[2] ?? "" };
  for (;;) {
    try {
      writeFileSync(path, JSON.stringify(own), { flag: "wx" });
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const holder = holderIn(path);
    if (holder?.pid === process.pid) break;
    if (holder && processes.isAlive(holder.pid) && processes.startOf(holder.pid) === holder.start) return holder;
    // It was killed.
    rmSync(path, { force: true });
  }
  if (held === undefined) process.once("exit", releaseCheckout);
  held = path;
  return undefined;
}

/** At the end of a command. */
export function releaseCheckout(): void {
  process.off("exit", releaseCheckout);
  if (held !== undefined) rmSync(held, { force: true });
  held = undefined;
}

export const inUse = ({ command, pid }: Holder): Error =>
  new Error(
    `cdktf.out is in use by the command \`${command}\` (process ${pid}) in this checkout\n    hint: wait until it ends, or use another checkout`,
  );

/** Undefined for a file that is not complete: its process was killed, or is writing it. */
function holderIn(path: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Holder;
  } catch {
    return undefined;
  }
}
