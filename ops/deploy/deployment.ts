import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Cluster } from "../../cluster/model";
import { DEPLOY_VARIABLE } from "../../consul/contract";
import { deployFileText } from "../../rollout/deploy-file";
import { locationsOf } from "../project/locations";
import { exitCodeOfSignal, handleSignals } from "../signals";
import { count } from "../terminal/format";
import type { Terminal } from "../terminal/terminal";
import { Application } from "../terraform/apply";
import { applyLine } from "../terraform/apply-lines";
import { operationsAtOnce, stacksAtOnce } from "../terraform/parallelism";
import { withPlanFolder } from "../terraform/plan-folder";
import type { Stack } from "../terraform/synth";
import { isApproved, whyNobodyIsAsked } from "./approval";
import type { DeployResult, Failure } from "./events";
import { heldLocks } from "./held-locks";
import { LogFile } from "./log-file";
import { hasChanges, type PlannedStack } from "./planned-stacks";
import { makePlans, type PlanJob, planFile, whyNotApplied } from "./plans";
import { Progress } from "./progress";
import type { Report } from "./report";
import { inStackOrder, type StackResult } from "./stack-order";

export interface DeploymentOptions {
  readonly autoApprove?: boolean;
  /** Stacks at the same time. */
  readonly parallelism?: number;
  /** Operations at the same time in a stack. */
  readonly terraformParallelism?: number;
}

/** What is to be planned and applied. */
export interface Job extends PlanJob {
  /** The cluster file. */
  readonly file: string;
  readonly cluster: Cluster;
  /** Stacks that are skipped, with their hosts. */
  readonly skippedStacks?: ReadonlyMap<string, readonly string[]>;
  /** Nothing of the cluster was deployed before. */
  readonly isFirst?: boolean;
  /** Variables of Terraform's apply, beside those of this process. */
  readonly env?: NodeJS.ProcessEnv;
}

/** npm passes Ctrl-C on to a command that has received it already: a second signal within this time is the same one. */
const SAME_SIGNAL_MS = 1000;

/**
 * Plans stacks, asks once for all of them, and applies exactly these plans.
 * @returns the exit code
 * @throws when nothing was changed
 */
export const planAndApply = (
  job: Job,
  options: DeploymentOptions,
  report: Report,
  terminal: Terminal,
): Promise<number> =>
  withPlanFolder(async (folder) => {
    const unasked = options.autoApprove ? undefined : whyNobodyIsAsked(job.command);
    if (unasked !== undefined) throw new Error(unasked);
    terminal.log(`planning ${count(job.stacks.length, "stack")}`);
    const planned = await makePlans(job, folder, stacksInParallel(job, options));
    show(job, planned, report);
    report.take({ event: "approved", by: await approval(job, planned, options, terminal) });
    return new Deployment(job, options, report, terminal, folder).apply(planned);
  });

/**
 * Applies plans that were approved when they were made.
 * @param folder of the plans, for this user alone
 * @returns the exit code
 * @throws when nothing was changed
 */
export function applyApproved(
  job: Job,
  planned: readonly PlannedStack[],
  folder: string,
  options: DeploymentOptions,
  report: Report,
  terminal: Terminal,
): Promise<number> {
  show(job, planned, report);
  report.take({ event: "approved", by: "saved plan" });
  return new Deployment(job, options, report, terminal, folder).apply(planned, { saved: true });
}

/** @throws when the plans must not be applied */
function show({ command, file, stacks, skippedStacks }: Job, planned: readonly PlannedStack[], report: Report): void {
  const skipped = Object.fromEntries(skippedStacks ?? []);
  report.take({ event: "plan", command, file, stacks: planned, skipped });
  const reasons = whyNotApplied(stacks, planned);
  if (reasons.length > 0) throw new Error(`nothing was changed\n${reasons.join("\n")}`);
}

/** @throws when the plans are not approved */
async function approval(
  { command, stacks }: Job,
  planned: readonly PlannedStack[],
  { autoApprove }: DeploymentOptions,
  terminal: Terminal,
): Promise<"no changes" | "option" | "answer"> {
  if (!planned.some(hasChanges)) return "no changes";
  if (autoApprove) return "option";
  const question = `${command === "deploy" ? "Deploy" : "Destroy"} ${stacks.map(({ name }) => name).join(", ")}?`;
  if (!(await isApproved(question, terminal))) throw new Error("not approved; nothing was changed");
  return "answer";
}

const stacksInParallel = ({ stacks }: Job, { parallelism }: DeploymentOptions): number =>
  parallelism ?? stacksAtOnce(stacks);

