import type { Stack } from "./synth";

/** Measured: a provider process a host, and Terraform itself. */
const HOST_MB = 12;
const TERRAFORM_MB = 60;
/** What a command takes of the machine's memory by default. */
const BUDGET_MB = 1500;

/** How many stacks at once, unless told otherwise: as many of the largest as 1.5 GB hold, which is four of 25 hosts. */
export function stacksAtOnce(stacks: readonly Stack[]): number {
  const hosts = Math.max(0, ...stacks.map(({ json }) => json.provider?.docker?.length ?? 0));
  return Math.max(1, Math.floor(BUDGET_MB / (TERRAFORM_MB + HOST_MB * hosts)));
}

/**
 * How many operations Terraform runs at once in a stack, unless told otherwise: a question that waits for another agent holds a slot, and the
 * agent that it waits for needs some too. Terraform's own default is 10.
 */
export function operationsAtOnce(stacks: readonly Stack[]): number {
  return 10 + 2 * Math.max(0, ...stacks.map(({ json }) => Object.keys(json.resource?.docker_container ?? {}).length));
}
