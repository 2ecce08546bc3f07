import { answerTo, type ConsulApi, parsed, read } from "./consul-api";

/** A server, as autopilot sees it (developer.hashicorp.com/consul/api-docs/operator/autopilot). */
export interface ServerHealth {
  readonly ID: string;
  readonly Name: string;
  /** Of its RPC: `10.0.0.11:8300`. */
  readonly Address: string;
  readonly SerfStatus: string;
  readonly Voter: boolean;
  readonly Healthy: boolean;
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

/** A server in Raft's configuration (developer.hashicorp.com/consul/api-docs/operator/raft). */
export interface RaftServer {
  readonly ID: string;
  readonly Node: string;
  readonly Address: string;
  readonly Voter: boolean;
  readonly Leader: boolean;
}

export interface CatalogNode {
  readonly Node: string;
  readonly Meta: Readonly<Record<string, string>> | null;
}

/** The leader's address; undefined if the agent knows none, or is unreachable. The API returns "" without a leader. */
export const leader = async (api: ConsulApi): Promise<string | undefined> =>
  (await read<string>(api, "/v1/status/leader")) || undefined;

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

export const catalogNodes = (api: ConsulApi): Promise<readonly CatalogNode[] | undefined> =>
  read(api, "/v1/catalog/nodes");
