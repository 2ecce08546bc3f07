import type { ChildProcess } from "node:child_process";
import { basename } from "node:path";
import type { Daemon } from "../../cluster/model";
import { startFailure } from "../../rollout/docker-cli";
import { docker } from "./docker";

/** A container that was asked for its files. */
export type CopiedFiles =
  /** By name. */
  | { readonly files: ReadonlyMap<string, string> }
  /** The daemon has no such container, or the container no such folder. */
  | { readonly absent: string }
  /** The daemon gave no answer. */
  | { readonly unreachable: string };

/** A folder of secrets is a hundredth of this. What is larger is no such folder, and must not fill the memory. */
const MAX_BYTES = 4 * 1024 * 1024;

/**
 * Copies the regular files of a container's folder into memory, also those of a container that does not run. They come
 * by standard output, so no other file has them.
 */
export async function copiedFiles(
  daemon: Daemon,
  container: string,
  folder: string,
  seconds: number,
): Promise<CopiedFiles> {
  const cli = docker(daemon).start(["container", "cp", `${container}:${folder}`, "-"]);
  const { archive, error } = await collected(cli, seconds);
  if (archive) return { files: regularFiles(archive) };
  return /no such container|could not find the file/i.test(error) ? { absent: error } : { unreachable: error };
}

function collected(cli: ChildProcess, seconds: number): Promise<{ archive?: Buffer; error: string }> {
  return new Promise((done) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    let complaint = "";
    const giveUp = (error: string): void => {
      clearTimeout(timer);
      cli.kill("SIGKILL");
      cli.stdout?.destroy();
      cli.stderr?.destroy();
      done({ error });
    };
    const timer = setTimeout(() => giveUp(`no answer within ${seconds} s`), seconds * 1000);
    cli.stdout?.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      chunks.push(chunk);
      if (bytes > MAX_BYTES) giveUp(`its answer is larger than ${MAX_BYTES} bytes`);
    });
    cli.stderr?.setEncoding("utf8").on("data", (text: string) => {
      complaint += text;
    });
    cli.once("error", (error) => giveUp(startFailure(error)));
    cli.once("close", (code, signal) => {
      clearTimeout(timer);
      if (code === 0) done({ archive: Buffer.concat(chunks), error: "" });
      else done({ error: complaint.trim().split("\n").at(-1) || `docker ended with ${signal ?? code}` });
    });
  });
}

const BLOCK = 512;
/** Type flags of regular files (POSIX.1-1988). */
const REGULAR = ["0", "\0"];

/** The regular files of a tar archive, by their names without folders. Folders, links and extended headers are skipped. */
export function regularFiles(archive: Buffer): Map<string, string> {
  const files = new Map<string, string>();
  const text = (from: number, length: number): string => archive.toString("latin1", from, from + length);
  const field = (from: number, length: number): string => text(from, length).replace(/\0.*$/s, "");
  for (let at = 0; at + BLOCK <= archive.length; ) {
    const name = field(at, 100);
    if (name === "") break; // two empty blocks end it
    const size = Number.parseInt(field(at + 124, 12).trim() || "0", 8);
    const from = at + BLOCK;
    if (REGULAR.includes(text(at + 156, 1))) files.set(basename(name), archive.toString("utf8", from, from + size));
    at = from + Math.ceil(size / BLOCK) * BLOCK;
  }
  return files;
}
