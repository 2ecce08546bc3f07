import { MAINTENANCE_NOTES } from "../consul/contract";
import { type Clock, Stopwatch } from "./clock";
import { type Authority, answerTo, type ConsulApi, ContainerUnreachable, read } from "./consul-api";
import { containerState } from "./container-state";
import { isSame } from "./holder";
import { transferLeadership } from "./leadership";
import { SECOND } from "./limits";
import { acquireLock, releaseLock } from "./lock";
import { allow, deny, type Log, type Outcome, unknown, Waiting } from "./outcome";
import { leads, serverHealth } from "./queries";
import type { BeginMaintenanceRequest, EndMaintenanceRequest } from "./request";
import { acquireSlot, releaseSlot } from "./slots";
import { holderIn, type StopTools, whenAllowed } from "./stop-check";

/** The agent on the host. */
export interface MaintainedAgent {
  readonly api: ConsulApi;
  /** The agent's own token, which may write its node; nobody's without security. */
  ownToken(): Promise<Authority>;
}

export interface MaintenanceTools extends StopTools {
  readonly own: MaintainedAgent;
}

/** A health check of a node or of a service on it (developer.hashicorp.com/consul/api-docs/health). */
interface NodeCheck {
  readonly CheckID: string;
  readonly Notes: string;
}

/** The check that Consul's maintenance mode adds to a node (structs.NodeMaint, hashicorp/consul). */
const NODE_MAINTENANCE = "_node_maintenance";
const AGAIN = "run the command again, which goes on; or give up: npm run maintain -- HOST --end";

/**
 * Takes an agent out of use before its host goes down: the check that a deploy makes before it stops the agent, then
 * the lock or the slot, which stays, leadership goes to another server, and Consul's maintenance mode takes the node's
 * services out of DNS and health queries. Nothing is stopped: the host does that, and Docker starts again what ran.
 */
export async function beginMaintenance(request: BeginMaintenanceRequest, tools: MaintenanceTools): Promise<Outcome> {
  const state = await containerState(tools.docker, request.target.container);
  if (state.kind === "deny") return state;
  if (state.kind !== "running")
    return deny("its container does not run, so there is nothing to hand over", "npm run doctor shows why it is down");
  return whenAllowed(request, tools, async () => {
    const held = await tools.ask(({ api }) => hold(request, api));
    return held.kind === "allow" ? stepAside(request, tools) : held;
  });
}

/** The check allows a server that takes nothing away without the lock: the maintenance needs it all the same. */
async function hold(request: BeginMaintenanceRequest, api: ConsulApi): Promise<Outcome> {
  const { role, node, limit } = request;
  const holder = holderIn(request);
  if (role === "client") {
    const { kind } = await acquireSlot(api, holder, { node, limit });
    if (kind === "acquired") return allow("it has its rollout slot");
    return kind === "unknown"
      ? unknown("this agent does not list the rollout slots")
      : deny("its rollout slot is not free", AGAIN);
  }
  const held = await acquireLock(api, holder);
  if (!held) return unknown("this server does not tell who holds the deploy lock");
  return isSame(held, holder) ? allow("it has the deploy lock") : deny("the deploy lock is not free", AGAIN);
}

/** What has been acquired stays: the command goes on when it is run again, and `--end` gives it up. */
async function stepAside(request: BeginMaintenanceRequest, tools: MaintenanceTools): Promise<Outcome> {
  try {
    return await handOver(request, tools);
  } catch (error) {
    if (error instanceof ContainerUnreachable) return deny(error.message, AGAIN);
    throw error;
  }
}

async function handOver({ node, seconds, reason }: BeginMaintenanceRequest, tools: MaintenanceTools): Promise<Outcome> {
  const { own, clock, log } = tools;
  if (await leads(own.api)) {
    log(`${node}: handing leadership over`);
    if (!(await transferLeadership(own.api, clock)))
      log(`${node}: no other server leads yet; it hands over again when it is stopped`);
  }
  const late = await switchMode({ node, seconds, enable: true, reason }, own, clock, log);
  return late ?? allow("its host may go down");
}

