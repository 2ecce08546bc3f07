import { mkdtempSync, rmSync } from "node:fs";
import { endBy, SIGNALS } from "./signals";

const folders = new Set<string>();

/** Does some work with a folder that only this user can open. It goes with all that is in it, whatever ends the work, but for SIGKILL. */
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

/** Node ends at a signal without a last word, unless somebody listens. */
function watch(): void {
  process.on("exit", removeAll);
  for (const signal of SIGNALS) process.on(signal, endBy);
}

function unwatch(): void {
  process.off("exit", removeAll);
  for (const signal of SIGNALS) process.off(signal, endBy);
}

function removeAll(): void {
  folders.forEach(remove);
}

function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  folders.delete(folder);
}
