import { mkdirSync, readdirSync, renameSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Cluster } from "../../cluster/model";
import { withTempDir } from "../temp-dir";

/** Where a cluster's backups are at this machine, from the project. */
export const localFolder = ({ name }: Pick<Cluster, "name">): string => join("backups", name);

/** By the time, in UTC, as the scheduled ones are called: 2026-11-25T010516Z.snap. */
export const snapshotName = (now = new Date()): string => `${now.toISOString().slice(0, 19).replaceAll(":", "")}Z.snap`;

/** A snapshot's name, which is no path. */
export const SNAPSHOT_NAME = /^[\w-][\w.-]*\.snap$/;

/** Names of a cluster's backups at this machine, in their order. */
export function localNames(cluster: Pick<Cluster, "name">): string[] {
  try {
    return readdirSync(localFolder(cluster))
      .filter((name) => name.endsWith(".snap"))
      .sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/**
 * Makes a file that is there as a whole, or not at all.
 * @param make fills a new file, of which it is given the name; when it throws, nothing is left
 */
export async function writtenWhole<Result>(
  file: string,
  make: (unfinished: string) => Promise<Result>,
): Promise<Result> {
  if (statSync(file, { throwIfNoEntry: false }))
    throw new Error(`${file} is there already\n  name another file, or remove it`);
  if (!statSync(dirname(file), { throwIfNoEntry: false })?.isDirectory())
    throw new Error(`${dirname(file)} is no folder\n  make it first`);
  return withTempDir(join(dirname(file), ".unfinished-"), async (folder) => {
    const unfinished = join(folder, "snapshot");
    const result = await make(unfinished);
    renameSync(unfinished, file);
    return result;
  });
}

/** The file of a new backup: in the cluster's folder, which is made for this user alone, or where it was asked for. */
export function newFile(cluster: Pick<Cluster, "name">, output: string | undefined, name: string): string {
  if (output !== undefined) return output;
  mkdirSync(localFolder(cluster), { recursive: true, mode: 0o700 });
  return join(localFolder(cluster), name);
}