/** Ends a maintenance whose agent is ready again. An agent that is not in maintenance stays as it is. */
export async function endMaintenance(
  { owner, role, node, seconds }: EndMaintenanceRequest,
  own: MaintainedAgent,
  clock: Clock,
  log: Log,
): Promise<Outcome> {
  const { api } = own;
  const late = role === "server" ? await untilHealthy({ node, seconds }, api, clock, log) : undefined;
  if (late) return late;
  const listed = await maintenanceCheck(api, node);
  if (listed === undefined) return unknown("this agent does not list its node's checks");
  // A node that somebody else has put into maintenance mode stays in it.
  if (listed?.Notes.startsWith(MAINTENANCE_NOTES)) {
    const kept = await switchMode({ node, seconds, enable: false, reason: "" }, own, clock, log);
    if (kept) return kept;
  }
  // Of whatever time it is.
  const holder = { owner, maintenance: 1 };
  const released = role === "server" ? await releaseLock(api, holder) : await releaseSlot(api, holder);
  return released
    ? allow("ready, and in maintenance no more")
    : unknown("this agent does not release the lock of the maintenance");
}

interface Switch {
  readonly node: string;
  readonly seconds: number;
  readonly enable: boolean;
  /** For an operator who sees the mode. */
  readonly reason: string;
}

/**
 * Turns Consul's maintenance mode on or off, and waits until the catalog follows: DNS and health queries answer by it.
 * An agent that has just started accepts no token yet, so a refusal is tried again.
 */
async function switchMode(
  { node, seconds, enable, reason }: Switch,
  own: MaintainedAgent,
  clock: Clock,
  log: Log,
): Promise<Outcome | undefined> {
  const { api } = own;
  const query = enable ? `enable=true&reason=${encodeURIComponent(MAINTENANCE_NOTES + reason)}` : "enable=false";
  const request = { method: "PUT", path: `/v1/agent/maintenance?${query}`, authority: await own.ownToken() } as const;
  let isSwitched = false;
  return untilTrue({ node, seconds }, clock, log, async () => {
    if (!isSwitched) {
      const answer = await answerTo(api, request);
      const refusal = answer ? `${answer.status} ${answer.body}`.trim() : "its agent is unreachable";
      if (answer?.status !== 200)
        return `Consul's maintenance mode cannot be turned ${enable ? "on" : "off"}: ${refusal}`;
      isSwitched = true;
    }
    const listed = await maintenanceCheck(api, node);
    return listed !== undefined && (listed !== null) === enable
      ? undefined
      : "the catalog does not follow its maintenance mode";
  });
}

/** The check of Consul's maintenance mode, as the catalog has it: null if there is none, undefined if nobody tells. */
async function maintenanceCheck(api: ConsulApi, node: string): Promise<NodeCheck | null | undefined> {
  const checks = await read<readonly NodeCheck[]>(api, `/v1/health/node/${node}?consistent`);
  return checks && (checks.find(({ CheckID }) => CheckID === NODE_MAINTENANCE) ?? null);
}

/** Waits until autopilot reports a server as healthy: it has caught up with the leader. */
const untilHealthy = (
  { node, seconds }: Pick<Switch, "node" | "seconds">,
  api: ConsulApi,
  clock: Clock,
  log: Log,
): Promise<Outcome | undefined> =>
  untilTrue({ node, seconds }, clock, log, async () => {
    const own = (await serverHealth(api))?.find(({ Name }) => Name === node);
    return own?.Healthy && own.SerfStatus === "alive" ? undefined : "autopilot does not report it as healthy";
  });

/** @param missing what is not true yet */
async function untilTrue(
  { node, seconds }: Pick<Switch, "node" | "seconds">,
  clock: Clock,
  log: Log,
  missing: () => Promise<string | undefined>,
): Promise<Outcome | undefined> {
  const waiting = new Waiting(node, clock, log);
  const begun = new Stopwatch(clock);
  for (;;) {
    const reason = await missing();
    if (reason === undefined) return undefined;
    if (begun.reached(seconds)) return deny(`${reason}, for ${seconds} s`, AGAIN);
    waiting.for(`waiting: ${reason}`);
    await clock.sleep(SECOND);
  }
}
