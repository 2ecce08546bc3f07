import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { AgentDescription, Cluster } from "../../cluster/model";
import { bracketed } from "../../consul/address";
import { KV_PREFIX, PATHS } from "../../consul/contract";
import { SECRET_FILES } from "../../consul/secrets";
import { type ConsulApi, ContainerUnreachable, read, readOrReason, Unreachable } from "../../rollout/consul-api";
import type { Prelude } from "../../rollout/consul-connection";
import {
  type AgentSelf,
  type KvEntry,
  kvEntries,
  LEADER_PATH,
  type Member,
  members,
  peers,
  type RaftServer,
  raftServers,
  SELF_PATH,
  type ServerHealth,
  serverHealth,
} from "../../rollout/queries";
import { withAgent } from "../docker/agent";

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

/** What an agent's API answers about the agent, and about its cluster as the agent sees it. */
export interface AgentProbe {
  readonly version: string;
  /** Its node id, which is in its data. */
  readonly id: string;
  /** Undefined for a client agent. */
  readonly raft?: "Leader" | "Follower" | "Candidate";
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
  /** The deploy lock and rollout slots. */
  readonly locks?: readonly KvEntry[];
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

/**
 * Probes an agent in its container.
 * @returns the reason when its API is unreachable
 */
export async function probeAgent(
  cluster: Cluster,
  agent: AgentDescription,
  options: ProbeOptions = {},
): Promise<AgentProbe | string> {
  const { scope = "agent", token = "agent", container, timeouts = PATIENT } = options;
  const prelude = scope === "raft" ? undefined : preludeFor(cluster, agent, options);
  const limits = { answerSeconds: timeouts.request, connectSeconds: timeouts.answer };
  const deadline = AbortSignal.timeout(timeouts.answer * 1000);
  const late = new Promise<never>((_, fail) => {
    deadline.onabort = () => fail(new ContainerUnreachable(`no answer within ${timeouts.answer} s`));
  });
  try {
    return await withAgent(
      agent,
      async ({ api }) => {
        // A request after the deadline would open a connection that nobody closes.
        const inTime: ConsulApi = {
          send: async (request) => {
            deadline.throwIfAborted();
            return api.send({ authority: token, ...request });
          },
        };
        const probe = await Promise.race([probeApi(inTime, agent, scope), late]);
        if (typeof probe === "string") return probe;
        const facts = prelude ? containerFacts(await api.preludeLines()) : { files: new Map() };
        return facts ? { ...probe, ...facts } : "the output is incomplete";
      },
      { container, prelude, ...limits },
    );
  } catch (error) {
    if (error instanceof Unreachable || error instanceof ContainerUnreachable) return error.message;
    throw error;
  }
}

/** What the API answers: its requests are sent one after the other, on one connection. */
async function probeApi(
  api: ConsulApi,
  { role }: AgentDescription,
  scope: ProbeScope,
): Promise<Omit<AgentProbe, "files"> | string> {
  // An agent without any answer gets no further request.
  const self = await readOrReason<AgentSelf>(api, SELF_PATH);
  if ("reason" in self) return self.reason;
  const own = ownFacts(self.value);
  if (scope === "raft") return { ...own, members: [], ...(await knownLeader(api)) };
  // A thousand client agents must not list a thousand members each, 384 kB.
  const listed = role === "server" || scope === "cluster" ? await members(api) : [self.value.Member];
  const servers = role === "server" ? await raftServers(api, { stale: true }) : undefined;
  // A client agent asks a server, and may wait for one that is partitioned.
  const probe = { ...own, members: listed ?? [], servers, ...(await knownLeader(api)) };
  // Without a leader, each of the following would take its full time.
  if (probe.leader === "") return probe;
  if (scope === "cluster") return { ...probe, peers: await peers(api) };
  return role === "server" ? { ...probe, ...(await clusterFacts(api)) } : probe;
}

function ownFacts({ Config, DebugConfig, Member, Stats }: AgentSelf) {
  return {
    version: Config.Version,
    id: Config.NodeID,
    raft: Stats.raft?.state,
    index: Stats.raft && Number(Stats.raft.applied_index),
    settings: {
      node: Config.NodeName,
      datacenter: Config.Datacenter,
      server: Config.Server,
      address: Member.Addr,
      gossipPort: Member.Port,
      serverPort: Member.Tags.port,
      dataFolder: DebugConfig.DataDir,
      leavesOnTerm: DebugConfig.LeaveOnTerm,
      gossipEncrypted: Stats.serf_lan.encrypted !== "false",
    },
  };
}

async function knownLeader(api: ConsulApi): Promise<Pick<AgentProbe, "leader" | "whyNoLeader">> {
  const answer = await readOrReason<string>(api, LEADER_PATH);
  return "value" in answer ? { leader: answer.value } : { leader: "", whyNoLeader: answer.reason };
}

/** What a server that knows a leader reports about the cluster. */
async function clusterFacts(api: ConsulApi): Promise<Pick<AgentProbe, "health" | "locks" | "services" | "failing">> {
  const watcher: ConsulApi = { send: (request) => api.send({ ...request, authority: "health" }) };
  const health = await serverHealth(api);
  const locks = await kvEntries(api, KV_PREFIX);
  const services = await read<Readonly<Record<string, unknown>>>(watcher, "/v1/catalog/services");
  const critical = await failingChecks(watcher, "critical");
  const warning = await failingChecks(watcher, "warning");
  return {
    health,
    locks: locks?.entries,
    services: services && Object.keys(services).filter((name) => name !== "consul"),
    failing: critical && [...critical, ...(warning ?? [])],
  };
}

/** A check, as the catalog has it (developer.hashicorp.com/consul/api-docs/health). */
interface HealthCheck {
  readonly Node: string;
  readonly CheckID: string;
  readonly ServiceName: string;
  readonly Name: string;
  readonly Status: FailingCheck["status"];
  readonly Output: string;
}

async function failingChecks(
  api: ConsulApi,
  status: FailingCheck["status"],
): Promise<readonly FailingCheck[] | undefined> {
  const checks = await read<readonly HealthCheck[]>(api, `/v1/health/state/${status}`);
  return checks
    ?.filter(({ CheckID }) => CheckID !== "serfHealth")
    .map(({ Node, ServiceName, Name, Status, Output }) => ({
      node: Node,
      service: ServiceName,
      check: Name,
      status: Status,
      output: Output.slice(0, 200),
    }));
}

const CONTAINER_FACTS = readFileSync(join(__dirname, "container-facts.sh"), "utf8");

/** Undefined when only the API is asked. */
function preludeFor(
  { security }: Cluster,
  { role, endpoints }: AgentDescription,
  { files = [], timeouts = PATIENT }: ProbeOptions,
): Prelude | undefined {
  if (!security && files.length === 0) return undefined;
  const https = security && endpoints.localHttps ? `${endpoints.localHttps}${LEADER_PATH}` : "";
  const certificate = security && role === "server" ? `${PATHS.secrets}/${SECRET_FILES.certificate}` : "";
  return { script: CONTAINER_FACTS, args: [String(timeouts.request), https, certificate, ...files] };
}

/**
 * @param lines of container-facts.sh
 * @returns undefined when some are missing
 */
function containerFacts(lines: readonly string[]): Pick<AgentProbe, "certificate" | "files"> | undefined {
  if (lines.at(-1) !== "end") return undefined;
  const pem: string[] = [];
  const files = new Map<string, string>();
  for (const line of lines.slice(0, -1)) {
    const [, sum, file] = /^([0-9a-f]{64}) [ *](.*)$/.exec(line) ?? [];
    if (sum && file) files.set(file, sum);
    else pem.push(line);
  }
  return { certificate: pem.length > 0 ? new X509Certificate(pem.join("\n")) : undefined, files };
}

/** A member's gossip address: `10.0.0.1:8301` */
export const memberAddress = ({ Addr, Port }: Member): string => `${bracketed(Addr)}:${Port}`;

/** Consul's word for a member's status. */
export const serfStatusName = (status: number | undefined): string =>
  ({ 1: "alive", 2: "leaving", 3: "left", 4: "failed" })[status ?? 0] ?? "unknown";
