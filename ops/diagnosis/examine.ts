import type { AgentDescription, Cluster } from "../../cluster/cluster";
import { apiOf, viewAgent } from "../agents/agent-view";
import { consulApi } from "../agents/consul-api";
import { type Container, inspectContainer, listContainers } from "../agents/container";
import { docker } from "../agents/docker";
import { unreachable } from "../agents/hosts";
import { parallel } from "../parallel";
import type { StateResource } from "../terraform/state";
import { agentFindings, type Examined, type Finding, isOurs, type LockEntry } from "./findings";
import { givenSecrets } from "./given-secrets";

/** Docker CLIs at once, each with an ssh. */
const AT_ONCE = 16;

/** An answer takes a second; from a machine under load it took more than 15 s. */
const SECONDS = 60;

/** All that was found, and what is wrong about it. */
export interface Examination {
  readonly findings: readonly Finding[];
  readonly agents: readonly Examined[];
  readonly locks: readonly LockEntry[];
}

/** Looks at every host and every agent; touches nothing. @param resources of all stacks' states */
export async function examine(cluster: Cluster, resources: readonly StateResource[]): Promise<Examination> {
  const silent = await unreachable(cluster.hosts);
  const hosts = cluster.hosts.filter(({ name }) => !silent.has(name));
  const agents = await parallel(
    cluster.agents.filter(({ host, decommission }) => !silent.has(host.name) && !decommission),
    AT_ONCE,
    (agent) => examineAgent(cluster, agent, resources),
  );
  const strangers = await parallel(hosts, AT_ONCE, ({ name, daemon }) =>
    listContainers(daemon).then((containers) => leftBehind(cluster, name, containers, resources)),
  );
  const known = new Set(resources.filter(({ type }) => type === "docker_container").map(({ name }) => name));
  const speaker = agents.find(({ view }) => typeof view !== "string" && view.leader !== "");
  return {
    agents,
    locks: speaker ? await locksOf(cluster, speaker.agent) : [],
    findings: [
      ...[...silent].map(([host, why]): Finding => ({ host, what: `its daemon does not answer: ${why}`, mend: "bring the host or its daemon back" })),
      ...agents.flatMap(agentFindings).map((finding) => (known.size > 0 ? finding : withoutState(finding))),
      ...strangers.flat(),
      ...(speaker ? await unhealthy(cluster, speaker.agent, agents) : []),
    ],
  };
}

async function examineAgent(cluster: Cluster, agent: AgentDescription, resources: readonly StateResource[]): Promise<Examined> {
  const resource = resources.find(({ type, name, deposed }) => type === "docker_container" && name === agent.name && !deposed);
  const container = await inspectContainer(agent.host.daemon, agent.container);
  if (!container?.State.Running) return { agent, resource, container, files: undefined, view: "its container does not run" };
  const uploads = (resource?.attributes.upload ?? []) as readonly { file: string }[];
  const secrets = givenSecrets(cluster, agent, resources);
  const [view, voters, files] = await Promise.all([
    viewAgent(cluster, agent).catch((error: Error): string => error.message),
    agent.role === "server" ? votersOf(cluster, agent) : undefined,
    hashes(agent, [...new Set([...uploads.map(({ file }) => file), ...(secrets?.hashes.keys() ?? [])])]),
  ]);
  return { agent, resource, container, files, secrets, view, voters };
}

/** @returns undefined for an answer that is none */
async function ask<Answer>(cluster: Cluster, agent: AgentDescription, path: string): Promise<Answer | undefined> {
  // 429 and a body when a server is not healthy, 404 for a key that is not there.
  const { ok, output } = await consulApi(apiOf(cluster, agent), [path], SECONDS);
  try {
    return ok ? (JSON.parse(output) as Answer) : undefined;
  } catch {
    return undefined;
  }
}

