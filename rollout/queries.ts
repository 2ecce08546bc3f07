import { answerTo, type ConsulApi, parsed, read } from "./consul-api";

/**
 * An agent's configuration and state (developer.hashicorp.com/consul/api-docs/agent). Consul has numbers and truth values
 * of its statistics as text.
 */
export interface AgentSelf {
  readonly Config: {
    readonly NodeName: string;
    /** It is in the agent's data. */
    readonly NodeID: string;
    readonly Datacenter: string;
    readonly Server: boolean;
    readonly Version: string;
  };
  readonly DebugConfig: { readonly DataDir: string; readonly LeaveOnTerm: boolean };
  /** Its own entry in its list of members. */
  readonly Member: Member;
  readonly Stats: {
    /** Of a server. */
    readonly raft?: { readonly state: "Leader" | "Follower" | "Candidate"; readonly applied_index: string };
    readonly serf_lan: { readonly encrypted: string };
  };
}

/** A server, as autopilot sees it (developer.hashicorp.com/consul/api-docs/operator/autopilot). */
export interface ServerHealth {
  readonly ID: string;
  readonly Name: string;
  /** Of its RPC: `10.0.0.11:8300`. */
  readonly Address: string;
  /** Serf's word: `alive`, `failed`. */
  readonly SerfStatus: string;
  readonly Voter: boolean;
  readonly Healthy: boolean;
  /** Of its last Raft entry. */
  readonly LastIndex: number;
  /** The time since it heard from the leader, as a duration of Go: `12.5ms`. */
  readonly LastContact: string;
}

/** A member of the gossip pool (developer.hashicorp.com/consul/api-docs/agent). */
export interface Member {
  readonly Name: string;
  readonly Addr: string;
  readonly Port: number;
  /** alive 1, leaving 2, left 3, failed 4 (hashicorp/serf, MemberStatus). */
  readonly Status: number;
  readonly Tags: Readonly<Record<string, string>>;
}

export const ALIVE = 1;
export const LEAVING = 2;
export const FAILED = 4;

export const isServer = ({ Tags }: Member): boolean => Tags.role === "consul";

/** A server in Raft's configuration (developer.hashicorp.com/consul/api-docs/operator/raft). */
export interface RaftServer {
  readonly ID: string;
  /** Consul finds the name by the address, so the old entry of a server that has lost its data has the same name. */
  readonly Node: string;
  readonly Address: string;
  readonly Voter: boolean;
  readonly Leader: boolean;
}

export interface CatalogNode {
  readonly Node: string;
  readonly Meta: Readonly<Record<string, string>> | null;
}

/** An entry of the KV store (developer.hashicorp.com/consul/api-docs/kv). */
export interface KvEntry {
  readonly Key: string;
  /** Base64. */
  readonly Value: string | null;
  readonly CreateIndex: number;
  readonly ModifyIndex: number;
  /** Any number, of whoever writes the entry. */
  readonly Flags?: number;
}

export const SELF_PATH = "/v1/agent/self";
export const LEADER_PATH = "/v1/status/leader";

export const agentSelf = (api: ConsulApi): Promise<AgentSelf | undefined> => read(api, SELF_PATH);

/** Whether an agent says that it is the leader. */
export const leads = async (api: ConsulApi): Promise<boolean> => (await agentSelf(api))?.Stats.raft?.state === "Leader";

/** The leader's address; undefined if the agent knows none, or is unreachable. The API returns "" without a leader. */
export const leader = async (api: ConsulApi): Promise<string | undefined> =>
  (await read<string>(api, LEADER_PATH)) || undefined;

/** Addresses of Raft's peers as this agent knows them: none before the first bootstrap. */
export const peers = (api: ConsulApi): Promise<readonly string[] | undefined> => read(api, "/v1/status/peers");

export const members = (api: ConsulApi): Promise<readonly Member[] | undefined> => read(api, "/v1/agent/members");

/** Autopilot's view. It has a body when a server is not healthy too (429), and none without a leader (500). */
export async function serverHealth(api: ConsulApi): Promise<readonly ServerHealth[] | undefined> {
  const answer = await answerTo(api, { method: "GET", path: "/v1/operator/autopilot/health" });
  if (answer?.status !== 200 && answer?.status !== 429) return undefined;
  return parsed<{ Servers?: readonly ServerHealth[] | null }>(answer.body)?.Servers ?? undefined;
}

/** Raft's configuration, by the leader; by this server alone where `stale`. */
export async function raftServers(api: ConsulApi, { stale = false } = {}): Promise<readonly RaftServer[] | undefined> {
  const answer = await read<{ Servers?: readonly RaftServer[] }>(
    api,
    `/v1/operator/raft/configuration${stale ? "?stale" : ""}`,
  );
  return answer?.Servers;
}

export interface KvEntries {
  readonly entries: readonly KvEntry[];
  /** For a blocking query; 0 if the answer had none. */
  readonly index: number;
}

/** Of entries below a prefix, `consul-cdktf/clients/`, as the leader has them. */
export const entriesPath = (prefix: string): string => `/v1/kv/${prefix}?recurse&consistent`;

/** Entries below a prefix; undefined when the cluster does not say. */
export async function kvEntries(api: ConsulApi, prefix: string): Promise<KvEntries | undefined> {
  const answer = await answerTo(api, { method: "GET", path: entriesPath(prefix) });
  const index = answer?.index ?? 0;
  // Consul has no empty list of entries.
  if (answer?.status === 404) return { entries: [], index };
  const entries = answer?.status === 200 ? parsed<readonly KvEntry[]>(answer.body) : undefined;
  return entries && { entries, index };
}

/** Of all nodes, by the leader, after it has made sure that it still leads: another one may have an old catalog. */
export const catalogNodes = (api: ConsulApi): Promise<readonly CatalogNode[] | undefined> =>
  read(api, "/v1/catalog/nodes?consistent");
