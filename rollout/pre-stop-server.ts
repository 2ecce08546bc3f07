import { type Clock, Stopwatch } from "./clock";
import type { ConsulApi } from "./consul-api";
import { isSame, lockText, MAINTENANCE_HINT, REJECTED_HINT } from "./holder";
import { POLL, SECOND } from "./limits";
import { acquireLock, renewLock, untilLockChanges } from "./lock";
import { allow, deny, type Log, type Outcome, unknown, Waiting, type WaitRecord } from "./outcome";
import { peers, type ServerHealth, serverHealth } from "./queries";
import { stageObstacle } from "./security-compat";
import type { Stop } from "./stop";

export interface ServerStop extends Stop {
  /** How many servers the cluster is to have. */
  readonly servers: number;
}

/** The agent that is asked. */
export interface AskedServer {
  readonly api: ConsulApi;
  /** Whether it is the server that would be stopped. */
  readonly isOwn: boolean;
  /**
   * Which of these, host:port each, take a connection from where it runs, and end it when they see that nothing is sent.
   * So nobody has anything to log, and an agent that hangs is none of them.
   */
  connects(addresses: readonly string[]): Promise<ReadonlySet<string>>;
}

/**
 * Seconds in which a server that works has answered autopilot: it asks all every 2 s (server_health_interval), and waits
 * 1 s for their answers (raft-autopilot, gatherNextStateInputs).
 */
const AUTOPILOT_SECONDS = 5;
/** How often autopilot is asked for what it has found, in milliseconds. */
const AUTOPILOT_POLL = 50;

/**
 * An entry that the check has written. A server that tells autopilot an index as high has answered after it, and has
 * stored it. Without that, its health may be of any age: autopilot keeps the last answer of a server that gives none, so
 * that one that hangs stays healthy until gossip has lost it (raft-autopilot, buildServerState).
 */
interface Mark {
  readonly index: number;
  readonly since: Stopwatch;
}

/**
 * May a server be stopped? Yes, when it holds the deploy lock and the healthy voters without it are still a quorum: at
 * once when all of them are healthy, and after `seconds` when some are not. Each of them has to have answered autopilot
 * since it found too few healthy. And when its stop takes nothing away: it is down, no voter, or the only server.
 */
