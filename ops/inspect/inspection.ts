import type { AgentDescription, Cluster, HostDescription } from "../../cluster/model";
import { secretsId } from "../../consul/contract";
import { containerReport } from "../../rollout/container-report";
import { type Container, containersWith, inspectContainers } from "../docker/container";
import { docker } from "../docker/docker";
import { pingDaemon } from "../docker/hosts";
import { parallel } from "../parallel";
import { containerIds, type StateResource } from "../terraform/state";
import { agentProblems } from "./agent-problems";
import { deliveredSecrets } from "./delivered-secrets";
import { type HealthProblem, healthProblem } from "./health-problem";
import { type InspectedAgent, notReady } from "./inspected-agent";
import { type Leadership, leadership, otherLeaders, unhealthyServers, unreachableAgents } from "./leader";
import { type LockEntry, locksOf } from "./locks";
import { isOurs, NODE_FLAG, nodeOf } from "./ownership";
import { PATIENT, probeAgent, type Timeouts } from "./probe";

/** Hosts that are inspected in parallel: each takes a docker CLI and an ssh connection. */
export const PARALLEL_HOSTS = 32;
/** Agents of one host that are probed in parallel. */
const PARALLEL_AGENTS = 8;

/** Everything that was found, and the problems. */
export interface Inspection {
  readonly problems: readonly HealthProblem[];
  readonly hosts: readonly InspectedHost[];
  readonly agents: readonly InspectedAgent[];
  /** Undefined when no agent knows a leader. */
  readonly leader?: Leadership;
  readonly locks: readonly LockEntry[];
}

export interface InspectedHost {
  readonly host: HostDescription;
  /** Its Docker daemon's version; undefined when the host is unreachable. */
  readonly version?: string;
  /** Why the host is unreachable. */
  readonly why?: string;
}

/** The resources in the Terraform states of all stacks, or why these could not be read. */
export type KnownResources = readonly StateResource[] | string;

export interface InspectionOptions {
  readonly timeouts?: Timeouts;
  /** Called for each unreachable host, as soon as it is known. */
  readonly onUnreachable?: (host: HostDescription, why: string) => void;
}

/** Inspects every host and every agent, without changing anything. Agents that are to be decommissioned are skipped. */
export async function inspect(
  cluster: Cluster,
  resources: KnownResources | Promise<KnownResources>,
  options: InspectionOptions = {},
): Promise<Inspection> {
  const { timeouts = PATIENT, onUnreachable } = options;
  const inspector = new Inspector(cluster, Promise.resolve(resources).then(indexState), timeouts);
  const hosts = await parallel(cluster.hosts, PARALLEL_HOSTS, async (host) => {
    const inspected = await inspector.host(host);
    if (inspected.why !== undefined) onUnreachable?.(host, inspected.why);
    return inspected;
  });
  const { unread, containers } = await inspector.state;
  return conclude(cluster, hosts, { stateEmpty: !unread && containers.size === 0 });
}

/** Finds the problems in everything that was inspected. */
export function conclude(
  { agents: file }: Cluster,
  hosts: readonly HostInspection[],
  { stateEmpty }: { readonly stateEmpty: boolean },
): Inspection {
  const agents = hosts.flatMap((host) => host.agents).sort((a, b) => (a.agent.name < b.agent.name ? -1 : 1));
  const leader = leadership(agents);
  const ofHosts = hosts.flatMap(({ host, why }) => (why === undefined ? [] : [unreachableHost(host, why)]));
  const wrongState = stateEmpty && agents.some(({ container }) => container);
  const recorded = new Set(agents.flatMap(({ agent, resource }) => (resource ? [agent.host.group] : [])));
  // An agent that has never been ready is of a deploy that was killed: its stack's Terraform state is not lost.
  const isLost = (agent: InspectedAgent) => !recorded.has(agent.agent.host.group) && notReady(agent) === undefined;
  const problemsOf = (agent: InspectedAgent) =>
    agentProblems(agent, wrongState ? "cluster" : isLost(agent) ? "stack" : undefined);
  const ofAgents = [...agents.flatMap(problemsOf), ...otherLeaders(agents, leader)];
  if (leader) ofAgents.push(...unhealthyServers(file, leader, [...ofHosts, ...ofAgents]));
  if (leader) ofAgents.push(...unreachableAgents(agents, leader, ofAgents));
  return {
    hosts: hosts.map(({ host, version, why }) => ({ host, version, why })),
    agents,
    leader,
    locks: locksOf(leader?.source?.view),
    problems: [
      ...ofHosts,
      ...(wrongState ? ofAgents.map(withoutFix) : ofAgents),
      ...hosts.flatMap(({ orphaned }) => orphaned),
    ],
  };
}

const unreachableHost = ({ name: host }: HostDescription, why: string): HealthProblem =>
  healthProblem({
    code: "host-unreachable",
    host,
    message: `its Docker daemon is unreachable: ${why}`,
    summary: "its Docker daemon is unreachable",
    hint: "start the host or its Docker daemon, or restore the network to it",
  });

/**
 * Containers beside an empty Terraform state mean that it is the wrong state, of another folder, `name` or `backend`, or
 * that they are of another cluster. A fix by that state would remove a working cluster.
 */
