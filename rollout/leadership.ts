import { type Clock, Stopwatch } from "./clock";
import { type Authority, answerTo, type ConsulApi } from "./consul-api";
import { EXTRA_SECONDS, LEADERLESS_SECONDS } from "./limits";
import { leader } from "./queries";

const POLL_MS = 200;

/**
 * Makes the leader transfer its leadership, and waits until another server leads, for as long as an election takes.
 * Otherwise users would wait for an election when the leader stops. Consul has this operation since 1.15; an older leader
 * keeps its leadership, and so does a server alone.
 * @param api of any server
 * @returns whether another server is seen to lead
 */
export async function transferLeadership(api: ConsulApi, clock: Clock, authority?: Authority): Promise<boolean> {
  const before = await leader(api);
  const path = "/v1/operator/raft/transfer-leader";
  const answer = await answerTo(api, { method: "POST", path, authority, waitSeconds: EXTRA_SECONDS });
  // Without an answer, it may have transferred it all the same.
  if (before === undefined || (answer && answer.status !== 200)) return false;
  const begun = new Stopwatch(clock);
  for (; !begun.reached(LEADERLESS_SECONDS); await clock.sleep(POLL_MS)) {
    const now = await leader(api);
    if (now !== undefined && now !== before) return true;
  }
  return false;
}
