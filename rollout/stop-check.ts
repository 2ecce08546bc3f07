import { USER_VARIABLES } from "../consul/contract";
import type { Clock } from "./clock";
import type { ConsulApi } from "./consul-api";
import type { Docker } from "./docker";
import type { DockerInTurn } from "./docker-in-turn";
import type { Holder } from "./holder";
import { releaseLock } from "./lock";
import { allow, type Log, type Meanwhile, type Outcome, unknown } from "./outcome";
import type { TerraformRun } from "./parallelism";
import { preStopClient } from "./pre-stop-client";
import { type AskedServer, preStopServer } from "./pre-stop-server";
import type { Queue } from "./queue";
import type { BeginMaintenanceRequest, DecommissionRequest, ReplaceRequest } from "./request";
import { releaseSlot } from "./slots";
import type { Stop } from "./stop";
import { WaitFile } from "./wait-file";

/**
 * Asks agents, one after the other, until one knows the answer or time is up. Time counts from the program's start, as
 * a check in a queue has waited already; each agent is asked once at least.
 */
export type Ask = (decide: (asked: AskedServer) => Promise<Outcome>) => Promise<Outcome>;

/** What the operator has consented to, for all containers. */
export interface Consent {
  /** Stops without a check: CONSUL_ALLOW_QUORUM_LOSS. */
  readonly quorumLoss: boolean;
  /** Any version of Consul: CONSUL_ALLOW_DOWNGRADE. */
  readonly downgrade: boolean;
}

export const consentIn = (env: NodeJS.ProcessEnv): Consent => ({
  quorumLoss: Boolean(env[USER_VARIABLES.allowQuorumLoss]),
  downgrade: Boolean(env[USER_VARIABLES.allowDowngrade]),
});

export interface StopTools {
  /** The container's daemon. */
  readonly docker: Docker;
  /** The same, for what all checks of a run begin with. */
  readonly dockerInTurn: DockerInTurn;
  /** Asks the agent itself first, then the cluster's other servers. */
  readonly ask: Ask;
  readonly run: TerraformRun;
  /** The queue of the agent's role in this run. */
  readonly queue: Queue;
  /** The servers' queue in this run. */
  readonly servers: Queue;
  readonly clock: Clock;
  readonly log: Log;
}

export type StopRequest = ReplaceRequest | DecommissionRequest | BeginMaintenanceRequest;

/** How many checks of client agents may ask the cluster at the same time: each holds a docker CLI and a connection. */
const MOST_CLIENT_CHECKS = 8;

/**
 * How many checks of a role may ask the cluster at the same time. Client agents may be replaced several at a time, so
 * that one's looks at the cluster need not end before the next one's begin.
 */
export const checksAtOnce = ({ role, limit }: Pick<StopRequest, "role" | "limit">): number =>
  role === "server" ? 1 : Math.min(limit, MOST_CLIENT_CHECKS);

/**
 * Carries out a stop if the check of the cluster allows it: when Terraform has an operation left, and this check is at
 * the head of its role's queue, and an agent allows it. The head of the client agents' queue has several places.
 * @param stop `undo` is for a stop that cannot be carried out
 * @param meanwhile @default whoever started the run may end it
 */
export async function whenAllowed(
  request: StopRequest,
  tools: StopTools,
  stop: (allowed: Outcome, undo: () => Promise<void>) => Promise<Outcome>,
  meanwhile: Meanwhile = { ended: () => tools.run.ended(), isUndecided: () => false },
): Promise<Outcome> {
  const { owner } = request;
  const denial = meanwhile.ended() ?? tools.run.reserve(owner);
  if (denial) return denial;
  try {
    const claim = new Claim(request);
    const outcome = await askInQueue(request, tools, claim, meanwhile);
    if (outcome.kind !== "allow") return outcome;
    const end = meanwhile.ended();
    if (!end) return await stop(outcome, () => undo(claim, tools.ask));
    await undo(claim, tools.ask);
    return end;
  } finally {
    tools.run.release(owner);
  }
}

async function askInQueue(
  request: StopRequest,
  tools: StopTools,
  claim: Claim,
  meanwhile: Meanwhile,
): Promise<Outcome> {
  const { ask, queue, servers, run, clock } = tools;
  const { owner, role } = request;
  const waits = new WaitFile(run, meanwhile);
  const isEnded = () => meanwhile.ended() !== undefined;
  try {
    await queue.turn(clock, () => waits.isCalled(owner) || isEnded());
    // Servers go first, and each is in its queue since its check began.
    if (role === "client") await servers.whenEmpty(clock, isEnded);
    const end = meanwhile.ended();
    if (end) return end;
    // Where no agent decides, none has been asked to release anything.
    let isReleased = false;
    const outcome = await ask(async (asked) => {
      const answer = await decide(request, asked, claim, tools, waits);
      if (answer.kind === "deny") isReleased = await claim.release(asked.api);
      return answer;
    });
    if (outcome.kind === "allow") waits.forget();
    else if (!isReleased) await undo(claim, ask);
    return outcome;
  } finally {
    await queue.leave();
  }
}

function decide(
  request: StopRequest,
  asked: AskedServer,
  claim: Claim,
  { servers, clock, log }: StopTools,
  waits: WaitFile,
): Promise<Outcome> {
  const { role, node, limit, seconds } = request;
  const begin = () => {
    claim.isOwn = true;
  };
  const letServersPass = () => servers.whenEmpty(clock, () => waits.ended() !== undefined);
  const stop = { ...holderIn(request), node, seconds, begin, ...purposeOf(request) };
  return role === "server"
    ? preStopServer({ ...stop, servers: limit }, asked, clock, log, waits)
    : preStopClient({ ...stop, limit, letServersPass }, asked.api, clock, log, waits);
}

/** Under which name a request acquires the lock or a slot. */
export const holderIn = (request: StopRequest): Holder => {
  const { owner } = request;
  return request.step === "begin-maintenance" ? { owner, maintenance: request.since } : { owner };
};

/** Without a next container, there is no stage that would count. */
function purposeOf(request: StopRequest): Pick<Stop, "purpose" | "stage"> {
  if (request.step === "pre-stop") return { purpose: "replace", stage: request.next.stage };
  return { purpose: request.step === "decommission" ? "leave" : "maintain", stage: "off" };
}

async function undo(claim: Claim, ask: Ask): Promise<void> {
  if (claim.isOwn)
    await ask(async ({ api }) =>
      (await claim.release(api)) ? allow("released") : unknown("what the check acquired is not released"),
    );
}

/**
 * The deploy lock or rollout slot of a check. A check that is denied releases what it has acquired itself. Its agent
 * goes on as before, so nothing is being replaced, and a lock that stayed would block all other servers until the next
 * deploy of this one, or `doctor --fix`. The next server's check judges the quorum anew, so no two can be down. What the
 * owner had before the check stays: an earlier deploy left it for an agent that is not ready.
 *
 * A check that is denied has the lock if the quorum would be lost, or an earlier look acquired it, and members of a
 * distant stage came since, or other voters went; if its next container is rejected meanwhile; and after an answer that
 * allowed a stop which then cannot be carried out.
 */
class Claim {
  /** Whether this check itself acquires what its owner has; the owner may have nothing yet. */
  isOwn = false;

  constructor(private readonly request: StopRequest) {}

  /** @returns whether the owner has it no longer, or keeps what it had before */
  async release(api: ConsulApi): Promise<boolean> {
    if (!this.isOwn) return true;
    const holder = holderIn(this.request);
    return this.request.role === "server" ? releaseLock(api, holder) : releaseSlot(api, holder);
  }
}
