import { closeSync, fsyncSync, openSync } from "node:fs";
import type { Daemon } from "../../cluster/model";
import type { DockerResult } from "../../rollout/docker";
import { docker } from "../docker/docker";

export interface StreamOptions {
  /** A file for its standard input. */
  readonly from?: string;
  /** A new file for its standard output, for this user alone; the result then has none. */
  readonly to?: string;
  /** After which the daemon counts as unreachable. */
  readonly seconds: number;
}

/** Runs the docker CLI with files that are too large for memory. */
export async function stream(
  daemon: Daemon,
  args: readonly string[],
  { from, to, seconds }: StreamOptions,
): Promise<DockerResult> {
  const inputFile = from === undefined ? undefined : openSync(from, "r");
  const outputFile = to === undefined ? undefined : openSync(to, "wx", 0o600);
  try {
    const result = await docker(daemon).run(args, { inputFile, outputFile, seconds });
    if (outputFile !== undefined) fsyncSync(outputFile);
    return result;
  } finally {
    for (const file of [inputFile, outputFile]) if (file !== undefined) closeSync(file);
  }
}
