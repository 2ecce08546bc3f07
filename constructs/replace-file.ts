import { renameSync, writeFileSync } from "node:fs";

/** Replaces a file's content at once: a deploy may be reading it, and another synth writing it. */
export function replaceFile(file: string, content: string | Uint8Array): void {
  const unfinished = `${file}.${process.pid}`;
  writeFileSync(unfinished, content);
  renameSync(unfinished, file);
}
