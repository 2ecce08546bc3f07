import { type Clock, Stopwatch } from "./clock";
import type { ConsulApi } from "./consul-api";
import { holderText, lockText, MAINTENANCE_HINT, REJECTED_HINT } from "./holder";
import { POLL } from "./limits";
import { lockHolder, untilLockChanges } from "./lock";
import { allow, deny, type Log, type Outcome, Waiting, type WaitRecord } from "./outcome";
import { ALIVE, catalogNodes, leader, members } from "./queries";
import { stageObstacle } from "./security-compat";
import { acquireSlot, holdsSlot, untilSlotsChange } from "./slots";
import type { Stop } from "./stop";

export interface ClientStop extends Stop {
  /** How many client agents may be replaced at a time. */
  readonly limit: number;
  /** Waits for the servers' checks of the same run. @returns whether there was one. @default there is none */
  readonly letServersPass?: () => Promise<boolean>;
}

/** Servers go first. Between one and the next the deploy lock is free for a moment. Looks are a second apart. */
const LOOKS = 3;

const REPLACED_HINT =
  "fix those first: a readiness check releases the slot of its agent. " +
  "If no deploy replaces them: npm run doctor -- --fix";

/**
 * May a client agent be stopped? Yes, when it holds a rollout slot and no server is being replaced: a program that
 * loses one agent finds another. And when it is not in the cluster, for then its stop takes nothing away.
 */
export async function preStopClient(
  stop: ClientStop,
  api: ConsulApi,
  clock: Clock,
  log: Log,
  record?: WaitRecord,
): Promise<Outcome> {
  const { node, purpose, limit, seconds } = stop;
  const waiting = new Waiting(node, clock, log, record);
  const turn = 2 * seconds + 30;
  let free = 0;
  let hint = REPLACED_HINT;
  let pause = (): Promise<void> => clock.sleep(POLL);
  /** One look at the cluster; it says how long to pause before the next. */
  const lookOnce = async (): Promise<Outcome | "waiting"> => {
    const look = new Stopwatch(clock);
    pause = () => look.until(1);
    const status = (await leader(api)) === undefined ? undefined : await statusOf(api, node);
    if (status === undefined) {
      pause = () => clock.sleep(POLL);
      return waiting.untold("this agent knows no leader, or does not list the members");
    }
    if (status !== ALIVE) return allow("it is not in the cluster");
    const obstacle = await stageObstacle(stop, api, waiting);
    if (obstacle) return obstacle;
    // Begun again, after it has begun: the lock may be that of a server on the same host.
    if (purpose === "maintain" && (await holdsSlot(api, stop))) return allow("it has its rollout slot");
    const held = await lockHolder(api);
    if (!held) {
      free = 0;
      return waiting.untold("this agent does not tell who holds the deploy lock");
    }
    free = held.owner === "" ? free + 1 : 0;
    if (held.owner !== "") {
      waiting.answered();
      waiting.forOwners([held.owner], () => `waiting: ${lockText(held)}`);
      hint = held.maintenance === undefined ? REPLACED_HINT : MAINTENANCE_HINT;
      pause = () => untilLockChanges(held, api, clock);
    } else if (free < LOOKS) {
      return "waiting";
    } else if (await stop.letServersPass?.()) {
      // Its check began later than this one, and has not acquired the lock yet.
      free = 0;
      return "waiting";
    } else {
      const slot = await acquireSlot(api, stop, stop);
      if (slot.kind === "unknown") return waiting.untold("this agent does not list the rollout slots");
      waiting.answered();
      if (slot.kind === "acquired")
        return allow(`${slot.others} other client agents are being replaced, of at most ${limit} in parallel`);
      if (slot.kind === "busy") {
        const maintained = slot.others.find(({ maintenance }) => maintenance !== undefined);
        waiting.forOwners(
          slot.others.map(({ owner }) => owner),
          (names) => `waiting: ${maintained ? holderText(maintained, "") : `${names} being replaced`}`,
        );
        hint = maintained ? MAINTENANCE_HINT : REPLACED_HINT;
        pause = () => untilSlotsChange(slot.index, api, clock);
      } else {
        waiting.for("its rollout slot cannot be acquired: the KV store rejects the entry");
        hint = REJECTED_HINT;
      }
    }
    if (waiting.reached(turn)) return deny(waiting.reason, hint);
    return "waiting";
  };
  return waiting.until(lookOnce, () => pause());
}

/**
 * Its gossip status; 0 for no member, undefined when the agent does not tell. That it is no member, the catalog has to
 * confirm: a server that has just started lists only those of whom gossip has told it already, and an agent lists none for
 * a token that may not read nodes, as the catalog does too.
 */
async function statusOf(api: ConsulApi, node: string): Promise<number | undefined> {
  const listed = (await members(api))?.find(({ Name }) => Name === node);
  if (listed) return listed.Status;
  const nodes = (await catalogNodes(api)) ?? [];
  return nodes.length > 0 && nodes.every(({ Node }) => Node !== node) ? 0 : undefined;
}
