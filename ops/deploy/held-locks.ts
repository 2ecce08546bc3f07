import type { Cluster } from "../../cluster/model";
import { inspect } from "../inspect/inspection";
import { runningDeploys } from "../terraform/running-deploys";
import { readResources } from "../terraform/state";
import type { Stack } from "../terraform/synth";

/** What is locked now, with what to do: the deploy lock, rollout slots, Terraform states. */
export async function heldLocks(cluster: Cluster, stacks: readonly Stack[]): Promise<string[]> {
  try {
    return await find(cluster, stacks);
  } catch (error) {
    return [`unknown: ${(error as Error).message}; npm run doctor inspects it`];
  }
}

async function find(cluster: Cluster, stacks: readonly Stack[]): Promise<string[]> {
  const states = await runningDeploys(stacks);
  const { locks } = await inspect(cluster, await readResources(stacks));
  return [
    ...states.map((stack) => `the Terraform state of stack ${stack}`),
    ...locks.map(({ key, owner, maintenance }) =>
      maintenance === undefined
        ? `${key}, for ${owner}: npm run deploy completes it, or npm run doctor -- --fix`
        : `${key}, for the maintenance of the host of ${owner}: npm run maintain -- HOST --end`,
    ),
  ];
}
