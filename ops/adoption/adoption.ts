import type { CodeOf } from "../../cluster/catalogue";
import type { AgentDescription, Cluster } from "../../cluster/model";
import { STOP_TIMEOUT_SECONDS } from "../../consul/contract";
import { SYSTEM_CLOCK } from "../../rollout/clock";
import { transferLeadership } from "../../rollout/leadership";
import { withAgent } from "../docker/agent";
import { type Container, inspectContainer } from "../docker/container";
import { docker } from "../docker/docker";
import { type AgentProbe, type ProbeOptions, probeAgent } from "../inspect/probe";
import { must, planSuccessor } from "../terraform/replacement";
import { type ContainerOverride, RolloutRunner } from "../terraform/rollout-runner";
import { readState, type StackState, type StateResource } from "../terraform/state";
import { type Stack, stackOf } from "../terraform/synth";
import { terraform } from "../terraform/terraform";
import { type AdoptionProblem, adoptionProblem } from "./adoption-problem";
import { type AgentAdoption, adoptionState, type FoundContainers, retiredContainerName } from "./adoption-state";
import { DataVolume } from "./data-volume";
import { hasKnownSecrets, secretFiles } from "./known-secrets";
import { dataFolder, mismatches, sharesData, unknownServers } from "./unmanaged";

/** Moves a cluster's agents, one at a time, from unmanaged containers to Terraform's. */
export class Adoption {
  /**
   * @param names names of containers that differ from the file's, by agent
   * @param tempDir a folder that only this user can open, because a plan contains the Terraform state
   */
  constructor(
    private readonly cluster: Cluster,
    private readonly stacks: readonly Stack[],
    private readonly names: ReadonlyMap<string, string>,
    private readonly tempDir: string,
    private readonly log: (line: string) => void,
  ) {}

  /** Finds an agent's containers and adoption state, and the problems of moving it. Changes nothing. */
  async inspect(
    agent: AgentDescription,
    resources: readonly StateResource[],
  ): Promise<{ adoption: AgentAdoption; problems: readonly AdoptionProblem[] }> {
    const { daemon } = agent.host;
    const [current, unmanaged, retired] = await Promise.all([
      inspectContainer(daemon, agent.container),
      inspectContainer(daemon, this.originalName(agent)),
      inspectContainer(daemon, retiredContainerName(agent)),
    ]);
    const containers: FoundContainers = { current, unmanaged, retired };
    const { adoption, recorded } = adoptionState(this.cluster.name, agent, containers, resources);
    if (adoption.unrecorded) return this.inspectOwn(adoption, adoption.unrecorded, resources);
    if (adoption.state !== "unmanaged" || !adoption.original) return { adoption, problems: [] };
    const { original } = adoption;
    const name = this.originalName(agent);
    const only = (problem: AdoptionProblem) => ({ adoption, problems: [problem] });
    if (recorded) {
      const message = "the Terraform state has another container for it";
      const command = `terraform -chdir=${this.stackOf(agent).folder} state rm docker_container.${agent.name}`;
      return only(adoptionProblem(agent, "adopt-already-recorded", message, `if that is gone: ${command}`));
    }
    if (!original.State.Running) {
      const message = `its container ${name} does not run`;
      return only(adoptionProblem(agent, "adopt-not-running", message, `docker start ${name}`));
    }
    try {
      const view = await this.probe(agent);
      const problems = mismatches(this.cluster, agent, original, view);
      if (!sharesData(original, agent) && (await this.dataVolume(agent, original).inspect()) === "data") {
        const message = `${agent.data} has data already`;
        problems.push(adoptionProblem(agent, "adopt-data-exists", message, dataHint(agent)));
      }
      return { adoption: { ...adoption, view }, problems };
    } catch (error) {
      const { local } = agent.endpoints;
      const message = `its API is unreachable at ${local} in ${name}: ${(error as Error).message}`;
      const hint = "set `client_addr` and `ports: { http: }` to its address and port";
      return only(adoptionProblem(agent, "adopt-api-unreachable", message, hint));
    }
  }

  /** What is wrong with an agent in Terraform's own container, which the Terraform state does not have. */
  private async inspectOwn(
    adoption: AgentAdoption,
    container: Container,
    resources: readonly StateResource[],
  ): Promise<{ adoption: AgentAdoption; problems: readonly AdoptionProblem[] }> {
    const { agent } = adoption;
    const name = agent.container;
    const only = (code: CodeOf<"adoption">, message: string, hint: string) => ({
      adoption,
      problems: [adoptionProblem(agent, code, message, hint)],
    });
    const other = resources.find(
      ({ type, name: id, deposed }) => type === "docker_container" && id === agent.name && !deposed,
    );
    const otherId = String(other?.attributes.id);
    if (other && (await inspectContainer(agent.host.daemon, otherId)))
      return only(
        "adopt-already-recorded",
        `the Terraform state has another container for it, ${otherId.slice(0, 12)}, which exists too`,
        "keep the one that runs, and remove the other one",
      );
    if (!container.State.Running)
      return only("adopt-not-running", `its container ${name} does not run`, `docker start ${name}`);
    if (!sharesData(container, agent))
      return only(
        "adopt-setting-differs",
        `its container ${name} does not have its data in ${agent.data}: a deploy would replace it by one without its data`,
        "set `data` to the volume or folder of its data, which docker inspect shows",
      );
    const secrets = secretFiles(this.cluster, agent);
    try {
      const view = await this.probe(agent, { container: name, files: secrets });
      const problems = unknownServers(this.cluster, agent, view);
      if (
        !hasKnownSecrets(
          this.cluster,
          agent,
          secrets.flatMap((file) => view.files.get(file) ?? []),
        )
      )
        problems.push(
          adoptionProblem(
            agent,
            "adopt-other-secrets",
            "its container has secrets that this folder never had: the folder is an older copy, or another one",
            "get the folder, or a new export of it, from where the secrets were changed last",
          ),
        );
      return { adoption: { ...adoption, view }, problems };
    } catch (error) {
      return only(
        "adopt-api-unreachable",
        `its API is unreachable at ${agent.endpoints.local} in ${name}: ${(error as Error).message}`,
        `docker logs ${name}`,
      );
    }
  }

