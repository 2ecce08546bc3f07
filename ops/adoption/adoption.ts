import type { AgentDescription, Cluster } from "../../cluster/model";
import { STOP_TIMEOUT_SECONDS } from "../../constructs/agent-container";
import { type AgentView, apiOf, viewAgent } from "../consul-api/agent-view";
import { consulApi } from "../consul-api/consul-api";
import { type Container, inspectContainer } from "../docker/container";
import { docker } from "../docker/docker";
import { type ContainerOverride, ProvisionerRunner } from "../terraform/provisioner-runner";
import { must, planSuccessor } from "../terraform/replacement";
import { readState, type StackState, type StateResource } from "../terraform/state";
import { type Stack, stackOf } from "../terraform/synth";
import { terraform } from "../terraform/terraform";
import { DataVolume } from "./data-volume";
import { dataFolder, type Mismatch, mismatches, sharesData } from "./unmanaged";

/** How far an agent has come on its way from the container that somebody made to the one that Terraform makes. */
export type Stage =
  /** Nobody runs it: a deploy makes it. */
  | "absent"
  /** It runs in the container that somebody made. */
  | "hand-made"
  /** That container is stopped and set aside, and Terraform's is not in yet. */
  | "half-way"
  | "adopted";

/** An agent, and what there is of it on its host. */
export interface AdoptionStatus {
  readonly agent: AgentDescription;
  readonly stage: Stage;
  /** The container that somebody made, under its own name or set aside. */
  readonly old?: Container;
  /** What it says of itself, while it runs. */
  readonly view?: AgentView;
}

/** Something that has to be mended before anything is touched. */
export interface Obstacle extends Mismatch {
  readonly agent: string;
  readonly host: string;
}

/** Name of the container that was the agent's before it was adopted. */
export const retiredContainerName = ({ container }: AgentDescription): string => `${container}-before`;

/** The move of a cluster's agents, one at a time, from containers that somebody made to Terraform's. */
export class Adoption {
  /**
   * @param names containers that are not called as the file calls them, by agent
   * @param hidden a folder that only this user can open: a plan holds the state
   */
  constructor(
    private readonly cluster: Cluster,
    private readonly stacks: readonly Stack[],
    private readonly names: ReadonlyMap<string, string>,
    private readonly hidden: string,
    private readonly say: (line: string) => void,
  ) {}

  /** What there is of an agent on its host, and what speaks against moving it. Touches nothing. */
  async look(
    agent: AgentDescription,
    resources: readonly StateResource[],
  ): Promise<{ standing: AdoptionStatus; obstacles: Obstacle[] }> {
    const { daemon } = agent.host;
    const of = (type: string) =>
      resources.find((each) => each.type === type && each.name === agent.name && !each.deposed);
    const recorded = of("docker_container")?.attributes.id;
    const [current, old, aside] = await Promise.all([
      inspectContainer(daemon, agent.container),
      inspectContainer(daemon, this.oldName(agent)),
      inspectContainer(daemon, retiredContainerName(agent)),
    ]);
    const gate = of("terraform_data");
    const stands = recorded !== undefined && recorded === current?.Id;
    if (stands && (!aside || (gate && !gate.tainted)))
      return { standing: { agent, stage: "adopted", old: aside }, obstacles: [] };
    if (aside) return { standing: { agent, stage: "half-way", old: aside }, obstacles: [] };
    if (!old) return { standing: { agent, stage: "absent" }, obstacles: [] };
    const against = (what: string, hint: string) => ({
      standing: { agent, stage: "hand-made", old } as const,
      obstacles: [{ agent: agent.name, host: agent.host.name, what, hint }],
    });
    if (recorded !== undefined)
      return against(
        "the state has another container for it",
        `if that is gone: terraform -chdir=${this.stackOf(agent).folder} state rm docker_container.${agent.name}`,
      );
    if (!old.State.Running)
      return against(`its container ${this.oldName(agent)} does not run`, `docker start ${this.oldName(agent)}`);
    try {
      const view = await viewAgent(agent, this.oldName(agent));
      const found = mismatches(this.cluster, agent, old, view);
      if (!sharesData(old, agent) && (await this.place(agent, old).look()) === "data")
        found.push({
          what: `${agent.data} has data already`,
          hint: `choose another \`data\`; if nobody needs it, remove it there: ${agent.data.startsWith("/") ? "the folder's content" : `docker volume rm ${agent.data}`}`,
        });
      return {
        standing: { agent, stage: "hand-made", old, view },
        obstacles: found.map((each) => ({ agent: agent.name, host: agent.host.name, ...each })),
      };
    } catch (error) {
      const { local } = agent.endpoints;
      return against(
        `its API does not answer at ${local} in ${this.oldName(agent)}: ${(error as Error).message}`,
        "set `client_addr` and `ports: { http: }` to where it listens",
      );
    }
  }