class Deployment {
  private readonly running = new Set<Application>();
  private interruptions = 0;
  private lastSignal: { readonly name: NodeJS.Signals; readonly at: number } | undefined;
  /** While it is there, agents may be stopped. */
  private readonly permit: string;

  constructor(
    private readonly job: Job,
    private readonly options: DeploymentOptions,
    private readonly report: Report,
    private readonly terminal: Terminal,
    /** Of this run, for this user alone. */
    private readonly folder: string,
  ) {
    this.permit = join(folder, "deploying");
  }

  /** @param about further fields of the summary */
  async apply(planned: readonly PlannedStack[], about: { readonly saved?: true } = {}): Promise<number> {
    const { command, stacks, cluster } = this.job;
    const begun = Date.now();
    const log = new LogFile(cluster, command, Date.now);
    const progress = new Progress(planned, (event) => this.report.take(event), Date.now);
    writeFileSync(this.permit, deployFileText(process.pid));
    const stopHandling = handleSignals((signal) => this.signalled(signal));
    // A terminal that is closed, or a reader that has ended, must not end the deploy.
    const ignore = () => undefined;
    const outputs = [this.terminal.stdout, this.terminal.stderr];
    for (const output of outputs) output.on("error", ignore);
    this.report.begin(progress);
    let results: ReadonlyMap<string, StackResult>;
    try {
      const order = {
        atOnce: stacksInParallel(this.job, this.options),
        reverse: command === "destroy",
        goOn: () => this.interruptions === 0,
      };
      results = await inStackOrder(stacks, order, (stack) => this.applyStack(stack, progress, log));
    } finally {
      this.report.end();
      stopHandling();
      for (const output of outputs) output.off("error", ignore);
    }
    const isDone = [...results.values()].every((result) => result === "done");
    const result = isDone ? "done" : this.lastSignal ? "interrupted" : "failed";
    this.report.take({
      event: "summary",
      command,
      result,
      seconds: Math.round((Date.now() - begun) / 1000),
      failures: isDone ? [] : [...progress.failures, ...unexplained(results, progress.failures)],
      untouched: isDone ? [] : progress.untouched,
      unfinished: isDone ? [] : progress.unfinished,
      ...(this.interruptions > 1 ? { locks: await this.locks() } : {}),
      ...about,
      ...(isDone && this.job.isFirst ? { locations: locationsOf(this.job.cluster, true) } : {}),
      log: log.path,
    });
    return this.exitCodeOf(result);
  }

  private async locks(): Promise<readonly string[]> {
    this.terminal.log("inspecting what is still locked");
    return heldLocks(this.job.cluster, this.job.stacks);
  }

  private exitCodeOf(result: DeployResult): number {
    if (result === "interrupted" && this.lastSignal) return exitCodeOfSignal(this.lastSignal.name);
    return result === "done" ? 0 : 1;
  }

  private async applyStack(stack: Stack, progress: Progress, log: LogFile): Promise<boolean> {
    const { name, folder } = stack;
    this.report.take({ event: "stack", stack: name, state: "started" });
    const application = new Application({
      folder,
      plan: planFile(this.folder, name),
      output: join(this.folder, `${name}.output`),
      parallelism: this.options.terraformParallelism ?? operationsAtOnce(this.job.stacks),
      env: { [DEPLOY_VARIABLE]: this.permit, ...this.job.env },
      onLine: (text) => {
        const line = applyLine(text);
        log.write(name, line.text);
        progress.take(name, line);
      },
    });
    this.running.add(application);
    const exitCode = await application.ended().finally(() => this.running.delete(application));
    this.report.take({ event: "stack", stack: name, state: exitCode === 0 ? "done" : "failed" });
    return exitCode === 0;
  }

  /** The first signal stops in good order, a second one interrupts Terraform. */
  private signalled(signal: NodeJS.Signals): void {
    const at = Date.now();
    if (this.lastSignal && at - this.lastSignal.at < SAME_SIGNAL_MS) return;
    this.lastSignal = { name: signal, at };
    this.interruptions += 1;
    if (this.interruptions > 2) return;
    rmSync(this.permit, { force: true });
    if (this.interruptions === 2) for (const application of this.running) application.interrupt();
    this.report.take({ event: "interrupted", signal, times: this.interruptions });
  }
}

/** Stacks that failed without a reason in Terraform's output. */
const unexplained = (results: ReadonlyMap<string, StackResult>, failures: readonly Failure[]): Failure[] =>
  [...results]
    .filter(([name, result]) => result === "failed" && !failures.some(({ stack }) => stack === name))
    .map(([stack]) => ({ stack, reason: "Terraform has failed; its output is in the log" }));
