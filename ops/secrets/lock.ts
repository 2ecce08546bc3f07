import { rmSync, writeFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { SecretsError, type SecretsFolder } from "./folder";

/**
 * Runs that change a folder come one after the other: two at once would mix what each makes, two CAs above all. Each has a file there with its process's
 * id, and goes ahead when it sees no other's: a single file for all could not be taken over from a process that is gone without two doing so at once.
 */

const LOCK = /^\.lock-([1-9]\d*)$/;
const lockOf = (id: number): string => `.lock-${id}`;

/** Whether a file of the folder is such a run's. */
export const isLock = (file: string): boolean => LOCK.test(file);

/** Those of this process, for its id may have been that of one that is gone, in a container above all. */
const held = new Set<string>();

/** Two that began at the same time have seen each other: each tries again after a while of its own. */
const TRIES = 4;
const PAUSE_MS = 100;

/** Does what changes a folder, unless another run does so. */
export async function withLock<Result>(folder: SecretsFolder, work: () => Promise<Result>): Promise<Result> {
  const own = folder.at(lockOf(process.pid));
  for (let tries = 1; !take(folder, own); tries++) {
    if (tries >= TRIES) refuseBusy(folder);
    await pause(Math.random() * PAUSE_MS);
  }
  try {
    return await work();
  } finally {
    giveBack(own);
  }
}

/** @throws while a run changes the folder */
export function refuseBusy(folder: SecretsFolder): void {
  const [other] = runs(folder);
  if (other === undefined) return;
  const lock = folder.named(lockOf(other));
  throw new SecretsError(
    folder.named(),
    `is being changed: another run of secrets is under way, process ${other}`,
    `wait until it has ended; if that process is no run of secrets, remove ${lock}`,
  );
}

/** Whether this run may go ahead. */
function take(folder: SecretsFolder, own: string): boolean {
  if (held.has(own)) return false;
  try {
    writeFileSync(own, "", { mode: 0o600 });
  } catch (error) {
    // Where nothing can be written, no other run writes either; and what has nothing to write works there.
    if (["EROFS", "EACCES", "EPERM"].includes((error as NodeJS.ErrnoException).code ?? "")) return true;
    throw error;
  }
  held.add(own);
  if (runs(folder).every((id) => id === process.pid)) return true;
  giveBack(own);
  return false;
}

function giveBack(own: string): void {
  held.delete(own);
  rmSync(own, { force: true });
}

/** The processes that change the folder; the files of those that are gone are removed. */
function runs(folder: SecretsFolder): number[] {
  return folder.list().flatMap((file) => {
    const id = Number(LOCK.exec(file)?.[1] ?? 0);
    if (id === 0) return [];
    if (id === process.pid ? held.has(folder.at(file)) : isThere(id)) return [id];
    rmSync(folder.at(file), { force: true });
    return [];
  });
}

function isThere(id: number): boolean {
  try {
    return process.kill(id, 0);
  } catch (error) {
    // Another user's.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