function withoutFix({ fix: _, ...problem }: HealthProblem): HealthProblem {
  return {
    ...problem,
    hint: "if this cluster was deployed, its Terraform state is in another folder, or under another `name:` or `backend:`. If that is lost: npm run adopt (docs/lost-state.md). If it never was, the container is of another cluster, or made by hand: docs/adopting.md",
  };
}

/** What the Terraform state knows of containers and images. */
interface StateIndex {
  readonly unread: boolean;
  /** By the agents' names. */
  readonly containers: ReadonlyMap<string, StateResource>;
  readonly containerIds: ReadonlySet<unknown>;
  /** Resources of type terraform_data, by name. */
  readonly steps: ReadonlyMap<string, StateResource>;
  /** Names of images, by their ids. */
  readonly images: ReadonlyMap<unknown, string>;
}

function indexState(known: KnownResources): StateIndex {
  const resources = typeof known === "string" ? [] : known;
  const ofType = (type: string) => resources.filter((resource) => resource.type === type);
  const containers = ofType("docker_container");
  return {
    unread: typeof known === "string",
    containers: new Map(containers.filter(({ deposed }) => !deposed).map((resource) => [resource.name, resource])),
    containerIds: containerIds(resources),
    steps: new Map(ofType("terraform_data").map((resource) => [resource.name, resource])),
    images: new Map(ofType("docker_image").map(({ attributes }) => [attributes.image_id, String(attributes.name)])),
  };
}

/** What was found on a host. */
export interface HostInspection extends InspectedHost {
  readonly agents: readonly InspectedAgent[];
  readonly orphaned: readonly HealthProblem[];
}

/** Inspects hosts, and compares them with the Terraform state. */
class Inspector {
  private readonly agents: ReadonlyMap<HostDescription, readonly AgentDescription[]>;

  constructor(
    private readonly cluster: Cluster,
    readonly state: Promise<StateIndex>,
    private readonly timeouts: Timeouts,
  ) {
    this.agents = new Map(
      cluster.hosts.map((host) => [host, cluster.agents.filter((agent) => agent.host === host && !agent.decommission)]),
    );
  }

  async host(host: HostDescription): Promise<HostInspection> {
    const nothing = { host, agents: [], orphaned: [] };
    const answer = await pingDaemon(host, this.timeouts.daemon);
    if ("why" in answer) return { ...nothing, why: answer.why };
    const agents = this.agents.get(host) ?? [];
    try {
      const names = agents.map(({ container }) => container);
      const [containers, orphaned] = await Promise.all([
        inspectContainers(host.daemon, names, this.timeouts.answer),
        this.orphaned(host),
      ]);
      const find = ({ container }: AgentDescription) => containers.find(({ Name }) => Name === `/${container}`);
      return {
        host,
        ...answer,
        orphaned,
        agents: await parallel(agents, PARALLEL_AGENTS, (agent) => this.agent(agent, find(agent))),
      };
    } catch (error) {
      return { ...nothing, why: (error as Error).message };
    }
  }

  private async agent(agent: AgentDescription, container: Container | undefined): Promise<InspectedAgent> {
    const { unread, containers, images, steps } = await this.state;
    const resource = containers.get(agent.name);
    const known = {
      agent,
      resource,
      container,
      image: images.get(container?.Image),
      ...(unread && { stateUnread: true as const }),
    };
    const report = () => container && containerReport(docker(agent.host.daemon), container.Id, this.timeouts.answer);
    if (!container?.State.Running) return { ...known, view: "its container does not run", report: await report() };
    const uploads = (resource?.attributes.upload ?? []) as readonly { file: string }[];
    const secrets = unread ? undefined : deliveredSecrets(this.cluster, agent, steps.get(secretsId(agent.name)));
    const files = [...new Set([...uploads.map(({ file }) => file), ...(secrets?.hashes.keys() ?? [])])];
    const view = await probeAgent(this.cluster, agent, { files, timeouts: this.timeouts });
    const probed = { ...known, secrets, view };
    return notReady(probed) ? { ...probed, report: await report() } : probed;
  }

  /** Containers of an earlier deploy that are in no Terraform state, under other names than the agents' present ones. */
  private async orphaned({ name: host, daemon }: HostDescription): Promise<HealthProblem[]> {
    const [containers, { unread, containerIds }] = await Promise.all([
      containersWith(daemon, NODE_FLAG, this.timeouts.answer),
      this.state,
    ]);
    if (unread) return [];
    return orphanedContainers(this.cluster, containers, containerIds).map(({ Name, State }) => {
      const container = Name.slice(1);
      return healthProblem({
        code: "container-orphaned",
        host,
        message: `container ${container} (${State.Status}) is of an earlier deploy, and in no Terraform state`,
        hint: `if it is not needed: docker stop -t 30 ${container} && docker rm ${container}`,
      });
    });
  }
}

/** Of a host's containers, those that this product made for an agent of the file, and that neither the state nor the file has. */
export function orphanedContainers(
  { agents }: Cluster,
  containers: readonly Container[],
  stateIds: ReadonlySet<unknown>,
): Container[] {
  const names = new Set(agents.map(({ container }) => `/${container}`));
  const nodes = new Set<string | undefined>(agents.map(({ node }) => node));
  return containers.filter(
    (container) =>
      isOurs(container) &&
      !stateIds.has(container.Id) &&
      !names.has(container.Name) &&
      nodeOf(container) !== undefined &&
      nodes.has(nodeOf(container)),
  );
}
