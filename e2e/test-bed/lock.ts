import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { type Progress, timed } from "./progress";
import { CACHE_FOLDER, RESERVATION } from "./world";

/** Does the work while no other process of this machine builds, removes or repairs the test bed. */
export async function withLock<T>(work: () => Promise<T>): Promise<T> {
  const release = await acquireLock("lock");
  try {
    return await work();
  } finally {
    release();
  }
}

/**
 * Waits until this process has reserved the test bed, for a suite or a benchmark whose results others' containers
 * would change.
 * @returns a function that releases it; the end of the process does too
 */
export function reserveTestBed(progress: Progress): Promise<() => void> {
  return timed(progress, "waiting for another suite or benchmark to leave the test bed", () =>
    acquireLock(RESERVATION),
  );
}

/**
 * The kernel's lock is held by a child that lives as long as the pipe to this process, so it is released even on
 * SIGKILL.
 */
async function acquireLock(name: string): Promise<() => void> {
  fs.mkdirSync(CACHE_FOLDER, { recursive: true });
  const holder = spawn("flock", [path.join(CACHE_FOLDER, name), "sh", "-c", "echo held; exec cat >/dev/null"], {
    stdio: ["pipe", "pipe", "inherit"],
    // Out of reach of a Ctrl-C in the terminal: the lock is held until the work has really stopped.
    detached: true,
  });
  holder.stdin.on("error", () => undefined);
  await new Promise<void>((resolve, reject) => {
    holder.stdout.once("data", () => resolve());
    holder.once("error", reject);
    holder.once("exit", (code) =>
      reject(new Error(`flock ended with exit code ${code} before the test bed's lock was held`)),
    );
  });
  return () => void holder.stdin.end();
}
