import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CHECKOUT } from "../package/checkout";

const TARBALL = "consul-cdktf.tgz";

/** A project in a git repository, as `init` of the packed npm package makes it, and npm's cache with all of its packages. */
export class PackedProject {
  readonly folder: string;
  readonly cache: string;

  private constructor(root: string) {
    this.folder = join(root, "project");
    this.cache = join(root, "npm-cache");
  }

  /** @param options of `init` */
  static make(root: string, options: readonly string[]): PackedProject {
    const project = new PackedProject(root);
    mkdirSync(project.folder);
    const packed = project
      .run(CHECKOUT, "npm", "pack", "--silent", "--pack-destination", root)
      .trim()
      .split("\n")
      .at(-1);
    copyFileSync(join(root, packed as string), join(project.folder, TARBALL));
    project.here("npx", "--yes", "--package", `./${TARBALL}`, "consul-cdktf", "init", ".", ...options);
    project.here("npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", `./${TARBALL}`);
    project.here("git", "init", "--quiet", "--initial-branch", "main");
    project.commit();
    return project;
  }

  /** Changes the cluster file, and commits it. */
  edit(change: (text: string) => string): void {
    const file = join(this.folder, "cluster.yaml");
    writeFileSync(file, change(readFileSync(file, "utf8")));
    this.commit();
  }

  /** A checkout of what is committed. */
  clone(folder: string): void {
    this.here("git", "clone", "--quiet", ".", folder);
  }

  /** Runs a program on this machine, in the project's folder. */
  here(program: string, ...args: string[]): string {
    return this.run(this.folder, program, ...args);
  }

  private commit(): void {
    this.here("git", "add", "--all");
    const author = ["-c", "user.name=operator", "-c", "user.email=operator@example.com"];
    this.here("git", ...author, "commit", "--quiet", "--message", "Change the cluster");
  }

  private run(cwd: string, program: string, ...args: string[]): string {
    // With addresses in the lock file, as npm writes them by default, `npm ci` needs nothing but the cache.
    const env = {
      ...process.env,
      npm_config_cache: this.cache,
      npm_config_omit_lockfile_registry_resolved: "false",
    };
    return execFileSync(program, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], env });
  }
}
