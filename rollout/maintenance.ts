import { MAINTENANCE_NOTES } from "../consul/contract";
import { type Clock, Stopwatch } from "./clock";
import { type Authority, answerTo, type ConsulApi, read } from "./consul-api";
import { containerState } from "./container-state";
import { isSame } from "./holder";
import { transferLeadership } from "./leadership";
import { SECOND } from "./limits";
import { acquireLock, releaseLock } from "./lock";
import { allow, deny, type Log, type Outcome, unknown, Waiting } from "./outcome";
import { agentSelf, serverHealth } from "./queries";
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
    const { kind } = await acquireSlot(api, holder, node, limit);
    if (kind === "acquired") return allow("it has its rollout slot");
    return kind === "unknown"
      ? unknown("this agent does not list the rollout slots")
      : deny("its rollout slot is not free", AGAIN);
  }
  const held = await acquireLock(api, holder);
  if (!held) return unknown("this server does not tell who holds the deploy lock");
  return isSame(held, holder) ? allow("it has the deploy lock") : deny("the deploy lock is not free", AGAIN);
}

async function stepAside({ node, seconds, reason }: BeginMaintenanceRequest, tools: MaintenanceTools) {
  const { own, clock, log } = tools;
  if ((await agentSelf(own.api))?.Stats.raft?.state === "Leader") {
    log(`${node}: handing leadership over`);
    if (!(await transferLeadership(own.api, clock)))
      log(`${node}: no other server leads yet; it hands over again when it is stopped`);
  }
  const path = `/v1/agent/maintenance?enable=true&reason=${encodeURIComponent(MAINTENANCE_NOTES + reason)}`;
  const refused = await switched(own, path);
  if (refused) return deny(`Consul's maintenance mode cannot be turned on: ${refused}`, AGAIN);
  const late = await untilListed(own.api, node, true, seconds, clock, log);
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
  const late = role === "server" ? await untilHealthy(api, node, seconds, clock, log) : undefined;
  if (late) return late;
  const listed = await maintenanceCheck(api, node);
  if (listed === undefined) return unknown("this agent does not list its node's checks");
  // A node that somebody else has put into maintenance mode stays in it.
  if (listed?.Notes.startsWith(MAINTENANCE_NOTES)) {
    const refused = await switched(own, "/v1/agent/maintenance?enable=false");
    if (refused) return deny(`Consul's maintenance mode cannot be turned off: ${refused}`, AGAIN);
    const kept = await untilListed(api, node, false, seconds, clock, log);
    if (kept) return kept;
  }
  // Of whatever time it is.
  const holder = { owner, maintenance: 1 };
  const released = role === "server" ? await releaseLock(api, holder) : await releaseSlot(api, holder);
  return released ? allow("in use again") : unknown("this agent does not release the lock of the maintenance");
}

/** @returns why Consul refused it */
async function switched(own: MaintainedAgent, path: string): Promise<string | undefined> {
  const answer = await answerTo(own.api, { method: "PUT", path, authority: await own.ownToken() });
  if (answer?.status === 200) return undefined;
  return answer ? `${answer.status} ${answer.body}`.trim() : "its agent is unreachable";
}

/** The check of Consul's maintenance mode, as the catalog has it: null if there is none, undefined if nobody tells. */
async function maintenanceCheck(api: ConsulApi, node: string): Promise<NodeCheck | null | undefined> {
  const checks = await read<readonly NodeCheck[]>(api, `/v1/health/node/${node}?consistent`);
  return checks && (checks.find(({ CheckID }) => CheckID === NODE_MAINTENANCE) ?? null);
}

/** Waits until the catalog has the maintenance mode, or has it no longer: DNS and health queries answer by it. */
async function untilListed(
  api: ConsulApi,
  node: string,
  wanted: boolean,
  seconds: number,
  clock: Clock,
  log: Log,
): Promise<Outcome | undefined> {
  const waiting = new Waiting(node, clock, log);
  const begun = new Stopwatch(clock);
  for (;;) {
    const listed = await maintenanceCheck(api, node);
    if (listed !== undefined && (listed !== null) === wanted) return undefined;
    if (begun.reached(seconds)) return deny(`the catalog does not follow its maintenance mode for ${seconds} s`, AGAIN);
    waiting.for("waiting until the catalog follows its maintenance mode");
    await clock.sleep(SECOND);
  }
}

/** Waits until autopilot reports a server as healthy: it has caught up with the leader. */
async function untilHealthy(
  api: ConsulApi,
  node: string,
  seconds: number,
  clock: Clock,
  log: Log,
): Promise<Outcome | undefined> {
  const waiting = new Waiting(node, clock, log);
  const begun = new Stopwatch(clock);
  for (;;) {
    const own = (await serverHealth(api))?.find(({ Name }) => Name === node);
    if (own?.Healthy && own.SerfStatus === "alive") return undefined;
    if (begun.reached(seconds)) return deny(`autopilot does not report it as healthy for ${seconds} s`, AGAIN);
    waiting.for("waiting until autopilot reports it as healthy");
    await clock.sleep(SECOND);
  }
}
