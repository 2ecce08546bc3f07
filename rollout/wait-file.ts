import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Denial, Meanwhile, WaitRecord } from "./outcome";
import type { TerraformRun } from "./parallelism";

/** Characters of a file's name. Owners that begin alike for so long are called together, which harms nobody. */
const MOST_NAME = 200;

/**
 * What the last check at the head of a queue waited for, and whom such a check has called: files in the folder of a
 * Terraform run. Both roles have one record: client agents wait for the deploy lock after servers have, and after those
 * were denied in vain.
 */
export class WaitFile implements WaitRecord {
  private readonly file: string;

  constructor(
    private readonly run: Pick<TerraformRun, "folder" | "own">,
    private readonly meanwhile: Meanwhile,
    private readonly now: () => number = Date.now,
  ) {
    this.file = join(run.folder, "wait");
  }

  ended(): Denial | undefined {
    return this.meanwhile.ended();
  }

  isUndecided(): boolean {
    return this.meanwhile.isUndecided();
  }

  /** A check that asks several agents gives each its time: what it waited for itself does not count. */
  lasted(reason: string): number {
    const [since, pid, ...words] = this.text().split(" ");
    if (words.join(" ") !== reason || Number(pid) === this.run.own) return 0;
    // The clock may have been set back.
    return Math.max(0, this.now() - Number(since));
  }

  begin(reason: string): void {
    mkdirSync(this.run.folder, { recursive: true });
    writeFileSync(this.file, `${this.now()} ${this.run.own} ${reason}`);
  }

  call(owner: string): void {
    mkdirSync(this.run.folder, { recursive: true });
    writeFileSync(this.called(owner), "");
  }

  isCalled(owner: string): boolean {
    return existsSync(this.called(owner));
  }

  /** The check was allowed: the next one waits for something else. */
  forget(): void {
    rmSync(this.file, { force: true });
  }

  /** Whatever anybody has written into the lock is no part of a path. */
  private called(owner: string): string {
    return join(this.run.folder, `called.${Buffer.from(owner).toString("hex").slice(0, MOST_NAME)}`);
  }

  private text(): string {
    try {
      return readFileSync(this.file, "utf8");
    } catch {
      return "";
    }
  }
}
