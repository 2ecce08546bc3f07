import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { folder, PROJECT } from "../cluster-files";

export interface ScriptRun {
  readonly args?: readonly string[];
  readonly input?: string | Buffer;
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * A container for a script of ops/, which is run as it ships, but for its absolute paths: they are in a folder. Programs
 * of the container have stand-ins, and the end-to-end tests use the real ones.
 */
export class ContainerScript {
  readonly root = folder();
  private readonly script: string;

  /** @param paths beginnings of absolute paths in the script */
  constructor(file: string, paths: readonly string[]) {
    const text = readFileSync(join(PROJECT, "ops", file), "utf8");
    this.script = paths.reduce((script, path) => script.replaceAll(path, `${this.root}${path}`), text);
    for (const path of [...paths, "/bin/"]) mkdirSync(join(this.root, path), { recursive: true });
  }

  /** A stand-in for a program, which logs its arguments first. */
  program(name: string, body: string): this {
    const file = join(this.root, "bin", name);
    writeFileSync(file, `#!/bin/sh\necho "${name} $*" >>'${this.root}/calls'\n${body}\n`);
    chmodSync(file, 0o755);
    return this;
  }

  write(path: string, text: string): this {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), text);
    return this;
  }

  read(path: string): string {
    return readFileSync(join(this.root, path), "utf8");
  }

  run(run: ScriptRun = {}): SpawnSyncReturns<string> {
    return this.spawn(run, "utf8");
  }

  /** For a script whose output is no text. */
  runForBytes(run: ScriptRun = {}): SpawnSyncReturns<Buffer> {
    return this.spawn(run, "buffer");
  }

  /** Arguments of the stand-ins, without the folder of this container. */
  calls(): string[] {
    if (!existsSync(join(this.root, "calls"))) return [];
    return this.read("calls").replaceAll(this.root, "").trim().split("\n");
  }

  private spawn<Output>({ args = [], input = "", env }: ScriptRun, encoding: string): SpawnSyncReturns<Output> {
    return spawnSync("/bin/sh", ["-c", this.script, "sh", ...args], {
      input,
      encoding: encoding as "utf8",
      timeout: 20_000,
      env: { PATH: `${join(this.root, "bin")}:${process.env.PATH}`, ...env },
    }) as unknown as SpawnSyncReturns<Output>;
  }
}
