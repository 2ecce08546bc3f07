import type { AgentDescription, Cluster, HostDescription } from "../../cluster/model";
import { KV, secretsId } from "../../consul/contract";
import { type Container, containersWith, inspectContainers } from "../docker/container";
import { pingDaemon } from "../docker/hosts";
import { parallel } from "../parallel";
import type { StateResource } from "../terraform/state";
import { deliveredSecrets } from "./delivered-secrets";
import { agentFindings, type Finding, type InspectedAgent, isOurs, type LockEntry } from "./findings";
import { type Leadership, leadership, otherLeaders, unhealthy, unreachableServers } from "./leader";
import { type AgentProbe, probeAgent, type Timeouts } from "./probe";

/** Hosts at once: a docker CLI each, and an ssh. */
const HOSTS_AT_ONCE = 32;
/** Of one host. */
const AGENTS_AT_ONCE = 8;

/** For whoever must not take what is slow for gone: under load, an answer that takes a second took more than 15 s. */
const PATIENT: Timeouts = { daemon: 20, answer: 60, question: 10 };

/** All that was found, and what is wrong about it. */
export interface Inspection {
  readonly findings: readonly Finding[];
  readonly hosts: readonly InspectedHost[];
  readonly agents: readonly InspectedAgent[];
  /** Undefined when no agent knows any. */
  readonly leader?: Leadership;
  readonly locks: readonly LockEntry[];
}

export interface InspectedHost {
  readonly host: HostDescription;
  /** Of its daemon; undefined when that does not answer. */
  readonly version?: string;
  /** Why it does not. */
  readonly why?: string;
}

/** Resources of all stacks' states, or why they are not known. */
export type KnownResources = readonly StateResource[] | string;

export interface InspectionOptions {
  readonly patience?: Timeouts;
  /** Is told of each host that does not answer, at once. */
  readonly onSilent?: (host: HostDescription, why: string) => void;
}

/** Looks at every host and every agent; touches nothing. Agents that are to leave are not looked at. */
export async function inspect(
  cluster: Cluster,
  remembered: KnownResources | Promise<KnownResources>,
  options: InspectionOptions = {},
): Promise<Inspection> {
  const { patience = PATIENT, onSilent } = options;
  const examiner = new Examiner(cluster, Promise.resolve(remembered).then(memoryOf), patience);
  const looked = await parallel(cluster.hosts, HOSTS_AT_ONCE, async (host) => {
    const seen = await examiner.host(host);
    if (seen.why !== undefined) onSilent?.(host, seen.why);
    return seen;
  });
  const { unread, containers } = await examiner.memory;
  return conclude(cluster, looked, { stateEmpty: !unread && containers.size === 0 });
}

/** What is wrong, by all that was looked at. */
export function conclude(
  { agents: file }: Cluster,
  looked: readonly HostProbe[],
  { stateEmpty }: { readonly stateEmpty: boolean },
): Inspection {
  const agents = looked.flatMap((one) => one.agents).sort((one, other) => (one.agent.name < other.agent.name ? -1 : 1));
  const leader = leadership(agents);
  const silent = looked.flatMap(({ host: { name: host }, why }): Finding[] =>
    why === undefined
      ? []
      : [{ host, what: `its daemon does not answer: ${why}`, hint: "bring the host or its daemon back" }],
  );
  const found = [...agents.flatMap(agentFindings), ...otherLeaders(agents, leader)];
  if (leader) found.push(...unhealthy(file, leader, [...silent, ...found]));
  if (leader) found.push(...unreachableServers(agents, leader, found));
  const foreign = stateEmpty && agents.some(({ container }) => container);
  return {
    hosts: looked.map(({ host, version, why }) => ({ host, version, why })),
    agents,
    leader,
    locks: locksOf(leader?.source?.view),
    findings: [
      ...silent,
      ...(foreign ? found.map(withoutState) : found),
      ...looked.flatMap(({ leftBehind }) => leftBehind),
    ],
  };
}

/** What a state tells of containers and images. */
interface Memory {
  readonly unread: boolean;
  /** By agents' names. */
  readonly containers: ReadonlyMap<string, StateResource>;
  readonly containerIds: ReadonlySet<unknown>;
  /** Of terraform_data, by name. */
  readonly steps: ReadonlyMap<string, StateResource>;
  /** Names by image's id. */
  readonly images: ReadonlyMap<unknown, string>;
}

