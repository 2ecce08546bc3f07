import { KV_PREFIX } from "../../consul/contract";
import { type Clock, Stopwatch } from "../../rollout/clock";
import type { ConsulAnswer, ConsulApi, ConsulRequest } from "../../rollout/consul-api";
import { transferLeadership } from "../../rollout/leadership";
import { EXTRA_SECONDS, SECOND } from "../../rollout/limits";
import { type Log, Waiting } from "../../rollout/outcome";
import { ALIVE, type Member } from "../../rollout/queries";
import { replyTo } from "../../rollout/reconcile/changes";
import { readable, readList } from "../../rollout/reconcile/management";

interface Node {
  readonly Node: string;
  readonly ID: string;
  readonly ModifyIndex: number;
}

/** A cluster's members, and its catalog. */
interface Registrations {
  readonly members: readonly Member[];
  readonly nodes: readonly Node[];
  /** Names of nodes that are agents: other nodes have no check of gossip. */
  readonly agents: ReadonlySet<string>;
}

/** A transaction takes as many operations. */
const TRANSACTION_SIZE = 64;
/** Enough names to show what is missing. */
const SHOWN_NAMES = 5;
/** After a restore, the cluster may know no other token of the server's. */
const MANAGEMENT = "management";
const GOSSIP_CHECKS = `/v1/health/state/any?filter=${encodeURIComponent('CheckID=="serfHealth"')}`;

/**
 * Removes entries of a snapshot that no longer have an owner, after a restore:
 * - The deploy lock and rollout slots of a deploy that was in progress at the time.
 * - Sessions: their holders may no longer exist, and a session without a TTL would keep its lock for ever. A holder that
 *   exists acquires its lock again.
 * - Nodes of agents that are no members, or have another ID, as those of another cluster: no agent could register under
 *   a name that another node has.
 * @param api of a server
 * @returns why it is not done; undefined when every alive member is in the catalog by its own ID
 */
export async function purgeStaleCatalog(
  api: ConsulApi,
  seconds: number,
  clock: Clock,
  log: Log,
): Promise<string | undefined> {
  const waiting = new Waiting("catalog", clock, log);
  const begun = new Stopwatch(clock);
  let isReleased = false;
  let isTransferred = false;
  while (!begun.reached(seconds)) {
    // Once: a lock that is acquired meanwhile stays.
    isReleased ||= await releaseLocks(api);
    const found = isReleased ? await readable(registrations(api)) : undefined;
    const stale = typeof found === "object" ? strangers(found) : [];
    if (found === undefined) {
      waiting.for("waiting for a leader");
    } else if (typeof found === "string") {
      waiting.for("this server does not list the members");
    } else if (stale.length > 0) {
      waiting.for("removing nodes of agents that are not this cluster's");
      if (await remove(api, stale)) continue;
    } else {
      const missing = unregistered(found);
      if (missing.length === 0) {
        log("every agent is in the catalog by its own ID");
        return undefined;
      }
      waiting.for(`waiting until the leader has registered ${missing.slice(0, SHOWN_NAMES).join(", ")}`);
      // A new leader does it at once, one that stays within a minute.
      if (!isTransferred) await transferLeadership(api, clock, MANAGEMENT);
      isTransferred = true;
    }
    await clock.sleep(SECOND);
  }
  return `not done after ${seconds} s: ${waiting.reason}`;
}

/** Removes locks, slots and sessions. @returns whether the cluster has done so */
async function releaseLocks(api: ConsulApi): Promise<boolean> {
  const sessions = await readable(readList<{ ID: string }>(api, "/v1/session/list", MANAGEMENT));
  if (typeof sessions === "string") return false;
  const keys = await managed(api, { method: "DELETE", path: `/v1/kv/${KV_PREFIX}?recurse` });
  if (keys.status !== 200) return false;
  for (const { ID } of sessions) await managed(api, { method: "PUT", path: `/v1/session/destroy/${ID}` });
  return true;
}

/** @throws Unreadable */
async function registrations(api: ConsulApi): Promise<Registrations> {
  const members = await readList<Member>(api, "/v1/agent/members", MANAGEMENT);
  const nodes = await readList<Node>(api, "/v1/catalog/nodes", MANAGEMENT);
  const checks = await readList<{ Node: string }>(api, GOSSIP_CHECKS, MANAGEMENT);
  return { members, nodes, agents: new Set(checks.map(({ Node }) => Node)) };
}

/** Nodes of agents that are no members, or have another ID. Consul ignores case in names of nodes. */
function strangers({ members, nodes, agents }: Registrations): readonly Node[] {
  const ids = new Map(members.map(({ Name, Tags }) => [Name.toLowerCase(), Tags.id]));
  return nodes.filter(({ Node, ID }) => agents.has(Node) && ID !== ids.get(Node.toLowerCase()));
}

/** Names of alive members that are not in the catalog by their own IDs. */
function unregistered({ members, nodes }: Registrations): readonly string[] {
  const ids = new Map(nodes.map(({ Node, ID }) => [Node.toLowerCase(), ID]));
  return members
    .filter(({ Name, Status, Tags }) => Status === ALIVE && Tags.id !== ids.get(Name.toLowerCase()))
    .map(({ Name }) => Name)
    .sort();
}

/** Removes nodes, each only if the leader has not registered it anew meanwhile. @returns whether that was done */
async function remove(api: ConsulApi, nodes: readonly Node[]): Promise<boolean> {
  const operations = nodes
    .slice(0, TRANSACTION_SIZE)
    .map(({ Node, ModifyIndex }) => ({ Node: { Verb: "delete-cas", Node: { Node, ModifyIndex } } }));
  return (await managed(api, { method: "PUT", path: "/v1/txn", body: operations })).status === 200;
}

const managed = (api: ConsulApi, request: ConsulRequest): Promise<ConsulAnswer> =>
  replyTo(api, { ...request, authority: MANAGEMENT, waitSeconds: EXTRA_SECONDS });
