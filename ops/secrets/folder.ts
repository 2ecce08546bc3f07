import {
  closeSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";

/** The part of a name that a file has until it is whole. */
export const UNFINISHED = ".unfinished";

/** Something of a cluster's secrets that cannot be used. */
export class SecretsError extends Error {
  constructor(
    readonly file: string,
    readonly what: string,
    readonly hint: string,
  ) {
    super(`${file} ${what}\n  ${hint}`);
  }
}

const ELSEWHERE = "name a folder that this user can make: `security: { secrets: FOLDER }`";

/**
 * Makes a folder, and those above it. Node's own recursive mkdir never ends where a folder is there and yet nothing can be made in it, as in /proc
 * (ENOENT, over and over).
 */
export function makeFolder(path: string): void {
  try {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
    makeFolder(dirname(path));
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (error instanceof SecretsError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    // Another run was faster.
    if (code === "EEXIST" && statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
    throw new SecretsError(path, `cannot be made: ${code}`, ELSEWHERE);
  }
}

/** A folder of secrets: 0700, and its files 0600. A file is there as a whole, or not at all. */
export class SecretsFolder {
  private readonly place: string;

  /** @param path as the cluster file has it: relative to the project, absolute, or of the home folder */
  constructor(readonly path: string) {
    this.place = resolve(path.replace(/^~(?=\/)/, homedir()));
  }

  /** A file's or folder's name for people, from the project. */
  named(file = ""): string {
    return join(this.path, file);
  }

  /** Where it is on the disk. */
  at(file = ""): string {
    return join(this.place, file);
  }

  /** @throws for a link to nowhere */
  get exists(): boolean {
    try {
      if (!lstatSync(this.place, { throwIfNoEntry: false })) return false;
      if (statSync(this.place, { throwIfNoEntry: false })?.isDirectory()) return true;
    } catch (error) {
      throw new SecretsError(this.path, `cannot be looked at: ${(error as NodeJS.ErrnoException).code}`, ELSEWHERE);
    }
    throw new SecretsError(
      this.path,
      "is no folder, or a link to one that is gone",
      "for what an import left: npm run secrets -- forget; else remove it",
    );
  }

  make(): void {
    if (!this.exists) makeFolder(this.place);
  }

  /** @throws when it is not there */
  refuseAbsent(): void {
    if (!this.exists) throw new SecretsError(this.path, "is not there", "npm run secrets -- init");
  }

  /**
   * Undefined for a file that is not there.
   * @throws for one that cannot be read
   */
  read(file: string): string | undefined {
    try {
      return readFileSync(this.at(file), "utf8");
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOENT" || code === "ENOTDIR") return undefined;
      throw new SecretsError(
        this.named(file),
        `cannot be read: ${code}`,
        "make it a file of the user who runs this, with mode 0600",
      );
    }
  }

  /** Whether anything had to be written: a file that has this content already is left alone. */
  write(file: string, content: string): boolean {
    if (this.read(file) === content) return false;
    const unfinished = this.at(`${file}${UNFINISHED}`);
    makeFolder(dirname(unfinished));
    rmSync(unfinished, { force: true }); // left by a run that was interrupted
    const opened = openSync(unfinished, "wx", 0o600);
    try {
      writeSync(opened, content);
      fsyncSync(opened);
    } finally {
      closeSync(opened);
    }
    renameSync(unfinished, this.at(file));
    return true;
  }

  remove(file: string): void {
    rmSync(this.at(file), { recursive: true, force: true });
  }

  /** Names of what is in a folder of it, in one order; none when it is not there. */
  list(folder = ""): string[] {
    try {
      return readdirSync(this.at(folder)).sort();
    } catch (error) {
      if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return [];
      throw error;
    }
  }

  /** What others than this user may read or write: the folder itself is "". */
  openToOthers(): string[] {
    const inside = readdirSync(this.at(), { recursive: true, encoding: "utf8" }).sort();
    return ["", ...inside].filter(
      (file) => ((statSync(this.at(file), { throwIfNoEntry: false })?.mode ?? 0) & 0o077) !== 0,
    );
  }
}
