import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { isRunning, ownIdentity, type ProcessIdentity } from "../process-identity";

/** The command that uses a checkout's cdktf.out. */
interface Holder extends ProcessIdentity {
  /** As a user typed it, without its options. */
  readonly command: string;
}

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
  const own: Holder = { ...ownIdentity(), command: process.argv[2] ?? "" };
  const beside = `${path}.${process.pid}`;
  try {
    for (;;) {
      if (putWhole(path, beside, JSON.stringify(own))) break;
      const holder = holderIn(path);
      if (holder?.pid === process.pid) break;
      if (isAlive(holder)) return holder;
      // It was killed. Another command may have seen that too, and have reserved the checkout since: its file goes back.
      const taken = takeAway(path, beside);
      if (isAlive(taken)) {
        putWhole(path, beside, JSON.stringify(taken));
        return taken;
      }
    }
  } finally {
    rmSync(beside, { force: true });
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

/** Creates a file that appears with its whole content. @returns false if there is one */
function putWhole(path: string, beside: string, content: string): boolean {
  writeFileSync(beside, content);
  try {
    linkSync(beside, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return false;
  }
}

/** Removes a file that others may be removing too. @returns what it had */
function takeAway(path: string, beside: string): Holder | undefined {
  try {
    renameSync(path, beside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return undefined;
  }
  return holderIn(beside);
}

const isAlive = (holder: Holder | undefined): holder is Holder => holder !== undefined && isRunning(holder);

/** Undefined if there is none. */
function holderIn(path: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Holder;
  } catch {
    return undefined;
  }
}
