import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import checkRequirements from "./requirements";

/** Linux has a file system in memory here. */
const IN_MEMORY = "/dev/shm";
/** Tests need a tenth of this. Containers of Docker have 64 MiB. */
const ENOUGH_BYTES = 256 * 1024 * 1024;

/** Whether tests can have their folders below this one: it has room, and programs in it can be run. */
export function isUsable(folder: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(folder);
    if (bavail * bsize < ENOUGH_BYTES) return false;
    const own = mkdtempSync(join(folder, "consul-cdktf-test-"));
    try {
      const program = join(own, "program");
      writeFileSync(program, "#!/bin/sh\n", { mode: 0o755 });
      return spawnSync(program).status === 0;
    } finally {
      rmSync(own, { recursive: true });
    }
  } catch {
    return false;
  }
}

/** Before the first test. Tests write thousands of small files; on a disk the tests of secrets take twice as long. */
export default function setUp(): void {
  checkRequirements();
  if (process.env.TMPDIR === undefined && isUsable(IN_MEMORY)) process.env.TMPDIR = IN_MEMORY;
}