export async function preStopServer(
  stop: ServerStop,
  asked: AskedServer,
  clock: Clock,
  log: Log,
  record?: WaitRecord,
): Promise<Outcome> {
  const { node, purpose, servers, seconds } = stop;
  const { api } = asked;
  const waiting = new Waiting(node, clock, log, record);
  // Who holds the lock has as long for its own check, and again for its readiness.
  const turn = 2 * seconds + 30;
  let mark: Mark | undefined;
  /** An earlier one, or the same, until it is so old that who has not answered after it hangs, or falls behind. */
  let ageing: Mark | undefined;
  /** The index of the last one that was as old. */
  let overdue = 0;
  /** Since when it has the lock. */
  let holding: Stopwatch | undefined;
  let pause = (): Promise<void> => clock.sleep(POLL);
  /** Since when the KV store has rejected the lock; in between it may wait for something else. */
  let refused: Stopwatch | undefined;
  const rejected = (): Outcome | "waiting" => {
    pause = () => clock.sleep(SECOND);
    waiting.for("the deploy lock cannot be acquired: the KV store rejects the entry");
    refused ??= new Stopwatch(clock);
    if (!refused.reached(turn)) return "waiting";
    return deny(waiting.reason, REJECTED_HINT);
  };
  /** One look at the cluster; it says how long to pause before the next. */
  const lookOnce = async (): Promise<Outcome | "waiting"> => {
    pause = () => clock.sleep(POLL);
    // Only a look that comes so far as to ask what they prove keeps them.
    const known = { mark, ageing };
    mark = undefined;
    ageing = undefined;
    const raft = await peers(api);
    // Without a leader it answers this too.
    if (!raft) return waiting.untold("this server's API gives no answer");
    if (raft.length === 0)
      return asked.isOwn
        ? allow("it has never been part of a cluster")
        : unknown("this server has never been part of a cluster");
    const health = await serverHealth(api);
    const voters = health?.filter(({ Voter }) => Voter) ?? [];
    if (!health || voters.length === 0) return waiting.untold("this server knows no leader, or gave no answer");
    if (isUnnamed(health, node)) return waiting.untold("the leader does not know the names of all servers yet");
    const spare = await takesNothingAway(health, node, asked);
    if (spare) return allow(`it is ${spare}`);
    const obstacle = await stageObstacle(stop, api, waiting);
    if (obstacle) return obstacle;
    if (voters.length === 1 && purpose === "leave")
      return deny(
        "it is the only voter, and the cluster would end with it",
        "add other servers first; to end the cluster: npm run destroy",
      );
    if (voters.length === 1 && servers === 1)
      return allow("it is the only server. There is no leader until it is back");

    const held = await acquireLock(api, stop, stop.begin);
    if (!held) return waiting.untold("this server does not tell who holds the deploy lock");
    waiting.answered();
    if (held.owner === "") return rejected();
    if (!isSame(held, stop)) {
      pause = () => untilLockChanges(held, api, clock);
      waiting.forOwners([held.owner], () => `waiting: ${lockText(held)}`);
      if (!waiting.reached(turn)) return "waiting";
      return deny(
        waiting.reason,
        held.maintenance === undefined
          ? `fix ${held.owner} first: its readiness check releases the lock when it is a voter. ` +
              "If no deploy replaces it: npm run doctor -- --fix"
          : MAINTENANCE_HINT,
      );
    }
    const since = new Stopwatch(clock);
    // While its next container is tried, answers become old.
    const recent = known.mark?.since.reached(AUTOPILOT_SECONDS) ? undefined : known.mark;
    const index = recent?.index ?? (await renewLock(api, held));
    if (index === undefined) return rejected();
    refused = undefined;
    holding ??= since;
    // Faults that take turns begin to be waited for anew, again and again.
    const isLate = holding.reached(turn);
    pause = () => untilAutopilotChanges(health, api, clock);
    mark = recent ?? { index, since };
    ageing = known.ageing ?? mark;
    if (ageing.since.reached(AUTOPILOT_SECONDS)) {
      overdue = ageing.index;
      ageing = undefined;
    }
    const hasAnswered = ({ LastIndex }: ServerHealth) => LastIndex >= index;
    const others = await othersOf(health, node, asked, overdue);
    const healthy = others.healthy.length;
    // A server that leaves is not counted afterwards; one that is replaced still has its vote.
    const counted = purpose === "leave" ? voters.length - 1 : voters.length;
    const quorum = Math.floor(counted / 2) + 1;
    const unhealthy = [
      ...others.unhealthy,
      ...(voters.length < servers ? [`${servers - voters.length} of ${servers} servers, which are no voters yet`] : []),
    ];
    // What autopilot has just found, its next look has to find anew.
    if (unhealthy.length > 0 && health.some(hasAnswered)) mark = undefined;
    if (healthy < quorum) {
      waiting.for(
        `only ${healthy} of ${voters.length} voters would be healthy without it, ${quorum} are needed; ` +
          `not healthy: ${unhealthy.join(", ")}`,
        { anew: true },
      );
      if (!waiting.reached(seconds) && !isLate) return "waiting";
      return deny(waiting.reason, "bring those back first, or give up the quorum with CONSUL_ALLOW_QUORUM_LOSS=yes");
    }
    // With five servers one unhealthy server leaves a quorum without another; but what heals soon is better waited for.
    if (unhealthy.length > 0) {
      waiting.for(
        `waiting a while for ${unhealthy.join(", ")}, ` +
          `though ${healthy} of ${voters.length} voters are healthy without it`,
        { anew: true },
      );
      if (!waiting.reached(seconds) && !isLate) return "waiting";
    }
    if (others.healthy.every(hasAnswered))
      return allow(`${healthy} of ${voters.length} voters are healthy without it, ${quorum} are needed`);
    if (!isLate) return "waiting";
    return deny(
      `${healthy} of ${voters.length} voters are healthy now and then, but have not all answered autopilot within ${AUTOPILOT_SECONDS} s, for ${turn} s`,
      "look at the logs of the other servers",
    );
  };
  return waiting.until(lookOnce, () => pause());
}

