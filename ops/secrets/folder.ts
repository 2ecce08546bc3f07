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
import { describeProblem, type FileLocation, type Problem, problem } from "../../cluster/problem";

/** Suffix of a file's name until it is completely written. */
export const UNFINISHED = ".unfinished";

/** Reads lost secrets back from the agents' containers. */
export const RECOVER = "npm run secrets -- recover";

/** A secret, or the folder, cannot be used. */
export class SecretsError extends Error {
  readonly problem: SecretsProblem;

  constructor(code: Problem["code"], file: string, message: string, hint: string) {
    const found = problem({ code, location: { file }, message, hint });
    super(describeProblem(found));
    this.problem = found;
  }
}

/** A problem of a file of secrets, or of their folder. */
export interface SecretsProblem extends Problem {
  readonly location: FileLocation;
}

const ELSEWHERE = "name a folder that this user can make: `private_folder: FOLDER`, or `security: { secrets: FOLDER }`";

/**
 * Makes a folder and its parents. Node's recursive mkdir never ends where a folder exists but nothing can be made in it, as in /proc (it repeats
 * ENOENT).
 */
export function makeFolder(path: string): void {
  try {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
    makeFolder(dirname(path));
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (error instanceof SecretsError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    // Another run has made it in the meantime.
    if (code === "EEXIST" && statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
    throw new SecretsError("secrets-folder-unusable", path, `cannot be made: ${code}`, ELSEWHERE);
  }
}

/** A secrets folder: mode 0700, its files 0600. Files are written completely or not at all. */
export class SecretsFolder {
  private readonly root: string;

  /** @param path from the cluster file: relative to the project, absolute, or below `~` */
  constructor(readonly path: string) {
    this.root = resolve(path.replace(/^~(?=\/)/, homedir()));
  }

  /** A file's or folder's name in messages. */
  named(file = ""): string {
    return join(this.path, file);
  }

  /** Its absolute path. */
  at(file = ""): string {
    return join(this.root, file);
  }

  /** @throws for a broken link */
  get exists(): boolean {
    try {
      if (!lstatSync(this.root, { throwIfNoEntry: false })) return false;
      if (statSync(this.root, { throwIfNoEntry: false })?.isDirectory()) return true;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw new SecretsError("secrets-folder-unusable", this.path, `cannot be examined: ${code}`, ELSEWHERE);
    }
    throw new SecretsError(
      "secrets-folder-unusable",
      this.path,
      "is no folder, or a link to one that is gone",
      "if an import left it: npm run secrets -- clean; otherwise remove it",
    );
  }

  make(): void {
    if (!this.exists) makeFolder(this.root);
  }

  /** @throws when the folder does not exist */
  refuseAbsent(): void {
    if (!this.exists)
      throw new SecretsError(
        "secrets-folder-missing",
        this.path,
        "does not exist",
        `npm run secrets -- init; if it was lost: ${RECOVER}`,
      );
  }

  /**
   * A file's content; undefined when the file does not exist.
   * @throws when the file cannot be read
   */
  read(file: string): string | undefined {
    try {
      return readFileSync(this.at(file), "utf8");
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOENT" || code === "ENOTDIR") return undefined;
      throw new SecretsError(
        "secret-unreadable",
        this.named(file),
        `cannot be read: ${code}`,
        "make it a file of the user who runs this, with mode 0600",
      );
    }
  }

  /** @returns false when the file had this content already, and was not written */
  write(file: string, content: string): boolean {
    if (this.read(file) === content) return false;
    const unfinished = this.at(`${file}${UNFINISHED}`);
    makeFolder(dirname(unfinished));
    rmSync(unfinished, { force: true }); // left by an interrupted run
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

  /** Sorted names of a subfolder's entries; none when it does not exist. */
  list(folder = ""): string[] {
    try {
      return readdirSync(this.at(folder)).sort();
    } catch (error) {
      if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return [];
      throw error;
    }
  }

  /** Files and folders that other users may read or write; "" is the folder itself. */
  openToOthers(): string[] {
    const inside = readdirSync(this.at(), { recursive: true, encoding: "utf8" }).sort();
    return ["", ...inside].filter(
      (file) => ((statSync(this.at(file), { throwIfNoEntry: false })?.mode ?? 0) & 0o077) !== 0,
    );
  }
}
