import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Cluster } from "../../cluster/model";

/** The folder of a cluster's logs on this machine, relative to the project. */
export const logFolder = ({ name }: Pick<Cluster, "name">): string => join("logs", name);

/** Everything that Terraform prints in one deploy. Only this user can read it. */
export class LogFile {
  readonly path: string;

  constructor(
    cluster: Pick<Cluster, "name">,
    command: "deploy" | "destroy",
    private readonly now: () => number,
  ) {
    const folder = logFolder(cluster);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    // Projects that were made by an earlier version do not ignore it.
    writeFileSync(join("logs", ".gitignore"), "*\n");
    const time = new Date(now()).toISOString().replace(/[:.]/g, "");
    this.path = join(folder, `${command}-${time}.log`);
    writeFileSync(this.path, "", { flag: "wx", mode: 0o600 });
  }

  write(stack: string, text: string): void {
    const time = new Date(this.now()).toISOString();
    const lines = text.split("\n").map((line) => `${time} ${stack}: ${line}\n`);
    appendFileSync(this.path, lines.join(""));
  }
}