/**
 * Waits until autopilot tells something else, or for a second. It has no blocking query. It is asked often, because the
 * rest of a look takes longer: a program in the container tries the other servers' ports.
 */
async function untilAutopilotChanges(known: readonly ServerHealth[], api: ConsulApi, clock: Clock): Promise<void> {
  const look = new Stopwatch(clock);
  const before = findings(known);
  for (let now = before; now === before && !look.reached(1); ) {
    await clock.sleep(AUTOPILOT_POLL);
    now = findings((await serverHealth(api)) ?? []);
  }
}

/** What autopilot has found, whatever the order in which it lists the servers. */
const findings = (servers: readonly ServerHealth[]): string =>
  servers
    .map(({ Name, Healthy, SerfStatus, LastIndex }) => [Name, Healthy, SerfStatus, LastIndex].join(" "))
    .sort()
    .join();

/**
 * Whether a server may be in the list without its name. A server whose agent has just started has the others from Raft's
 * log, without names, until gossip knows them and its autopilot has looked again, up to 3 s later; and it may lead before
 * that (raft-autopilot, buildServerState; Consul starts autopilot on every server).
 */
const isUnnamed = (health: readonly ServerHealth[], node: string): boolean =>
  health.every(({ Name }) => Name !== node) && health.some(({ Name }) => Name === "");

/** What the server is whose stop costs no vote; undefined for one whose vote counts. */
async function takesNothingAway(
  health: readonly ServerHealth[],
  node: string,
  { connects }: AskedServer,
): Promise<string | undefined> {
  // One that has lost its data may still have its former entry, under another ID.
  const own = health.filter(({ Name }) => Name === node);
  if (own.length === 0) return "no server of this cluster";
  const voters = own.filter(({ Voter }) => Voter);
  const [first] = voters;
  if (!first) return "no voter";
  // Gossip may have lost it while Raft still has it.
  const reached = await connects(voters.map(({ Address }) => Address));
  const isUp = voters.some(({ SerfStatus, Address }) => SerfStatus === "alive" || reached.has(Address));
  return isUp ? undefined : first.SerfStatus;
}

/**
 * The other voters: which are healthy, and why the others are not. One that is cut off from the network counts as
 * unhealthy at once: it is seconds until gossip and autopilot notice.
 */
async function othersOf(
  health: readonly ServerHealth[],
  node: string,
  { connects }: AskedServer,
  overdue: number,
): Promise<{ healthy: readonly ServerHealth[]; unhealthy: readonly string[] }> {
  const others = health.filter(({ Name, Voter }) => Voter && Name !== node);
  const isAlive = ({ Healthy, SerfStatus }: ServerHealth) => Healthy && SerfStatus === "alive";
  const reached = await connects(others.filter(isAlive).map(({ Address }) => Address));
  const faultOf = (server: ServerHealth): string | undefined => {
    if (!isAlive(server)) return server.SerfStatus;
    if (!reached.has(server.Address)) return `unreachable at ${server.Address}`;
    return server.LastIndex < overdue ? "hangs, or falls behind" : undefined;
  };
  const judged = others.map((server) => ({ server, fault: faultOf(server) }));
  return {
    healthy: judged.flatMap(({ server, fault }) => (fault === undefined ? [server] : [])),
    unhealthy: judged.flatMap(({ server, fault }) =>
      fault === undefined ? [] : [`${server.Name || server.Address} (${fault})`],
    ),
  };
}
