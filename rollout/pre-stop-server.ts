import { type Clock, Stopwatch } from "./clock";
import type { ConsulApi } from "./consul-api";
import { isSame, lockText, MAINTENANCE_HINT } from "./holder";
import { POLL } from "./limits";
import { acquireLock, releaseLock, untilLockChanges } from "./lock";
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
   * To which of these, host:port each, a connection can be made from where it runs. Nothing is sent, so that nobody has
   * anything to log.
   */
  connects(addresses: readonly string[]): Promise<ReadonlySet<string>>;
}

/**
 * Autopilot looks every 2 s (server_health_interval): one look could be older than what happened last. Three are 2 s
 * apart.
 */
const LOOKS = 3;

/**
 * May a server be stopped? Yes, when it holds the deploy lock and the healthy voters without it are still a quorum: at
 * once when all of them are healthy, and after `seconds` when some are not. And when its stop takes nothing away: it is
 * down, no voter, or the only server.
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
  let looks = 0;
  let pause = (): Promise<void> => clock.sleep(POLL);
  /** One look at the cluster; it says how long to pause before the next. */
  const lookOnce = async (): Promise<Outcome | "waiting"> => {
    const look = new Stopwatch(clock);
    pause = () => clock.sleep(POLL);
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

    const held = await acquireLock(api, stop);
    if (!held) {
      looks = 0;
      return waiting.untold("this server does not tell who holds the deploy lock");
    }
    waiting.answered();
    if (!isSame(held, stop)) {
      const holder = held.owner;
      looks = 0;
      pause = () => (holder ? untilLockChanges(held, api, clock) : look.until(1));
      if (holder) waiting.forOwners([holder], () => `waiting: ${lockText(held)}`);
      else waiting.for("the deploy lock cannot be acquired: the KV store rejects the entry");
      if (!waiting.reached(turn)) return "waiting";
      return holder
        ? deny(
            waiting.reason,
            held.maintenance === undefined
              ? `fix ${holder} first: its readiness check releases the lock when it is a voter. ` +
                  "If no deploy replaces it: npm run doctor -- --fix"
              : MAINTENANCE_HINT,
          )
        : deny(waiting.reason, "allow its own host to write to the KV store: allow_write_http_from, limits");
    }
    const others = await othersOf(health, node, asked);
    // A server that leaves is not counted afterwards; one that is replaced still has its vote.
    const counted = purpose === "leave" ? voters.length - 1 : voters.length;
    const quorum = Math.floor(counted / 2) + 1;
    const unhealthy = [
      ...others.unhealthy,
      ...(voters.length < servers ? [`${servers - voters.length} of ${servers} servers, which are no voters yet`] : []),
    ];
    if (others.healthy < quorum) {
      looks = 0;
      waiting.for(
        `only ${others.healthy} of ${voters.length} voters would be healthy without it, ${quorum} are needed; ` +
          `not healthy: ${unhealthy.join(", ")}`,
        { anew: true },
      );
      if (!waiting.reached(seconds)) return "waiting";
      await releaseLock(api, stop);
      return deny(waiting.reason, "bring those back first, or give up the quorum with CONSUL_ALLOW_QUORUM_LOSS=yes");
    }
    // With five servers one unhealthy server leaves a quorum without another; but what heals soon is better waited for.
    if (unhealthy.length > 0)
      waiting.for(
        `waiting a while for ${unhealthy.join(", ")}, ` +
          `though ${others.healthy} of ${voters.length} voters are healthy without it`,
        { anew: true },
      );
    looks = unhealthy.length === 0 || waiting.reached(seconds) ? looks + 1 : 0;
    if (looks > 0) pause = () => look.until(1);
    if (looks >= LOOKS)
      return allow(`${others.healthy} of ${voters.length} voters are healthy without it, ${quorum} are needed`);
    return "waiting";
  };
  return waiting.until(lookOnce, () => pause());
}

/** What the server is whose stop costs no vote; undefined for one whose vote counts. */
async function takesNothingAway(
  health: readonly ServerHealth[],
  node: string,
  { connects }: AskedServer,
): Promise<string | undefined> {
  const own = health.find(({ Name }) => Name === node);
  if (!own) return "no server of this cluster";
  if (!own.Voter) return "no voter";
  // Gossip may have lost it while Raft still has it.
  return own.SerfStatus === "alive" || (await connects([own.Address])).has(own.Address) ? undefined : own.SerfStatus;
}

/**
 * The other voters: how many are healthy, and which are not. One that is cut off from the network counts as unhealthy
 * at once: it is seconds until gossip and autopilot notice.
 */
async function othersOf(health: readonly ServerHealth[], node: string, { connects }: AskedServer) {
  const others = health.filter(({ Name, Voter }) => Voter && Name !== node);
  const seemHealthy = others.filter(({ Healthy, SerfStatus }) => Healthy && SerfStatus === "alive");
  const reached = await connects(seemHealthy.map(({ Address }) => Address));
  const unhealthy = others.flatMap((other) => {
    if (!seemHealthy.includes(other)) return [`${other.Name} (${other.SerfStatus})`];
    return reached.has(other.Address) ? [] : [`${other.Name} (unreachable at ${other.Address})`];
  });
  return { healthy: others.length - unhealthy.length, unhealthy };
}
