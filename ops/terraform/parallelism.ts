import type { Stack } from "./synth";

/** Memory of a provider process, of which each host has one, and of Terraform itself (measured). */
const HOST_MB = 12;
const TERRAFORM_MB = 60;
/** Memory of this machine that a command may use. */
export const BUDGET_MB = 1500;

/** The default number of stacks at the same time: as many of the largest as fit into 1.5 GB, which is four of 25 hosts. */
export function stacksAtOnce(stacks: readonly Stack[]): number {
  const hosts = Math.max(0, ...stacks.map(({ json }) => json.provider?.docker?.length ?? 0));
  return Math.max(1, Math.floor(BUDGET_MB / (TERRAFORM_MB + HOST_MB * hosts)));
}

/** Terraform's own default, and how many more for each container of the largest stack. */
export const OPERATIONS = { least: 10, perContainer: 2 } as const;

/**
 * The default number of operations at the same time in a stack. A pre-stop check that waits for another agent holds a
 * slot, and that agent needs slots too.
 */
export function operationsAtOnce(stacks: readonly Stack[]): number {
  const containers = stacks.map(({ json }) => Object.keys(json.resource?.docker_container ?? {}).length);
  return OPERATIONS.least + OPERATIONS.perContainer * Math.max(0, ...containers);
}
