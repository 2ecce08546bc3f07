import { type Clock, Stopwatch } from "./clock";
import { answerTo, type ConsulApi } from "./consul-api";
import { GRACE_SECONDS } from "./limits";
import { releaseLock } from "./lock";
import { type Log, Waiting } from "./outcome";
import { ALIVE, agentSelf, isServer, leader, type Member, members, peers, raftServers, SELF_PATH } from "./queries";
import { releaseSlot } from "./slots";

export interface Readiness {
  /** Whose lock or slot it releases: the agent's Terraform id. @default nothing is released */
  readonly owner?: string;
  readonly role: "server" | "client";
  readonly node: string;
  /** How many servers the first bootstrap needs. */
  readonly expect: number;
  /** Seconds until it has to be ready. */
  readonly seconds: number;
}

/** The agent that became ready, or did not, and what only its container knows. */
export interface StartedAgent {
  readonly api: ConsulApi;
  /**
   * Whether a client agent was ready before: then it has seen the bootstrap. The mark is in its data, so that it is as
   * old as they are.
   */
  wasReady(): Promise<boolean>;
  markReady(): Promise<void>;
  /** Whether the agent has secrets. */
  isSecured(): Promise<boolean>;
  /**
   * The answer to a token of its secrets by the leader: 200, 403, or 0 for none. Whatever this server has of the data
   * already, this is the cluster's view.
   */
  tokenStatus(token: "current" | "former" | "management"): Promise<number>;
}

export type ReadinessOutcome =
  | { readonly kind: "ready"; readonly reason: string }
  /** It need not be ready yet. */
  | { readonly kind: "passed"; readonly reason: string }
  | { readonly kind: "late"; readonly reason: string };

/**
 * Waits until an agent is ready: a server a voter that the leader knows, a client agent in touch with a leader. Then it
 * releases the deploy lock or the rollout slot.
 *
 * At the first bootstrap an agent cannot be ready while servers are still to be started: one that has joined others,
 * fewer than `expect` servers among them, passes too, and frees its slot of Terraform's for them.
 */
export async function readiness(
  check: Readiness,
  agent: StartedAgent,
  clock: Clock,
  log: Log,
): Promise<ReadinessOutcome> {
  const { owner, role, node, expect, seconds } = check;
  const { api } = agent;
  const release = role === "server" ? releaseLock : releaseSlot;
  const isReleased = async () => owner === undefined || (await release(api, { owner }));
  const waiting = new Waiting(node, clock, log);
  const begun = new Stopwatch(clock);
  /** Since when it could pass. */
  let grace: Stopwatch | undefined;
  const passes = (): boolean => {
    grace ??= new Stopwatch(clock);
    return grace.reached(GRACE_SECONDS);
  };
  for (; !begun.reached(seconds); await begun.pause()) {
    const known = await leader(api);
    if (known !== undefined && role === "client") {
      if (await isReleased()) {
        await agent.markReady();
        return { kind: "ready", reason: `leader ${known}` };
      }
      waiting.for("ready, releasing its rollout slot");
    } else if (known !== undefined && (await isVoter(api))) {
      await introduce(api, node);
      if (!(await isKnownToLeader(api, node)))
        waiting.for("a voter, waiting until the leader knows it instead of its lost predecessor");
      else if (await isReleased()) return { kind: "ready", reason: `a voter, leader ${known}` };
      else waiting.for("a voter, releasing the deploy lock");
    } else if (known !== undefined) {
      if (role === "server" && (await agent.isSecured()) && (await tokensAreMissing(agent)))
        return { kind: "passed", reason: `there is a leader, ${known}, and tokens do not exist yet` };
      waiting.for("a leader is known, waiting to become a voter");
    } else if (!(await answers(api))) {
      waiting.for("waiting for its agent to answer");
      // A client agent that has no certificate yet answers nobody: it is given one when tokens have been made, after
      // the servers.
      if (
        role === "client" &&
        expect > 1 &&
        (await agent.isSecured()) &&
        (await neverBootstrapped(check, agent)) &&
        passes()
      )
        return { kind: "passed", reason: "it gets its certificate when the servers are ready" };
    } else {
      const missing = (await neverBootstrapped(check, agent)) ? await tooFewServers(check, agent) : undefined;
      if (missing === undefined) {
        grace = undefined;
        waiting.for("waiting for a leader");
      } else {
        waiting.for(`sees ${missing} of the ${expect} servers that the first bootstrap needs`);
        if (passes()) return { kind: "passed", reason: "the other servers are not deployed yet" };
      }
    }
  }
  return { kind: "late", reason: waiting.reason };
}

/** Whether its API answers, though it may not say anything to a token that nobody knows yet. */
const answers = async (api: ConsulApi): Promise<boolean> =>
  (await answerTo(api, { method: "GET", path: SELF_PATH })) !== undefined;

const ownId = async (api: ConsulApi): Promise<string | undefined> => (await agentSelf(api))?.Config.NodeID;

/**
 * By its ID: under its name the voter may be a lost predecessor, of which others have yet to notice that it is gone.
 */
async function isVoter(api: ConsulApi): Promise<boolean> {
  const id = await ownId(api);
  const servers = await raftServers(api, { stale: true });
  return id !== undefined && (servers?.some(({ ID, Voter }) => ID === id && Voter) ?? false);
}

/**
 * By its ID and its name: until gossip has forgotten a lost predecessor, the leader, which finds names by addresses,
 * lists this server as "(unknown)", and the next pre-stop check would not count it.
 */
async function isKnownToLeader(api: ConsulApi, node: string): Promise<boolean> {
  const id = await ownId(api);
  const servers = await raftServers(api);
  return id !== undefined && (servers?.some(({ ID, Node }) => ID === id && Node === node) ?? false);
}

const isAliveServer = (member: Member): boolean => isServer(member) && member.Status === ALIVE;

/**
 * Joins the other servers once more. Members that had a lost server in mind under this name at another address do not
 * believe the new address until the old one has been dead for 30 s (DeadNodeReclaimTime), and may hear of it again
 * after minutes only: gossip syncs with one member at a time, by chance. A join syncs at once.
 */
async function introduce(api: ConsulApi, node: string): Promise<void> {
  for (const member of (await members(api)) ?? []) {
    if (!isAliveServer(member) || member.Name === node) continue;
    const host = member.Addr.includes(":") ? `[${member.Addr}]` : member.Addr;
    await answerTo(api, { method: "PUT", path: `/v1/agent/join/${host}:${member.Port}` });
  }
}

/**
 * Servers make the management token with their first leader; all other tokens are made with that, when the servers are
 * ready.
 */
async function tokensAreMissing(agent: StartedAgent): Promise<boolean> {
  return (
    (await agent.tokenStatus("current")) === 403 &&
    (await agent.tokenStatus("former")) === 403 &&
    (await agent.tokenStatus("management")) === 200
  );
}

async function neverBootstrapped({ role }: Readiness, agent: StartedAgent): Promise<boolean> {
  return role === "client" ? !(await agent.wasReady()) : (await peers(agent.api))?.length === 0;
}

/** How many servers it sees, when these are too few for the bootstrap; undefined when they suffice, or nobody says. */
async function tooFewServers({ expect }: Readiness, agent: StartedAgent): Promise<number | undefined> {
  const seen = (await members(agent.api))?.filter(isAliveServer).length ?? 0;
  if (seen >= expect) return undefined;
  if (seen > 0) return seen;
  // An agent whose token nobody knows yet is not told who is there.
  return (await agent.isSecured()) && (await agent.tokenStatus("current")) !== 200 ? 0 : undefined;
}
