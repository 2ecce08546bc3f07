import { setTimeout as pause } from "node:timers/promises";
import type { AgentDescription, Cluster } from "../../cluster/model";
import type { ConsulApi } from "../../rollout/consul-api";
import { EXTRA_SECONDS } from "../../rollout/limits";
import { formatAnswer, replyTo } from "../../rollout/reconcile/changes";
import { type HealthProblem, healthProblem } from "../inspect/health-problem";
import { type Inspection, inspect } from "../inspect/inspection";
import { type LockEntry, whyStale } from "../inspect/locks";
import type { StateResource } from "../terraform/state";

/** A server that has passed its pre-stop check remains ready for a moment. */
const PAUSE_SECONDS = 10;

/** The stale locks of a cluster. A lock that seems stale is checked again after a pause. */
export async function staleLocks(
  cluster: Cluster,
  resources: readonly StateResource[],
  first: Inspection,
  log: (line: string) => void,
): Promise<HealthProblem[]> {
  const suspects = first.locks.filter((entry) => whyStale(entry, first.agents, cluster.agents));
  if (suspects.length === 0) return [];
  log(`a lock seems to be stale: checking again in ${PAUSE_SECONDS} s`);
  await pause(PAUSE_SECONDS * 1000);
  return confirmedStale(suspects, await inspect(cluster, resources), cluster.agents);
}

/** The suspects that a second inspection finds unchanged, and stale again. */
export function confirmedStale(
  suspects: readonly LockEntry[],
  second: Inspection,
  agents: readonly AgentDescription[],
): HealthProblem[] {
  return second.locks.flatMap((lock) => {
    const why = whyStale(lock, second.agents, agents);
    if (!why || !suspects.some(({ key, index }) => key === lock.key && index === lock.index)) return [];
    return [
      healthProblem({
        code: "stale-lock",
        host: second.agents.find(({ agent }) => agent.name === lock.owner)?.agent.host.name,
        agent: lock.owner,
        message: `${lock.key} is still held for it, and ${why}`,
        hint: `consul kv delete ${lock.key}`,
        fix: "release-lock",
        lock,
      }),
    ];
  });
}

/**
 * Deletes a lock, only if no other deploy has acquired it in the meantime.
 * @returns why it was not deleted; undefined when it was
 */
export async function deleteLock(api: ConsulApi, { key, index }: LockEntry): Promise<string | undefined> {
  const path = `/v1/kv/${key}?cas=${index}`;
  const answer = await replyTo(api, { method: "DELETE", path, waitSeconds: EXTRA_SECONDS });
  if (answer.status !== 200) return formatAnswer(answer);
  return answer.body.trim() === "true" ? undefined : "it has been acquired again";
}