  /** @throws when a request to the API in the agent's container fails */
  private async probe(
    agent: AgentDescription,
    options: ProbeOptions = { container: this.originalName(agent) },
  ): Promise<AgentProbe> {
    const view = await probeAgent(this.cluster, agent, { scope: "cluster", ...options });
    if (typeof view === "string") throw new Error(view);
    if (view.members.length === 0) throw new Error("it does not list its members");
    if (view.leader !== "" && !view.peers) throw new Error("it does not list its Raft peers");
    return view;
  }

  /** Pulls the successors' images to the hosts, with the provider's credentials. */
  async pullImages(agents: readonly AgentDescription[]): Promise<void> {
    for (const stack of this.stacks) {
      const targets = agents
        .filter((agent) => this.stackOf(agent) === stack)
        .map(({ name }) => `-target=docker_image.${name}`);
      if (targets.length === 0) continue;
      const hosts = targets.length === 1 ? "its host" : `its ${targets.length} hosts`;
      this.log(`stack ${stack.name}: pulling the image on ${hosts}, if it is missing`);
      await must(stack.folder, "apply", "-auto-approve", ...targets);
    }
  }

  /** A successor of another version may change the data so that the original cannot read it, and there would be no way back. */
  async versionProblem({ agent, view }: AgentAdoption): Promise<AdoptionProblem | undefined> {
    const image = this.provisioners(agent).image(agent.name);
    const { output } = await docker(agent.host.daemon).run([
      ...["run", "--rm", "--network=none", "--entrypoint=consul", image, "version"],
    ]);
    const version = /v(\S+)/.exec(output)?.[1];
    const running = view?.version;
    if (version === running) return undefined;
    const message = `it runs Consul ${running}, and ${image} is ${version}`;
    const hint = `set \`image: hashicorp/consul:${running}\`; upgrade by a deploy afterwards`;
    return adoptionProblem(agent, "adopt-version-differs", message, hint);
  }

  /**
   * Moves one agent. If its successor does not become ready, the original container is restored.
   * @throws with the reason, when the agent has not been moved
   */
  async move({ agent, state, original }: AgentAdoption): Promise<void> {
    if (!original) throw new Error(`${agent.name}: there is no container to move`);
    if (state === "in-progress") await this.removeUnrecorded(agent);
    // Everything that is possible while the original container runs is done before it stops.
    const start = await planSuccessor(this.stackOf(agent).folder, agent.name, this.tempDir);
    const copyData = await this.prepareData(agent, original, state);
    if (state === "unmanaged") await this.retire(agent, original);
    try {
      await copyData();
      this.log(`${agent.name}: starting its successor`);
      await start();
    } catch (error) {
      this.log(`${agent.name}: its successor is not ready: restoring the original container`);
      await this.restore(agent, original);
      throw error;
    }
    this.log(`${agent.name}: adopted`);
  }

  /** Restores an agent's original container, with its current data. A successor that runs has its pre-stop check first. */
  async restore(agent: AgentDescription, original: Container): Promise<void> {
    const { daemon } = agent.host;
    const successor = await inspectContainer(daemon, agent.container);
    if (successor) {
      const denial = await this.provisioners(agent).checkBeforeStop(agent.name, {
        container: agent.container,
        node: agent.node,
      });
      if (denial) throw new Error(denial);
      this.log(`${agent.name}: stopping its successor`);
      await this.docker(agent, "update", "--restart=no", agent.container);
      await this.docker(agent, "stop", "-t", String(STOP_TIMEOUT_SECONDS), agent.container);
    }
    const volume = this.dataVolume(agent, original);
    if (!sharesData(original, agent) && (await volume.inspect()) === "data")
      await volume.copyBackTo(retiredContainerName(agent), dataFolder(original));
    if (successor) await this.docker(agent, "rm", agent.container);
    await this.removeFromState(agent);
    await this.docker(agent, "rename", retiredContainerName(agent), this.originalName(agent));
    await this.docker(agent, "update", `--restart=${agent.restart}`, this.originalName(agent));
    await this.docker(agent, "start", this.originalName(agent));
    const denial = await this.provisioners(agent, this.original(agent)).waitUntilReady(agent.name);
    if (denial) throw new Error(`${agent.name}: its original container runs again, but is not ready: ${denial}`);
    this.log(`${agent.name}: its original container runs again, and is ready`);
  }

