import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { AgentDescription, Cluster } from "../../cluster/model";
import { apiOf, containerScripts, inAgent } from "../consul-api/consul-api";
import { docker } from "../docker/docker";

/** Time limits of a probe, in seconds. */
export interface Timeouts {
  /** For a Docker daemon, which otherwise counts as unreachable. */
  readonly daemon: number;
  /** For everything that a reachable daemon is asked about a container. */
  readonly answer: number;
  /** For each request to an agent. */
  readonly request: number;
}

/** For commands that must not take a slow host for an unreachable one: under load, an answer that takes a second took more than 15 s. */
export const PATIENT: Timeouts = { daemon: 20, answer: 60, request: 10 };

/** What an agent's API answers about the agent, and about its cluster as the agent sees it: the output of probe.sh. */
export interface AgentProbe {
  readonly version: string;
  /** Its node id, which is in its data. */
  readonly id: string;
  /** `Leader`, `Follower` or `Candidate`; undefined for a client agent. */
  readonly raft?: string;
  /** Index of the last Raft entry that it has applied; undefined for a client agent. */
  readonly index?: number;
  /** How it is configured. */
  readonly settings: AgentSettings;
  /** A client agent has itself alone, unless the probe's scope is the cluster. Empty when the API did not list any. */
  readonly members: readonly Member[];
  /** The leader's address and server port; empty when it knows none. */
  readonly leader: string;
  /** Why it does not know the leader. */
  readonly whyNoLeader?: string;
  /** Addresses and server ports of the Raft peers: with the scope of the cluster, where there is a leader. */
  readonly peers?: readonly string[];
  /** Servers of the Raft configuration, as this server has it; undefined when it does not know. */
  readonly servers?: readonly RaftServer[];
  /** The health that the leader's autopilot reports. Only servers that know a leader have this and the following. */
  readonly health?: readonly ServerHealth[];
  /** The deploy lock and rollout slots: entries of the KV store, with values in base64. */
  readonly locks?: readonly { readonly key: string; readonly value: string; readonly index: number }[];
  /** Names of services. */
  readonly services?: readonly string[];
  readonly failing?: readonly FailingCheck[];
  /** The certificate in use; undefined where none can be seen. */
  readonly certificate?: X509Certificate;
  /** SHA-256 of files in the container, in hexadecimal, by path. Missing files have none. */
  readonly files: ReadonlyMap<string, string>;
}

export interface AgentSettings {
  readonly node: string;
  readonly datacenter: string;
  readonly server: boolean;
  /** The gossip address, without the port. */
  readonly address: string;
  readonly gossipPort: number;
  /** A server's RPC port, as text. */
  readonly serverPort?: string;
  readonly dataFolder: string;
  /** Whether it leaves the cluster when it is stopped. */
  readonly leavesOnTerm: boolean;
  readonly gossipEncrypted: boolean;
}

export interface Member {
  readonly name: string;
  /** Its gossip address: `10.0.0.1:8301` */
  readonly address: string;
  /** Serf's number: 1 alive, 2 leaving, 3 left, 4 failed. */
  readonly status: number;
  readonly server: boolean;
}

export interface RaftServer {
  readonly id: string;
  /** Consul finds the name by the address, so the old entry of a server that has lost its data has the same name. */
  readonly node: string;
  /** `10.0.0.1:8300` */
  readonly address: string;
  readonly voter: boolean;
}

export interface ServerHealth {
  readonly node: string;
  readonly healthy: boolean;
  /** Serf's word: `alive`, `failed`. */
  readonly status: string;
  /** Index of its last Raft entry. */
  readonly index: number;
  /** The time since it heard from the leader, as a duration of Go: `12.5ms`. */
  readonly contact: string;
}

export interface FailingCheck {
  readonly node: string;
  /** Empty for a node's own check. */
  readonly service: string;
  readonly check: string;
  readonly status: "critical" | "warning";
  /** The first 200 characters of its output. */
  readonly output: string;
}

