import { join } from "node:path";
import { parallel } from "../parallel";
import { planTo, readPlan } from "../terraform/plan";
import type { Stack } from "../terraform/synth";
import type { DeployCommand } from "./events";
import { hasChanges, isKnown, type PlannedStack, planStack } from "./planned-stacks";
import { staleReaders } from "./stale-readers";

/** What is to be planned. */
export interface PlanJob {
  readonly command: DeployCommand;
  /** As they are in cdktf.out. */
  readonly stacks: readonly Stack[];
  /** By stack: the addresses to plan for, if not all. */
  readonly targets?: ReadonlyMap<string, readonly string[]>;
  /** By stack: the hosts that are skipped. */
  readonly skippedHosts?: ReadonlyMap<string, readonly string[]>;
}

/** The file of a stack's plan in a folder of plans. */
export const planFile = (folder: string, stack: string): string => join(folder, `${stack}.plan`);

/** Plans every stack into a file of a folder that only this user can open. */
export const makePlans = (job: PlanJob, folder: string, atOnce: number): Promise<PlannedStack[]> =>
  ofEach(job, atOnce, (stack) => {
    const options = { targets: job.targets?.get(stack.name), destroy: job.command === "destroy" };
    return planTo(planFile(folder, stack.name), stack.folder, options);
  });

/** Reads the plans that makePlans has made, here or elsewhere. */
export const readPlans = (job: PlanJob, folder: string, atOnce: number): Promise<PlannedStack[]> =>
  ofEach(job, atOnce, (stack) => readPlan(planFile(folder, stack.name), stack.folder));

const ofEach = (
  { stacks, skippedHosts }: PlanJob,
  atOnce: number,
  plan: (stack: Stack) => ReturnType<typeof readPlan>,
): Promise<PlannedStack[]> =>
  parallel(stacks, atOnce, (stack) => planStack(stack, skippedHosts?.get(stack.name) ?? [], () => plan(stack)));

/** Why plans must not be applied. */
export function whyNotApplied(stacks: readonly Stack[], planned: readonly PlannedStack[]): string[] {
  const changing = planned.filter(hasChanges).map(({ stack }) => stack);
  const stale = staleReaders(stacks, changing);
  if (stale.length > 0) return stale;
  return planned.filter((stack) => !isKnown(stack)).map(({ stack }) => `stack ${stack} cannot be planned`);
}
