import { closeSync, fsyncSync, lstatSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";

/**
 * Replaces the content of a file. A reader gets the old content or the new content, each as a whole.
 * @param mode of the new file
 */
export function replaceFile(file: string, content: string | Buffer, mode = 0o666): void {
  const unfinished = `${file}.${process.pid}.unfinished`;
  try {
    const descriptor = openSync(unfinished, "wx", mode);
    try {
      writeFileSync(descriptor, content);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(unfinished, file);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  }
}

/** Undefined for a path at which there is nothing. */
export const isRegularFile = (path: string): boolean | undefined =>
  lstatSync(path, { throwIfNoEntry: false })?.isFile();
