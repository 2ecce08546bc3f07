import * as fs from "node:fs";
import { run } from "./command";

/**
 * A host's disk is in memory. All hosts share one real disk, on which Raft's fsync waits while five of them write the
 * image that they pull: writes to the KV store paused for 1.3 to 6 s, and for 0.6 s with disks of their own.
 * @param mebibytes its size; half of the machine's memory if it is undefined
 */
export async function ensureDisk(folder: string, mebibytes?: number): Promise<void> {
  fs.mkdirSync(folder, { recursive: true });
  const options = `mode=755${mebibytes === undefined ? "" : `,size=${mebibytes}m`}`;
  if (disksBelow(folder).length === 0) await run("mount", ["-t", "tmpfs", "-o", options, "tmpfs", folder]);
}

/** Removes a folder, with the disks in it and what is on them. */
export async function removeWithDisks(folder: string): Promise<void> {
  for (const disk of disksBelow(folder)) await run("umount", [disk]);
  fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}

function disksBelow(folder: string): string[] {
  const points = fs
    .readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "");
  return points.filter((point) => point === folder || point.startsWith(`${folder}/`));
}
