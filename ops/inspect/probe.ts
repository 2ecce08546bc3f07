import { X509Certificate } from "node:crypto";
import type { AgentDescription, Cluster } from "../../cluster/model";
import { apiOf } from "../consul-api/agent-view";
import { probeApi } from "../consul-api/consul-api";

/** How long is waited for what, in seconds. */
export interface Timeouts {
  /** For a daemon: one that does not answer counts as gone. */
  readonly daemon: number;
  /** For all that a daemon that answers is asked of a container. */
  readonly answer: number;
  /** For each question to an agent. */
  readonly question: number;
}

/** What is to be seen of an agent, and of its cluster as it sees it: what probe.sh tells. */
export interface AgentProbe {
  readonly version: string;
  /** Of its node, which is of its data. */
  readonly id: string;
  /** `Leader`, `Follower` or `Candidate`; undefined for a client. */
  readonly raft?: string;
  /** A client tells of itself alone. */
  readonly members: readonly Member[];
  /** The leader's address and server port; empty when it knows none. */
  readonly leader: string;
  /** Why it cannot say who leads. */
  readonly whyNoLeader?: string;
  /** Servers of the raft configuration, as this server has it; undefined when it cannot tell. */
  readonly servers?: readonly RaftServer[];
  /** What the leader's autopilot finds; told by servers that know a leader, as the rest below. */
  readonly health?: readonly ServerHealth[];
  /** Who is being replaced: entries of the KV, values in base64. */
  readonly locks?: readonly { readonly key: string; readonly value: string; readonly index: number }[];
  /** Names of services. */
  readonly services?: readonly string[];
  readonly failing?: readonly FailingCheck[];
  /** Its leaf certificate as it is in use; undefined where it has none that can be seen. */
  readonly certificate?: X509Certificate;
  /** SHA-256 of files in the container, in hexadecimal, by their paths; absent where there is no such file. */
  readonly files: ReadonlyMap<string, string>;
}

export interface Member {
  readonly name: string;
  /** Of its gossip: `10.0.0.1:8301` */
  readonly address: string;
  /** Serf's: 1 alive, 2 leaving, 3 left, 4 failed. */
  readonly status: number;
  readonly server: boolean;
}

export interface RaftServer {
  readonly id: string;
  /** By its address: where a server has lost its data, its predecessor's entry has its name as well. */
  readonly node: string;
  /** `10.0.0.1:8300` */
  readonly address: string;
  readonly voter: boolean;
}

export interface ServerHealth {
  readonly node: string;
  readonly healthy: boolean;
  /** Serf's: `alive`, `failed`. */
  readonly status: string;
  /** Of its last raft entry. */
  readonly index: number;
  /** How long ago it heard from the leader, as Go writes durations: `12.5ms`. */
  readonly contact: string;
}

export interface FailingCheck {
  readonly node: string;
  /** Empty for a check of the node itself. */
  readonly service: string;
  readonly check: string;
  readonly status: "critical" | "warning";
  /** The first 200 characters of what it said. */
  readonly output: string;
}

/**
 * Looks at an agent in its container.
 * @param files whose SHA-256 is asked for
 * @returns why there is nothing to be seen, when it does not answer
 */
export async function probeAgent(
  cluster: Cluster,
  agent: AgentDescription,
  files: readonly string[],
  patience: Timeouts,
): Promise<AgentProbe | string> {
  const { localHttps } = agent.endpoints;
  const https = cluster.security && localHttps ? `${localHttps}/v1/status/leader` : "";
  const words = [String(patience.question), agent.role, agent.node, https, ...files];
  const { ok, output, error } = await probeApi(apiOf(agent), words, patience.answer);
  return ok ? parseProbe(output) : error;
}

/** @returns why there is nothing to be seen, for an agent that has not answered */
export function parseProbe(output: string): AgentProbe | string {
  const lines = output.split("\n").filter(Boolean);
  const told = new Map(
    lines.map((line): [string, string] => [line.split(" ", 1)[0] as string, line.slice(line.indexOf(" ") + 1)]),
  );
  const answer = <Answer>(what: string): Answer | undefined => {
    const text = told.get(what);
    return text === undefined || text.startsWith("!") ? undefined : (JSON.parse(text) as Answer);
  };
  const refusal = (what: string) => told.get(what)?.slice(2).trim();
  const self = answer<{ version: string; id: string; raft: string | null }>("self");
  if (!self) return refusal("self") || "it says nothing";
  if (!told.has("end")) return "it was cut short";
  const leader = answer<string>("leader");
  const [critical, warning] = [answer<FailingCheck[]>("critical"), answer<FailingCheck[]>("warning")];
  const pem = answer<string>("certificate");
  return {
    version: self.version,
    id: self.id,
    raft: self.raft ?? undefined,
    members: answer("members") ?? [],
    leader: leader ?? "",
    whyNoLeader: leader === undefined ? refusal("leader") : undefined,
    servers: answer("servers"),
    health: answer("health"),
    locks: answer("locks"),
    services: answer<string[]>("services")?.filter((name) => name !== "consul"),
    failing: critical && [...critical, ...(warning ?? [])],
    certificate: pem === undefined ? undefined : new X509Certificate(pem),
    files: new Map(lines.filter((line) => line.startsWith("file ")).map((line) => [line.slice(70), line.slice(5, 69)])),
  };
}

/** Consul's own word for a member's state. */
export const serfStatusName = (status: number | undefined): string =>
  ({ 1: "alive", 2: "leaving", 3: "left", 4: "failed" })[status ?? 0] ?? "unknown";