  /** Sees to it that the hosts have the successors' images, with the provider's credentials. */
  async pullImages(agents: readonly AgentDescription[]): Promise<void> {
    for (const stack of this.stacks) {
      const targets = agents
        .filter((agent) => this.stackOf(agent) === stack)
        .map(({ name }) => `-target=docker_image.${name}`);
      if (targets.length === 0) continue;
      this.say(
        `stack ${stack.name}: making sure that the image is on ${targets.length === 1 ? "its host" : `its ${targets.length} hosts`}`,
      );
      await must(stack.folder, "apply", "-auto-approve", ...targets);
    }
  }

  /** Whether an agent's successor would be of another version: its data may not be readable by both, so that there would be no way back. */
  async versionObstacle({ agent, view }: AdoptionStatus): Promise<Obstacle | undefined> {
    const image = this.questions(agent).image(agent.name);
    const { output } = await docker(
      agent.host.daemon,
      ["run", "--rm", "--network=none", "--entrypoint=consul", image, "version"],
      60,
    );
    const version = /v(\S+)/.exec(output)?.[1];
    const running = view?.self.Config.Version;
    if (version === running) return undefined;
    return {
      agent: agent.name,
      host: agent.host.name,
      what: `it runs Consul ${running}, and ${image} is ${version}`,
      hint: `set \`image: hashicorp/consul:${running}\`; upgrade by a deploy afterwards`,
    };
  }

  /**
   * Moves one agent. If its successor does not get in, the old container is put back.
   * @throws with the reason, when the agent has not been moved
   */
  async move({ agent, stage, old }: AdoptionStatus): Promise<void> {
    if (!old) throw new Error(`${agent.name}: there is no container to move`);
    if (stage === "half-way") await this.removeUnrecorded(agent);
    // Whatever can be done while the old container runs is done before it stops.
    const start = await planSuccessor(this.stackOf(agent).folder, agent.name, this.hidden);
    const bringData = await this.prepareData(agent, old, stage);
    if (stage === "hand-made") await this.setAside(agent, old);
    try {
      await bringData();
      this.say(`${agent.name}: starting its successor`);
      await start();
    } catch (error) {
      this.say(`${agent.name}: its successor does not get in: putting the old container back`);
      await this.putBack(agent, old);
      throw error;
    }
    this.say(`${agent.name}: adopted`);
  }

  /** Makes the container that somebody made the agent's again, with the data as it is now. Asks first, when the successor runs. */
  async putBack(agent: AgentDescription, old: Container): Promise<void> {
    const { daemon } = agent.host;
    const successor = await inspectContainer(daemon, agent.container);
    if (successor) {
      const refusal = await this.questions(agent).checkBeforeStop(agent.name, {
        container: agent.container,
        node: agent.node,
      });
      if (refusal) throw new Error(refusal);
      this.say(`${agent.name}: stopping its successor`);
      await this.docker(agent, "update", "--restart=no", agent.container);
      await this.docker(agent, "stop", "-t", String(STOP_TIMEOUT_SECONDS), agent.container);
    }
    const place = this.place(agent, old);
    if (!sharesData(old, agent) && (await place.look()) === "data")
      await place.giveBackTo(retiredContainerName(agent), dataFolder(old));
    if (successor) await this.docker(agent, "rm", agent.container);
    await this.forget(agent);
    await this.docker(agent, "rename", retiredContainerName(agent), this.oldName(agent));
    await this.docker(agent, "update", `--restart=${agent.restart}`, this.oldName(agent));
    await this.docker(agent, "start", this.oldName(agent));
    const refusal = await this.questions(agent, this.inOld(agent)).waitUntilReady(agent.name);
    if (refusal) throw new Error(`${agent.name}: its old container runs again, but is not in: ${refusal}`);
    this.say(`${agent.name}: its old container runs again, and is in`);
  }

