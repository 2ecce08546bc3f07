import { USER_VARIABLES } from "../consul/contract";
import type { Clock } from "./clock";
import { answerTo, type ConsulApi, ContainerUnreachable } from "./consul-api";
import { containerState } from "./container-state";
import type { Docker } from "./docker";
import { transferLeadership } from "./leadership";
import { allow, type Denial, deny, type Log, type Outcome, unknown } from "./outcome";
import { leads } from "./queries";
import { removal, removalOfVote } from "./removal";
import type { DecommissionRequest } from "./request";
import { releaseSlot } from "./slots";
import { type Ask, type Consent, type StopTools, whenAllowed } from "./stop-check";

export interface DecommissionTools extends StopTools {
  /** The agent itself. */
  readonly own: ConsulApi;
  /** Asks the servers that stay. Its time counts from its call: it is asked after the agent has left. */
  readonly askServers: Ask;
}

/** Consul waits until Raft has removed the agent, then a while for its clients to notice (leave_drain_time, 5 s). */
const LEAVE_SECONDS = 25;
/** Seconds for an agent that has left to end. */
const END_SECONDS = 15;
const STOP_HINT = "check the host and its Docker daemon, and deploy again";

/**
 * Makes an agent leave its cluster before Terraform removes its container, and sees to it that the cluster has removed
 * it. Consent to the loss of the quorum takes it out whatever the check would say.
 */
export async function decommission(
  request: DecommissionRequest,
  consent: Consent,
  tools: DecommissionTools,
): Promise<Outcome> {
  const ended = tools.run.ended();
  if (ended) return ended;
  const { container } = request.target;
  const state = await containerState(tools.docker, container);
  if (state.kind === "deny") return state;
  if (state.kind === "gone") return removed(request, consent, tools);
  if (state.kind === "stopped") {
    // A dead container takes no update, and needs none.
    await keepDown(tools.docker, container);
    return (await stop(tools.docker, container)) ?? removed(request, consent, tools);
  }
  if (consent.quorumLoss) return leave(request, consent, tools, async () => undefined);
  return whenAllowed(
    request,
    tools,
    async (_, undo) => (await unattended(request, tools, undo)) ?? leave(request, consent, tools, undo),
  );
}

/**
 * Why an agent stays whose cluster's servers are all deployed elsewhere: nobody releases afterwards what it has acquired.
 * A client agent releases its slot before it leaves. A server has the deploy lock until its vote is gone.
 */
async function unattended(
  { role, owner, servers }: DecommissionRequest,
  { ask }: DecommissionTools,
  undo: () => Promise<void>,
): Promise<Outcome | undefined> {
  if (servers.length > 0) return undefined;
  if (role === "server") {
    await undo();
    return deny(
      "all servers that stay are deployed elsewhere, and none can see to its removal",
      `decommission it there; or let it leave unchecked, when they are healthy: ${USER_VARIABLES.allowQuorumLoss}=1`,
    );
  }
  const released = await ask(async ({ api }) =>
    (await releaseSlot(api, { owner })) ? allow("released") : unknown("its rollout slot is not released"),
  );
  return released.kind === "allow" ? undefined : released;
}

async function leave(
  request: DecommissionRequest,
  consent: Consent,
  tools: DecommissionTools,
  undo: () => Promise<void>,
): Promise<Outcome> {
  const { docker, own, clock, log } = tools;
  const { container } = request.target;
  const denial = await keepDown(docker, container);
  if (denial) {
    await undo();
    return denial;
  }
  log(`${container}: leaving`);
  await leaveCluster(container, own, clock, log);
  // An agent that does not end by itself is stopped as any other. From here on the lock stays, as it is half gone.
  const { ok } = await docker.run(["wait", container], { seconds: END_SECONDS });
  if (ok) return removed(request, consent, tools);
  const kept = await keptVote(request, consent, tools);
  return kept ?? (await stop(docker, container)) ?? removed(request, consent, tools);
}

/** Docker would start it again, and it would join again. */
async function keepDown(docker: Docker, container: string): Promise<Denial | undefined> {
  const { ok, error } = await docker.run(["update", "--restart=no", container]);
  return ok ? undefined : deny(`its restart policy cannot be changed, and it would join again: ${error}`, STOP_HINT);
}

async function stop(docker: Docker, container: string): Promise<Denial | undefined> {
  const { ok, error } = await docker.run(["stop", "-t", "30", container]);
  // It may have ended meanwhile.
  const state = ok ? undefined : await containerState(docker, container);
  return state?.kind === "running" || state?.kind === "deny"
    ? deny(`its container cannot be stopped: ${error}`, STOP_HINT)
    : undefined;
}

/**
 * A server leaves Raft and gossip, after it has handed leadership over; a client agent leaves gossip, with its services
 * and checks. The agent ends by itself, and may end before it has answered.
 */
async function leaveCluster(container: string, own: ConsulApi, clock: Clock, log: Log): Promise<void> {
  try {
    if (await leads(own)) await transferLeadership(own, clock);
    await answerTo(own, { method: "PUT", path: "/v1/agent/leave", waitSeconds: LEAVE_SECONDS });
  } catch (error) {
    if (!(error instanceof ContainerUnreachable)) throw error;
    log(`${container}: it cannot be asked to leave: ${error.message}`);
  }
}

/** Why an agent that runs on may not be stopped: a server must not take a vote with it. */
async function keptVote(
  { role, node, seconds }: DecommissionRequest,
  { quorumLoss }: Consent,
  { clock, log, askServers }: DecommissionTools,
): Promise<Outcome | undefined> {
  if (role === "client" || quorumLoss) return undefined;
  const outcome = await askServers(({ api }) => removalOfVote({ node, seconds }, api, clock, log));
  return outcome.kind === "allow" ? undefined : outcome;
}

/** Whether the servers that stay have removed it. */
async function removed(request: DecommissionRequest, consent: Consent, tools: DecommissionTools): Promise<Outcome> {
  const { owner, node, seconds, servers } = request;
  const { clock, log, askServers } = tools;
  if (servers.length === 0) return allow("it is stopped, and no server stays");
  const outcome = await askServers(({ api }) => removal({ owner, node, seconds }, api, clock, log));
  if (outcome.kind === "allow" || !consent.quorumLoss) return outcome;
  // The servers that would tell may be stopped too.
  return allow(`it is stopped. It was not seen to be removed: ${outcome.reason}`);
}