  /** Stops an agent after its pre-stop check, and renames its container to make room for the successor. */
  private async retire(agent: AgentDescription, original: Container): Promise<void> {
    const name = this.originalName(agent);
    const denial = await this.provisioners(agent, this.original(agent)).checkBeforeStop(agent.name, {
      container: name,
      node: agent.node,
    });
    if (denial) throw new Error(denial);
    const view = await this.probe(agent);
    if (view.raft === "Leader" && (await this.transferLeadership(agent)))
      this.log(`${agent.name}: transferred leadership`);
    this.log(`${agent.name}: stopping ${name}`);
    // Otherwise it would start again with its Docker daemon, beside its successor.
    await this.docker(agent, "update", "--restart=no", name);
    // An agent that leaves on SIGTERM would deregister its services and sessions, and a server its vote. Its data is on the disk already.
    if (view.settings.leavesOnTerm) await this.docker(agent, "kill", name);
    else await this.docker(agent, "stop", "-t", String(STOP_TIMEOUT_SECONDS), name);
    await this.docker(agent, "rename", original.Id, retiredContainerName(agent));
  }

  private transferLeadership(agent: AgentDescription): Promise<boolean> {
    const container = this.originalName(agent);
    return withAgent(agent, ({ api }) => transferLeadership(api, SYSTEM_CLOCK), { container });
  }

  /** @returns a function that copies the data, once the original container is stopped */
  private async prepareData(
    agent: AgentDescription,
    original: Container,
    state: AgentAdoption["state"],
  ): Promise<() => Promise<void>> {
    const volume = this.dataVolume(agent, original);
    // A complete copy is not made again, because a successor may have continued with it.
    if (sharesData(original, agent) || (state === "in-progress" && (await volume.inspect()) === "data"))
      return async () => undefined;
    await volume.makeRoom();
    return async () => {
      this.log(`${agent.name}: copying its data to ${agent.data}`);
      await volume.fillFrom(retiredContainerName(agent), dataFolder(original));
    };
  }

  /** A killed deploy may leave a container that is not in the Terraform state, under the name that the next attempt needs. */
  private async removeUnrecorded(agent: AgentDescription): Promise<void> {
    const { resources } = await this.stateOf(agent);
    const container = await inspectContainer(agent.host.daemon, agent.container);
    const isRecorded = resources.some(
      ({ type, attributes }) => type === "docker_container" && attributes.id === container?.Id,
    );
    if (!container || isRecorded) return;
    const denial = await this.provisioners(agent).checkBeforeStop(agent.name, {
      container: agent.container,
      node: agent.node,
    });
    if (denial) throw new Error(denial);
    await this.docker(agent, "stop", "-t", String(STOP_TIMEOUT_SECONDS), agent.container);
    await this.docker(agent, "rm", agent.container);
  }

  private async removeFromState(agent: AgentDescription): Promise<void> {
    const { resources } = await this.stateOf(agent);
    const addresses = resources
      .filter(({ type, name }) => name === agent.name && (type === "docker_container" || type === "terraform_data"))
      .map(({ address }) => address);
    if (addresses.length === 0) return;
    const { exitCode, error } = await terraform(this.stackOf(agent).folder, ["state", "rm", ...addresses]);
    if (exitCode !== 0) throw new Error(`${agent.name}: terraform state rm: ${error}`);
  }

  private async docker(agent: AgentDescription, ...args: string[]): Promise<void> {
    const { ok, error } = await docker(agent.host.daemon).run(args, { seconds: 2 * STOP_TIMEOUT_SECONDS });
    if (!ok) throw new Error(`${agent.name}: docker ${args.join(" ")}: ${error}`);
  }

  private dataVolume(agent: AgentDescription, original: Container): DataVolume {
    return new DataVolume(agent.host.daemon, agent.data, original.Image);
  }

  /** @param override the container that runs the agent, if it is not the one in the file */
  private provisioners(agent: AgentDescription, override?: ContainerOverride): RolloutRunner {
    const overrides = override && new Map([[agent.container, override]]);
    return new RolloutRunner(this.stackOf(agent).folder, this.log, overrides);
  }

  private original(agent: AgentDescription): ContainerOverride {
    return { name: this.originalName(agent), http: agent.endpoints.local };
  }

  private originalName({ name, container }: AgentDescription): string {
    return this.names.get(name) ?? container;
  }

  private stackOf({ name }: AgentDescription): Stack {
    return stackOf(this.stacks, name);
  }

  private stateOf(agent: AgentDescription): Promise<StackState> {
    return readState(this.stackOf(agent).folder);
  }
}

const dataHint = ({ data }: AgentDescription): string => {
  const command = data.startsWith("/") ? "delete the folder's content" : `docker volume rm ${data}`;
  return `choose another \`data\`; or, if nobody needs the data, on the host: ${command}`;
};