function memoryOf(remembered: KnownResources): Memory {
  const resources = typeof remembered === "string" ? [] : remembered;
  const containers = resources.filter(({ type }) => type === "docker_container");
  const images = resources.filter(({ type }) => type === "docker_image");
  return {
    unread: typeof remembered === "string",
    containers: new Map(containers.filter(({ deposed }) => !deposed).map((resource) => [resource.name, resource])),
    containerIds: new Set(containers.map(({ attributes }) => attributes.id)),
    steps: new Map(
      resources.filter(({ type }) => type === "terraform_data").map((resource) => [resource.name, resource]),
    ),
    images: new Map(images.map(({ attributes }) => [attributes.image_id, String(attributes.name)])),
  };
}

/** What was found on a host. */
export interface HostProbe extends InspectedHost {
  readonly agents: readonly InspectedAgent[];
  readonly leftBehind: readonly Finding[];
}

/** Looks at one host after the other. */
class Examiner {
  private readonly agents: ReadonlyMap<HostDescription, readonly AgentDescription[]>;

  constructor(
    private readonly cluster: Cluster,
    readonly memory: Promise<Memory>,
    private readonly patience: Timeouts,
  ) {
    this.agents = new Map(
      cluster.hosts.map((host) => [host, cluster.agents.filter((agent) => agent.host === host && !agent.decommission)]),
    );
  }

  async host(host: HostDescription): Promise<HostProbe> {
    const nothing = { host, agents: [], leftBehind: [] };
    const answer = await pingDaemon(host, this.patience.daemon);
    if ("why" in answer) return { ...nothing, why: answer.why };
    const agents = this.agents.get(host) ?? [];
    try {
      const names = agents.map(({ container }) => container);
      const [containers, leftBehind] = await Promise.all([
        inspectContainers(host.daemon, names, this.patience.answer),
        this.leftBehind(host),
      ]);
      const find = ({ container }: AgentDescription) => containers.find(({ Name }) => Name === `/${container}`);
      return {
        host,
        ...answer,
        leftBehind,
        agents: await parallel(agents, AGENTS_AT_ONCE, (agent) => this.agent(agent, find(agent))),
      };
    } catch (error) {
      return { ...nothing, why: (error as Error).message };
    }
  }

  private async agent(agent: AgentDescription, container: Container | undefined): Promise<InspectedAgent> {
    const { unread, containers, images, steps } = await this.memory;
    const resource = containers.get(agent.name);
    const known = {
      agent,
      resource,
      container,
      image: images.get(container?.Image),
      ...(unread && { stateUnread: true as const }),
    };
    if (!container?.State.Running) return { ...known, view: "its container does not run" };
    const uploads = (resource?.attributes.upload ?? []) as readonly { file: string }[];
    const secrets = unread ? undefined : deliveredSecrets(this.cluster, agent, steps.get(secretsId(agent.name)));
    const files = new Set([...uploads.map(({ file }) => file), ...(secrets?.hashes.keys() ?? [])]);
    return { ...known, secrets, view: await probeAgent(this.cluster, agent, [...files], this.patience) };
  }

  /** Containers of an earlier deploy that no state knows, under other names than the agents have now. */
  private async leftBehind({ name: host, daemon }: HostDescription): Promise<Finding[]> {
    const [found, { unread, containerIds }] = await Promise.all([
      containersWith(daemon, "-node=", this.patience.answer),
      this.memory,
    ]);
    const names = new Set(this.cluster.agents.map(({ container }) => `/${container}`));
    const nodes = new Set(this.cluster.agents.map(({ node }) => `-node=${node}`));
    return found
      .filter(
        (one) =>
          !unread &&
          isOurs(one) &&
          !containerIds.has(one.Id) &&
          !names.has(one.Name) &&
          one.Config.Cmd?.some((word) => nodes.has(word)),
      )
      .map(({ Name, State }) => ({
        host,
        what: `container ${Name.slice(1)} (${State.Status}) is of an earlier deploy, and in no state`,
        hint: `if nobody needs it: docker stop -t 30 ${Name.slice(1)} && docker rm ${Name.slice(1)}`,
      }));
  }
}

/** An empty state beside containers that run is another folder's, or another name's: who removed them then would remove what works. */
function withoutState({ action: _, ...finding }: Finding): Finding {
  return {
    ...finding,
    hint: "the state knows no container: is it in another folder, or under another `name:` or `backend:`?",
  };
}

const locksOf = (view: AgentProbe | undefined): LockEntry[] =>
  (view?.locks ?? []).flatMap(({ key, value, index }): LockEntry[] => {
    const client = key.startsWith(KV.slots) ? key.slice(KV.slots.length) : undefined;
    if (client === undefined && key !== KV.lock) return [];
    return [{ key, owner: client ?? Buffer.from(value, "base64").toString(), index }];
  });
