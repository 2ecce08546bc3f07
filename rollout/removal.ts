import { type Clock, Stopwatch } from "./clock";
import { answerTo, type ConsulApi } from "./consul-api";
import { LEADERLESS_SECONDS, SECOND } from "./limits";
import { releaseLock } from "./lock";
import { allow, deny, type Log, type Outcome, unknown, Waiting } from "./outcome";
import { ALIVE, leader, members, raftServers } from "./queries";
import { releaseSlot } from "./slots";

export interface Removal {
  /** The agent's Terraform id. */
  readonly owner: string;
  /** The node that was stopped for good. */
  readonly node: string;
  /** Seconds until it has to be gone. */
  readonly seconds: number;
}

/** leaving 2, left 3, failed 4 (hashicorp/serf, MemberStatus). */
const LEAVING = 2;
const FAILED = 4;
/** A peer whom the leader's gossip does not know (OperatorRaftGetConfiguration, hashicorp/consul). */
const UNNAMED = "(unknown)";
/** By then a leader that has just started knows the names. A peer that is no member any more has none. */
const NAMED_SECONDS = 8;

/**
 * Waits, by a server that stays, until an agent that was stopped for good is neither a member nor in Raft, and takes it
 * out where it did not leave by itself. Then it releases the deploy lock or the rollout slot that the stop acquired.
 */
export async function removal(
  { owner, node, seconds }: Removal,
  api: ConsulApi,
  clock: Clock,
  log: Log,
): Promise<Outcome> {
  const waiting = new Waiting(node, clock, log);
  const begun = new Stopwatch(clock);
  for (; !begun.reached(seconds); await clock.sleep(SECOND)) {
    const all = await members(api);
    if (!all) {
      waiting.for("this server does not list the members");
      if (waiting.reached(LEADERLESS_SECONDS)) return unknown(waiting.reason);
      continue;
    }
    const status = all.find(({ Name }) => Name === node)?.Status ?? 0;
    if (status === ALIVE || status === LEAVING) {
      waiting.for("waiting until it is no member");
      continue;
    }
    if (status === FAILED) {
      waiting.for("it did not leave by itself: removed from the members");
      await answerTo(api, { method: "PUT", path: `/v1/agent/force-leave/${node}` });
      continue;
    }
    const raft = await raftServers(api);
    if (raft?.some(({ Node }) => Node === UNNAMED) && !begun.reached(NAMED_SECONDS)) {
      waiting.for("waiting until the leader knows the names of all servers");
      continue;
    }
    const peer = raft?.find((server) => server.Node === node);
    if (peer) {
      waiting.for("it did not leave by itself: removed from Raft");
      await answerTo(api, { method: "DELETE", path: `/v1/operator/raft/peer?id=${peer.ID}` });
    } else if (
      raft &&
      (await leader(api)) !== undefined &&
      (await releaseLock(api, { owner })) &&
      (await releaseSlot(api, { owner }))
    ) {
      return allow("it has left");
    } else {
      waiting.for("waiting for a leader");
      if (waiting.reached(LEADERLESS_SECONDS)) return unknown(waiting.reason);
    }
  }
  return deny(`it has not left after ${seconds} s: ${waiting.reason}`, "look at the log of a server, and deploy again");
}
