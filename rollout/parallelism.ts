import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deniedByEnd } from "./deploy-file";
import { type Denial, deny } from "./outcome";
import type { Processes } from "./processes";

const DEFAULT_PARALLELISM = 10;

/** A flag begins a word: the path of a plan file may contain the same text. */
const FLAG = /(?<![^\s"'])--?parallelism[= ](\d+)/g;

/**
 * How many operations Terraform runs in parallel. Its command line wins over TF_CLI_ARGS_*, which win over TF_CLI_ARGS;
 * the last of several flags wins.
 */
export function parallelism(commandLine: string, env: NodeJS.ProcessEnv): number {
  for (const words of [commandLine, env.TF_CLI_ARGS_apply, env.TF_CLI_ARGS_destroy, env.TF_CLI_ARGS]) {
    const [, count] = [...(words ?? "").matchAll(FLAG)].at(-1) ?? [];
    if (count !== undefined) return Number(count);
  }
  return DEFAULT_PARALLELISM;
}

const WAITING = "asking.";
const STOPPED = "stopped.";

/**
 * Pre-stop checks of one Terraform run. Terraform runs a limited number of operations in parallel, in order of arrival,
 * and a check that waits is one of them. If all operations were such checks, a stopped agent could not be started, and
 * the checks would wait for it. So a check that would be the last operation is denied.
 *
 * Each check has a file in a folder of its run, in Terraform's data folder. Programs of other versions write the same
 * files.
 */
export class TerraformRun {
  /** The run's folder. */
  readonly folder: string;
  private readonly runs: string;

  /**
   * @param terraform the process id of Terraform
   * @param env Terraform's environment
   */
  constructor(
    private readonly terraform: number,
    private readonly env: NodeJS.ProcessEnv,
    private readonly processes: Processes,
    /** The process id of this check. */
    readonly own = process.pid,
  ) {
    this.runs = join(env.TF_DATA_DIR || ".terraform", "questions");
    this.folder = join(this.runs, String(terraform));
  }

  /**
   * Registers a check, or denies the stop. Two checks that come in the same millisecond may both get the last but one
   * operation: at worst they wait for each other until their time is up, which denies them.
   */
  reserve(owner: string): Denial | undefined {
    this.removeEndedRuns();
    mkdirSync(this.folder, { recursive: true });
    const limit = parallelism(this.processes.commandLine(this.terraform), this.env);
    const stopped = this.checks(STOPPED);
    if (stopped.length > 0 && this.checks(WAITING).filter((other) => this.isWaiting(other)).length >= limit - 1)
      return deny(
        `Terraform's -parallelism is ${limit}, and no operation would be left to start ${stopped.join(" ")}`,
        "deploy again for the rest, or all at once with npm run deploy, " +
          "or cdktf deploy --terraform-parallelism=100",
      );
    writeFileSync(this.file(WAITING, owner), `${this.own}\n`);
    return undefined;
  }

  /** Denies every further stop, if whoever started the run has ended it. */
  ended(): Denial | undefined {
    return deniedByEnd(this.env, this.processes);
  }

  /** The check has ended. */
  release(owner: string): void {
    rmSync(this.file(WAITING, owner), { force: true });
  }

  /** The agent's container may be stopped now. It is not ready until its readiness check says so. */
  recordStop(owner: string): void {
    mkdirSync(this.folder, { recursive: true });
    writeFileSync(this.file(STOPPED, owner), "");
  }

  /** The agent is ready. */
  recordReady(owner: string): void {
    rmSync(this.file(STOPPED, owner), { force: true });
  }

  private isWaiting(owner: string): boolean {
    try {
      return this.processes.isAlive(Number.parseInt(readFileSync(this.file(WAITING, owner), "utf8"), 10));
    } catch {
      // It has just ended.
      return false;
    }
  }

  private removeEndedRuns(): void {
    const runs = existsSync(this.runs) ? readdirSync(this.runs) : [];
    for (const run of runs)
      if (!this.processes.isAlive(Number(run))) rmSync(join(this.runs, run), { recursive: true, force: true });
  }

  private checks(kind: string): readonly string[] {
    const files = readdirSync(this.folder).filter((file) => file.startsWith(kind));
    return files.map((file) => file.slice(kind.length)).sort();
  }

  private file(kind: string, owner: string): string {
    return join(this.folder, kind + owner);
  }
}
