import type { Clock } from "./clock";
import { answerTo, type ConsulApi } from "./consul-api";
import { SECOND } from "./limits";

/** Seconds of a blocking query: a check looks at everything else after that too. */
const WAIT_SECONDS = 1;
/** Milliseconds. An agent that cannot wait, without a leader for example, answers at once. */
const LEAST_PAUSE = 100;

/**
 * Waits until an answer changes, but no longer than about a second.
 * @param path of an answer that Consul gives an index, with its query: `/v1/kv/key?consistent`
 * @param index of the answer that is known; 0 if it had none
 * @see developer.hashicorp.com/consul/api-docs/features/blocking
 */
export async function untilChange(path: string, index: number, api: ConsulApi, clock: Clock): Promise<void> {
  // With index 0, Consul does not wait.
  if (index === 0) return clock.sleep(SECOND);
  const pause = clock.sleep(LEAST_PAUSE);
  const waiting = `${path}&index=${index}&wait=${WAIT_SECONDS}s`;
  await answerTo(api, { method: "GET", path: waiting, waitSeconds: WAIT_SECONDS });
  await pause;
}