async function votersOf(cluster: Cluster, agent: AgentDescription): Promise<string[] | undefined> {
  const answer = await ask<{ Servers: { Node: string; Voter: boolean }[] }>(cluster, agent, "/v1/operator/raft/configuration?stale");
  return answer?.Servers.filter(({ Voter }) => Voter).map(({ Node }) => Node);
}

/** An empty state beside containers that run is another folder's, or another name's: who removed them then would remove what works. */
function withoutState({ mending: _, ...finding }: Finding): Finding {
  return { ...finding, mend: "the state knows no container: is it in another folder, or under another `name:` or `backend:`?" };
}

/** SHA-256 of files in a running container; undefined when it cannot be asked, for a file that is not seen is not gone. */
async function hashes({ host, container }: AgentDescription, files: readonly string[]): Promise<ReadonlyMap<string, string> | undefined> {
  const script = 'for file; do sum=$(sha256sum <"$file") 2>/dev/null && echo "${sum%% *} $file" || echo "gone $file"; done';
  const { ok, output } = await docker(host.daemon, ["exec", container, "sh", "-c", script, "sh", ...files], SECONDS);
  const lines = output.split("\n").filter(Boolean);
  if (!ok || lines.length !== files.length) return undefined;
  return new Map(lines.filter((line) => !line.startsWith("gone ")).map((line) => [line.slice(65), line.slice(0, 64)]));
}

/** Containers of an earlier deploy that no state knows, under other names than the agents have now. */
function leftBehind(cluster: Cluster, host: string, containers: readonly Container[], resources: readonly StateResource[]): Finding[] {
  const known = new Set(resources.map(({ attributes }) => attributes.id));
  const names = new Set(cluster.agents.map((agent) => `/${agent.container}`));
  const nodes = new Set(cluster.agents.map(({ node }) => `-node=${node}`));
  return containers
    .filter((one) => isOurs(one) && !known.has(one.Id) && !names.has(one.Name) && one.Config.Cmd?.some((word) => nodes.has(word)))
    .map(({ Name, State }) => ({
      host,
      what: `container ${Name.slice(1)} (${State.Status}) is of an earlier deploy, and in no state`,
      mend: `if nobody needs it: docker stop -t 30 ${Name.slice(1)} && docker rm ${Name.slice(1)}`,
    }));
}

async function locksOf(cluster: Cluster, agent: AgentDescription): Promise<LockEntry[]> {
  const entries = await ask<{ Key: string; Value: string; ModifyIndex: number }[]>(cluster, agent, "/v1/kv/consul-cdktf/?recurse&consistent");
  return (entries ?? []).flatMap(({ Key, Value, ModifyIndex }): LockEntry[] => {
    const client = /^consul-cdktf\/clients\/(.+)$/.exec(Key)?.[1];
    if (client === undefined && Key !== "consul-cdktf/replacing") return [];
    return [{ key: Key, owner: client ?? Buffer.from(Value, "base64").toString(), index: ModifyIndex }];
  });
}

/** Servers that autopilot finds ill, and nothing else has been found about. */
async function unhealthy(cluster: Cluster, speaker: AgentDescription, agents: readonly Examined[]): Promise<Finding[]> {
  const health = await ask<{ Servers?: { Name: string; Healthy: boolean; SerfStatus: string }[] }>(cluster, speaker, "/v1/operator/autopilot/health");
  return (health?.Servers ?? []).flatMap(({ Name, Healthy, SerfStatus }): Finding[] => {
    const known = agents.find(({ agent }) => agent.node === Name);
    if (Healthy || (known && agentFindings(known).length > 0)) return [];
    const what = `autopilot finds server ${Name} not healthy (${SerfStatus})`;
    if (known) return [{ host: known.agent.host.name, agent: known.agent.name, what, mend: `docker logs ${known.agent.container}` }];
    return [
      {
        host: speaker.host.name,
        what: `${what}, and the file has none of that name`,
        mend: `consul operator raft remove-peer, if it is gone for good`,
      },
    ];
  });
}
