import { mkdtempSync, rmSync } from "node:fs";
import { endBy, handleSignals } from "./signals";

const folders = new Set<string>();
let stopHandling: (() => void) | undefined;

/** Runs work with a temporary folder that only this user can open. It is removed whatever ends the work, except for SIGKILL. */
export async function withTempDir<Result>(prefix: string, work: (folder: string) => Promise<Result>): Promise<Result> {
  if (folders.size === 0) watch();
  const folder = mkdtempSync(prefix);
  folders.add(folder);
  try {
    return await work(folder);
  } finally {
    remove(folder);
    if (folders.size === 0) unwatch();
  }
}

/** Without a listener, a signal ends Node at once. */
function watch(): void {
  process.on("exit", removeAll);
  stopHandling = handleSignals(endBy);
}

function unwatch(): void {
  process.off("exit", removeAll);
  stopHandling?.();
}

function removeAll(): void {
  folders.forEach(remove);
}

function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  folders.delete(folder);
}
