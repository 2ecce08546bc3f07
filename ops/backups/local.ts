import { mkdirSync, readdirSync, renameSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Cluster } from "../../cluster/model";
import { backupsFolder, privatePath } from "../../cluster/resolve/defaults";
import { withTempDir } from "../temp-dir";

/** What the place of a cluster's backups depends on. */
type BackupsOwner = Pick<Cluster, "name" | "privateFolder">;

/** The folder of a cluster's backups on this machine, relative to the project. */
export const localFolder = ({ name, privateFolder }: BackupsOwner): string =>
  privatePath(privateFolder, backupsFolder(name));

/** The time in UTC, as in the names of scheduled snapshots: 2026-11-25T010516Z.snap. */
export const snapshotName = (now = new Date()): string => `${now.toISOString().slice(0, 19).replaceAll(":", "")}Z.snap`;

/** A snapshot's name, which contains no path. */
export const SNAPSHOT_NAME = /^[\w-][\w.-]*\.snap$/;

/** Sorted names of a cluster's backups on this machine. */
export function localNames(cluster: BackupsOwner): string[] {
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
 * Writes a file completely or not at all.
 * @param make fills the new file at a path; when it throws, nothing is left
 */
export async function writeComplete<Result>(
  file: string,
  make: (unfinished: string) => Promise<Result>,
): Promise<Result> {
  if (statSync(file, { throwIfNoEntry: false }))
    throw new Error(`${file} exists already\n  name another file, or remove it`);
  if (!statSync(dirname(file), { throwIfNoEntry: false })?.isDirectory())
    throw new Error(`${dirname(file)} is no folder\n  create it first`);
  return withTempDir(join(dirname(file), ".unfinished-"), async (folder) => {
    const unfinished = join(folder, "snapshot");
    const result = await make(unfinished);
    renameSync(unfinished, file);
    return result;
  });
}

/** The path of a new backup: the given one, otherwise in the cluster's folder, which is created for this user alone. */
export function newFile(cluster: BackupsOwner, output: string | undefined, name: string): string {
  if (output !== undefined) return output;
  mkdirSync(localFolder(cluster), { recursive: true, mode: 0o700 });
  return join(localFolder(cluster), name);
}
