import { mkdtempSync, rmSync } from "node:fs";
import { constants } from "node:os";

const folders = new Set<string>();

/** Does some work with a folder that only this user can open. It goes with all that is in it, whatever ends the work, but for SIGKILL. */
export async function inScratch<Result>(prefix: string, work: (folder: string) => Promise<Result>): Promise<Result> {
  if (folders.size === 0) watch();
  const folder = mkdtempSync(prefix);
  folders.add(folder);
  try {
    return await work(folder);
  } finally {
    remove(folder);
    if (folders.size === 0) for (const signal of SIGNALS) process.off(signal, stop);
  }
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Node ends at a signal without a last word, unless somebody listens. */
function watch(): void {
  for (const signal of SIGNALS) process.on(signal, stop);
}

function stop(signal: NodeJS.Signals): void {
  folders.forEach(remove);
  process.exit(128 + constants.signals[signal]);
}

function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  folders.delete(folder);
}
