import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Cluster } from "../../../cluster/model";
import { checkSecrets } from "../../../ops/secrets/check";
import { SecretsFolder } from "../../../ops/secrets/folder";
import { initialize } from "../../../ops/secrets/initialize";
import { clusterFile, FOUR_HOSTS, folder, load } from "../../cluster-files";

export const DAY_MS = 24 * 60 * 60 * 1000;
export const daysAgo = (days: number): Date => new Date(Date.now() - days * DAY_MS);

/** A cluster file and its secrets folder. */
export class ClusterSecrets {
  readonly path = join(folder(), "secrets");
  readonly secrets = new SecretsFolder(this.path);

  /** @param text with `security: off`, which is replaced by the folder */
  constructor(readonly text = FOUR_HOSTS) {}

  /** The cluster of a changed cluster file, with the same secrets. */
  cluster(change: (text: string) => string = (text) => text): Cluster {
    return load(this.written(change));
  }

  /** Path of a new cluster file. */
  file(): string {
    return clusterFile(this.written());
  }

  /** The cluster file's text. */
  written(change: (text: string) => string = (text) => text): string {
    return change(this.text).replace("security: off", `security: { secrets: ${this.path} }`);
  }

  /** Copies another one's secrets, which is faster than creating them. From Node 22 on, cpSync loses the modes of folders. */
  copy(other: ClusterSecrets): this {
    execFileSync("cp", ["-a", other.path, this.path]);
    return this;
  }

  init(now?: Date) {
    return initialize(this.cluster(), this.secrets, {}, now);
  }

  read(file: string): string {
    return readFileSync(join(this.path, file), "utf8");
  }

  json(file: string) {
    return JSON.parse(this.read(file));
  }

  /** Edits a file. */
  change(file: string, change: (content: string) => string): void {
    writeFileSync(join(this.path, file), change(existsSync(join(this.path, file)) ? this.read(file) : ""));
  }

  /** Every file with its mode, time and content. */
  everything(): Record<string, string> {
    const files = readdirSync(this.path, { recursive: true, encoding: "utf8" }).sort();
    return Object.fromEntries(
      files.map((file) => {
        const { mode, mtimeNs } = statSync(join(this.path, file), { bigint: true });
        const isFolder = statSync(join(this.path, file)).isDirectory();
        return [file, `${mode.toString(8)} ${mtimeNs} ${isFolder ? "" : this.read(file)}`];
      }),
    );
  }

  /** The problems, as `severity file: message`. */
  found(cluster = this.cluster(), now?: Date): string[] {
    return checkSecrets(cluster, now).map(
      ({ severity, location: { file }, message }) => `${severity} ${file.slice(this.path.length + 1)}: ${message}`,
    );
  }
}