  /** Asks as before any stop; then the agent stops, and its container makes room for its successor. */
  private async setAside(agent: AgentDescription, old: Container): Promise<void> {
    const name = this.oldName(agent);
    const refusal = await this.questions(agent, this.inOld(agent)).checkBeforeStop(agent.name, {
      container: name,
      node: agent.node,
    });
    if (refusal) throw new Error(refusal);
    const { self } = await viewAgent(agent, name);
    if (self.Stats.raft?.state === "Leader") await this.handLeadershipOver(agent);
    this.say(`${agent.name}: stopping ${name}`);
    // Or it would come back with its daemon, beside its successor.
    await this.docker(agent, "update", "--restart=no", name);
    // An agent that leaves when it is stopped takes its services and sessions out of the catalog, a server its vote. What it has is on its disk already.
    if (self.DebugConfig.LeaveOnTerm) await this.docker(agent, "kill", name);
    else await this.docker(agent, "stop", "-t", String(STOP_TIMEOUT_SECONDS), name);
    await this.docker(agent, "rename", old.Id, retiredContainerName(agent));
  }

  /** Users would wait for an election otherwise. Consul can do so since 1.15; before, they wait. */
  private async handLeadershipOver(agent: AgentDescription): Promise<void> {
    const asked = await consulApi(
      apiOf(agent, this.oldName(agent)),
      ["-f", "-X", "POST", "/v1/operator/raft/transfer-leader"],
      10,
    );
    const end = Date.now() + 8000;
    while (asked.ok && Date.now() < end) {
      const { self } = await viewAgent(agent, this.oldName(agent));
      if (self.Stats.raft?.state !== "Leader") return this.say(`${agent.name}: handed leadership over`);
      await new Promise((resume) => setTimeout(resume, 200));
    }
  }

  /** @returns what brings the data to its new place, once the old container is stopped */
  private async prepareData(agent: AgentDescription, old: Container, stage: Stage): Promise<() => Promise<void>> {
    const place = this.place(agent, old);
    // Whole once, it is not copied again: a successor may have gone on from there.
    if (sharesData(old, agent) || (stage === "half-way" && (await place.look()) === "data"))
      return async () => undefined;
    await place.makeRoom();
    return async () => {
      this.say(`${agent.name}: copying its data to ${agent.data}`);
      await place.fillFrom(retiredContainerName(agent), dataFolder(old));
    };
  }

  /** A deploy that was killed may leave a container that no state knows, under the name that its next try needs. */
  private async removeUnrecorded(agent: AgentDescription): Promise<void> {
    const { resources } = await this.stateOf(agent);
    const left = await inspectContainer(agent.host.daemon, agent.container);
    const known = resources.some(({ type, attributes }) => type === "docker_container" && attributes.id === left?.Id);
    if (!left || known) return;
    const refusal = await this.questions(agent).checkBeforeStop(agent.name, {
      container: agent.container,
      node: agent.node,
    });
    if (refusal) throw new Error(refusal);
    await this.docker(agent, "stop", "-t", String(STOP_TIMEOUT_SECONDS), agent.container);
    await this.docker(agent, "rm", agent.container);
  }

  private async forget(agent: AgentDescription): Promise<void> {
    const { resources } = await this.stateOf(agent);
    const addresses = resources
      .filter(({ type, name }) => name === agent.name && (type === "docker_container" || type === "terraform_data"))
      .map(({ address }) => address);
    if (addresses.length === 0) return;
    const { exitCode, error } = await terraform(this.stackOf(agent).folder, ["state", "rm", ...addresses]);
    if (exitCode !== 0) throw new Error(`${agent.name}: the state does not forget it: ${error}`);
  }

  private async docker(agent: AgentDescription, ...args: string[]): Promise<void> {
    const { ok, error } = await docker(agent.host.daemon, args, 2 * STOP_TIMEOUT_SECONDS);
    if (!ok) throw new Error(`${agent.name}: docker ${args.join(" ")}: ${error}`);
  }

  private place(agent: AgentDescription, old: Container): DataVolume {
    return new DataVolume(agent.host.daemon, agent.data, old.Image);
  }

  /** @param asked where the questions about this agent are put, if not to the container that the file describes */
  private questions(agent: AgentDescription, asked?: ContainerOverride): ProvisionerRunner {
    return new ProvisionerRunner(this.stackOf(agent).folder, this.say, asked && new Map([[agent.container, asked]]));
  }

  private inOld(agent: AgentDescription): ContainerOverride {
    return { name: this.oldName(agent), http: agent.endpoints.local };
  }

  private oldName({ name, container }: AgentDescription): string {
    return this.names.get(name) ?? container;
  }

  private stackOf({ name }: AgentDescription): Stack {
    return stackOf(this.stacks, name);
  }

  private stateOf(agent: AgentDescription): Promise<StackState> {
    return readState(this.stackOf(agent).folder);
  }
}
