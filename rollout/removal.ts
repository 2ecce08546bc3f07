import { type Clock, Stopwatch } from "./clock";
import { answerTo, type ConsulApi } from "./consul-api";
import { LEADERLESS_SECONDS, SECOND } from "./limits";
import { releaseLock } from "./lock";
import { allow, deny, type Log, type Outcome, unknown, Waiting } from "./outcome";
import { ALIVE, FAILED, LEAVING, leader, members, raftServers } from "./queries";
import { releaseSlot } from "./slots";

export interface Removal {
  /** The agent's Terraform id. */
  readonly owner: string;
  /** The node that was stopped for good. */
  readonly node: string;
  /** Seconds until it has to be gone. */
  readonly seconds: number;
}

/** A peer whom the leader's gossip does not know (OperatorRaftGetConfiguration, hashicorp/consul). */
const UNNAMED = "(unknown)";
/** By then a leader that has just started knows the names. A peer that is no member any more has none. */
const NAMED_SECONDS = 8;

/** Why an agent is not gone yet. */
interface Obstacle {
  readonly reason: string;
  /** This server does not tell; another may know more. */
  readonly isUntold?: true;
}

const NO_LEADER: Obstacle = { reason: "waiting for a leader", isUntold: true };

/**
 * Waits, by a server that stays, until an agent that was stopped for good is neither a member nor in Raft, and takes it
 * out where it did not leave by itself. Then it releases the deploy lock or the rollout slot that the stop acquired.
 */
export function removal(wanted: Removal, api: ConsulApi, clock: Clock, log: Log): Promise<Outcome> {
  const { owner, node } = wanted;
  return untilGone(
    wanted,
    async (begun) =>
      (await memberObstacle(node, api)) ??
      (await voteObstacle(node, api, begun)) ??
      ((await isReleased(owner, api)) ? undefined : NO_LEADER),
    clock,
    log,
  );
}

/**
 * Takes the vote of a server that does not leave by itself, before it is stopped: stopped with its vote, it would count
 * as a server that is down, and its stop was allowed as that of one that leaves.
 */
export const removalOfVote = (
  wanted: Omit<Removal, "owner">,
  api: ConsulApi,
  clock: Clock,
  log: Log,
): Promise<Outcome> => untilGone(wanted, (begun) => voteObstacle(wanted.node, api, begun), clock, log);

async function untilGone(
  { node, seconds }: Omit<Removal, "owner">,
  obstacle: (begun: Stopwatch) => Promise<Obstacle | undefined>,
  clock: Clock,
  log: Log,
): Promise<Outcome> {
  const waiting = new Waiting(node, clock, log);
  const begun = new Stopwatch(clock);
  for (; !begun.reached(seconds); await clock.sleep(SECOND)) {
    const found = await obstacle(begun);
    if (!found) return allow("it has left");
    waiting.for(found.reason);
    if (found.isUntold && waiting.reached(LEADERLESS_SECONDS)) return unknown(found.reason);
  }
  return deny(`it has not left after ${seconds} s: ${waiting.reason}`, "look at the log of a server, and deploy again");
}

async function memberObstacle(node: string, api: ConsulApi): Promise<Obstacle | undefined> {
  const all = await members(api);
  if (!all) return { reason: "this server does not list the members", isUntold: true };
  const status = all.find(({ Name }) => Name === node)?.Status ?? 0;
  if (status === ALIVE || status === LEAVING) return { reason: "waiting until it is no member" };
  if (status !== FAILED) return undefined;
  await answerTo(api, { method: "PUT", path: `/v1/agent/force-leave/${node}` });
  return { reason: "it did not leave by itself: removed from the members" };
}

/** @param begun when it was looked at first */
async function voteObstacle(node: string, api: ConsulApi, begun: Stopwatch): Promise<Obstacle | undefined> {
  const raft = await raftServers(api);
  if (!raft) return NO_LEADER;
  if (raft.some(({ Node }) => Node === UNNAMED) && !begun.reached(NAMED_SECONDS))
    return { reason: "waiting until the leader knows the names of all servers" };
  const peer = raft.find((server) => server.Node === node);
  if (!peer) return undefined;
  await answerTo(api, { method: "DELETE", path: `/v1/operator/raft/peer?id=${peer.ID}` });
  return { reason: "it did not leave by itself: removed from Raft" };
}

const isReleased = async (owner: string, api: ConsulApi): Promise<boolean> =>
  (await leader(api)) !== undefined && (await releaseLock(api, { owner })) && (await releaseSlot(api, { owner }));