/** How much a probe asks for: of Raft alone (`raft`), for status and doctor (`agent`), or about the whole cluster (`cluster`). */
export type ProbeScope = "raft" | "agent" | "cluster";

export interface ProbeOptions {
  /** Default `agent`. */
  readonly scope?: ProbeScope;
  /** Default the agent's own token. */
  readonly token?: "agent" | "management";
  /** The container's name, if it is not the one in the file. */
  readonly container?: string;
  /** Paths of files whose SHA-256 is wanted. */
  readonly files?: readonly string[];
  readonly timeouts?: Timeouts;
}

const SCRIPT = containerScripts("consul-api") + readFileSync(join(__dirname, "probe.sh"), "utf8");

/**
 * Probes an agent in its container.
 * @returns the reason when its API is unreachable
 */
export async function probeAgent(
  cluster: Cluster,
  agent: AgentDescription,
  { scope = "agent", token = "agent", container, files = [], timeouts = PATIENT }: ProbeOptions = {},
): Promise<AgentProbe | string> {
  const { localHttps } = agent.endpoints;
  const https = cluster.security && localHttps ? `${localHttps}/v1/status/leader` : "";
  const endpoint = apiOf(agent, container);
  const args = [String(timeouts.request), agent.role, agent.node, scope, token, https, ...files];
  const { ok, output, error } = await docker(endpoint.daemon).run(inAgent(endpoint, SCRIPT, args), {
    seconds: timeouts.answer,
  });
  return ok ? parseProbe(output) : error;
}

/** @returns the reason when the agent did not answer */
export function parseProbe(output: string): AgentProbe | string {
  const lines = output.split("\n").filter(Boolean);
  const answers = new Map(
    lines.map((line): [string, string] => [line.split(" ", 1)[0] as string, line.slice(line.indexOf(" ") + 1)]),
  );
  const answer = <Answer>(topic: string): Answer | undefined => {
    const text = answers.get(topic);
    return text === undefined || text.startsWith("!") ? undefined : (JSON.parse(text) as Answer);
  };
  const reason = (topic: string) => answers.get(topic)?.slice(2).trim();
  const self = answer<SelfAnswer>("self");
  if (!self) return reason("self") || "there was no output";
  if (!answers.has("end")) return "the output is incomplete";
  const { version, id, raft, index, serverPort, gossipEncrypted, ...settings } = self;
  const leader = answer<string>("leader");
  const critical = answer<FailingCheck[]>("critical");
  const warning = answer<FailingCheck[]>("warning");
  const pem = answer<string>("certificate");
  return {
    version,
    id,
    raft: raft ?? undefined,
    index: index ? Number(index) : undefined,
    settings: { ...settings, serverPort: serverPort ?? undefined, gossipEncrypted: gossipEncrypted !== "false" },
    members: answer("members") ?? [],
    leader: leader ?? "",
    whyNoLeader: leader === undefined ? reason("leader") : undefined,
    peers: answer("peers"),
    servers: answer("servers"),
    health: answer("health"),
    locks: answer("locks"),
    services: answer<string[]>("services")?.filter((name) => name !== "consul"),
    failing: critical && [...critical, ...(warning ?? [])],
    certificate: pem === undefined ? undefined : new X509Certificate(pem),
    files: new Map(lines.filter((line) => line.startsWith("file ")).map((line) => [line.slice(70), line.slice(5, 69)])),
  };
}

/** The line `self` of the output. Consul has some numbers and truth values as text. */
interface SelfAnswer extends Omit<AgentSettings, "serverPort" | "gossipEncrypted"> {
  readonly version: string;
  readonly id: string;
  readonly raft: string | null;
  readonly index: string | null;
  readonly serverPort: string | null;
  readonly gossipEncrypted: string;
}

/** Consul's word for a member's status. */
export const serfStatusName = (status: number | undefined): string =>
  ({ 1: "alive", 2: "leaving", 3: "left", 4: "failed" })[status ?? 0] ?? "unknown";
