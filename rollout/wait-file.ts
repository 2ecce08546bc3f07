import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { WaitRecord } from "./outcome";
import type { Role } from "./request";

/** What the last check at the head of a role's queue waited for: a file in the folder of a Terraform run. */
export class WaitFile implements WaitRecord {
  private readonly file: string;

  /** @param run the run's folder */
  constructor(
    run: string,
    role: Role,
    private readonly own = process.pid,
    private readonly now: () => number = Date.now,
  ) {
    this.file = join(run, `wait.${role}`);
  }

  /** A check that asks several agents gives each its time: what it waited for itself does not count. */
  lasted(reason: string): number {
    const [since, pid, ...words] = this.text().split(" ");
    if (words.join(" ") !== reason || Number(pid) === this.own) return 0;
    // The clock may have been set back.
    return Math.max(0, this.now() - Number(since));
  }

  begin(reason: string): void {
    mkdirSync(dirname(this.file), { recursive: true });
    writeFileSync(this.file, `${this.now()} ${this.own} ${reason}`);
  }

  /** The check was allowed: the next one waits for something else. */
  forget(): void {
    rmSync(this.file, { force: true });
  }

  private text(): string {
    try {
      return readFileSync(this.file, "utf8");
    } catch {
      return "";
    }
  }
}
