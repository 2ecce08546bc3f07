import { join } from "node:path";
import type { Cluster, Daemon, HostDescription } from "../../cluster/model";
import { backupsId, hostOfAlias, registratorId } from "../../consul/contract";
import { type Container, inspectContainer, inspectImage, networkId, readFileIn } from "../docker/container";
import { mayBelongTo, ownerOf } from "../inspect/ownership";
import { parallel } from "../parallel";
import { pushText } from "../terraform/moved-state";
import { type Plan, type PlannedResource, plan, planTo, type Values } from "../terraform/plan";
import { type StateEntry, withEntries } from "../terraform/recorded-state";
import { must } from "../terraform/replacement";
import { pullText, readState, type StackState, type StateResource } from "../terraform/state";
import type { Stack } from "../terraform/synth";
import { terraform } from "../terraform/terraform";
import { type AdoptionProblem, adoptionProblem } from "./adoption-problem";
import { comparedFiles, containerAttributes } from "./container-attributes";

/** A container of the product that the Terraform state of its stack does not have. */
export interface UnrecordedContainer {
  readonly stack: Stack;
  /** Its Terraform id. */
  readonly id: string;
  readonly host: HostDescription;
  readonly container: Container;
}

/** A container that a Terraform state has, and that is neither in the file nor on its host. */
export interface GoneContainer {
  readonly stack: Stack;
  /** Its address in the Terraform state. */
  readonly address: string;
}

/** Docker CLIs at the same time. */
const AT_ONCE = 10;

/**
 * Writes containers of the product into Terraform states that do not have them, as if Terraform had created them. It touches
 * no container.
 */
export class Recorder {
  constructor(
    private readonly cluster: Cluster,
    /** A folder that only this user can open, because a plan contains the Terraform state. */
    private readonly tempDir: string,
    private readonly log: (line: string) => void,
  ) {}

  /** Finds unrecorded registrators and containers of scheduled backups, and what is wrong with them. */
  async besideAgents(
    stacks: readonly Stack[],
    resources: readonly StateResource[],
  ): Promise<{ found: UnrecordedContainer[]; problems: AdoptionProblem[] }> {
    const agents = new Set(this.cluster.agents.map(({ name }) => name));
    const declared = stacks.flatMap((stack) =>
      Object.entries(stack.json.resource?.docker_container ?? {})
        .filter(([id, { count }]) => !agents.has(id) && count !== 0)
        .map(([id, { name = "", provider = "" }]) => ({ stack, id, name, host: this.hostOf(provider) })),
    );
    const problems: AdoptionProblem[] = [];
    const found = await parallel(declared, AT_ONCE, async ({ stack, id, name, host }) => {
      const container = await inspectContainer(host.daemon, name);
      if (!container || isRecorded(resources, id, container)) return [];
      const problem = this.problemOf(id, name, host, container);
      if (problem) problems.push(problem);
      return [{ stack, id, host, container }];
    });
    return { found: found.flat(), problems };
  }

  /** Finds containers that only the Terraform states have: these are older than the removal of an agent. */
  async gone(stacks: readonly Stack[], states: ReadonlyMap<string, StackState>): Promise<GoneContainer[]> {
    const recorded = stacks.flatMap((stack) =>
      (states.get(stack.name)?.resources ?? [])
        .filter(({ type, name }) => type === "docker_container" && !stack.json.resource?.docker_container?.[name])
        .map((resource) => ({ stack, resource })),
    );
    const found = await parallel(recorded, AT_ONCE, async ({ stack, resource }) => {
      const host = this.cluster.hosts.find(({ name }) => name === hostOfAlias(resource.provider ?? ""));
      // A user's own resource may have another provider.
      if (!host || (await inspectContainer(host.daemon, String(resource.attributes.id)))) return [];
      return [{ stack, address: resource.address }];
    });
    return found.flat();
  }

  async removeFromStates(gone: readonly GoneContainer[]): Promise<void> {
    for (const { stack, address } of gone) {
      const { exitCode, error } = await terraform(stack.folder, ["state", "rm", address]);
      if (exitCode !== 0) throw new Error(`terraform state rm ${address}: ${error}`);
    }
  }

  private problemOf(
    id: string,
    name: string,
    host: HostDescription,
    container: Container,
  ): AdoptionProblem | undefined {
    const at = { host: host.name };
    const owner = ownerOf(container);
    const server = this.cluster.agents.find((agent) => backupsId(agent.name) === id)?.name;
    const role = id === registratorId(host.name) ? "registrator" : "backups";
    if (owner?.role !== role || !mayBelongTo(owner, { cluster: this.cluster.name, agent: server })) {
      const message = `the container ${name} is not this cluster's: ${whose(container)}`;
      return adoptionProblem(at, "adopt-other-cluster", message, `give this cluster's another name, or remove it`);
    }
    if (container.State.Running) return undefined;
    return adoptionProblem(at, "adopt-not-running", `the container ${name} does not run`, `docker start ${name}`);
  }

  /**
   * Writes containers into the Terraform state of their stack, all at once: after an interruption, the state has all of them
   * or none.
   */
  async record(stack: Stack, containers: readonly UnrecordedContainer[]): Promise<void> {
    const { folder, name } = stack;
    this.log(`stack ${name}: writing ${containers.map(({ id }) => id).join(", ")} into the Terraform state`);
    const images = Object.keys(stack.json.resource?.docker_image ?? {});
    // A container's plan needs its image's id. An image that is there is not pulled again.
    if (images.length > 0)
      await must(folder, "apply", "-auto-approve", ...images.map((id) => `-target=docker_image.${id}`));
    const planned = plannedResources(await plan(folder));
    const networks = await this.networks(stack, planned);
    const entries = await parallel(containers, AT_ONCE, (found) => this.entryOf(found, planned));
    await pushText(folder, withEntries(await pullText(folder), [...networks, ...entries]));
    const { resources } = await readState(folder);
    const missing = containers.filter(({ id, container }) => !isRecorded(resources, id, container));
    if (missing.length > 0)
      throw new Error(`stack ${name}: the Terraform state still lacks ${missing.map(({ id }) => id).join(", ")}`);
  }

  private async entryOf(
    { stack, id, host: { daemon }, container }: UnrecordedContainer,
    planned: Planned,
  ): Promise<StateEntry> {
    const resource = planned(`docker_container.${id}`);
    const image = await inspectImage(daemon, container.Image);
    const files = await filesIn(daemon, container, comparedFiles(resource.values));
    return entry(
      stack,
      "docker_container",
      id,
      resource,
      containerAttributes(resource.values, { container, image, files }),
    );
  }

  /** Networks that exist, and that the state does not have: the plan would create them. */
  private async networks(stack: Stack, planned: Planned): Promise<StateEntry[]> {
    const { resources } = await readState(stack.folder);
    const declared = Object.entries(stack.json.resource?.docker_network ?? {}).filter(
      ([id]) => !resources.some(({ type, name }) => type === "docker_network" && name === id),
    );
    const found = await parallel(declared, AT_ONCE, async ([id, { name = "", provider = "" }]) => {
      const existing = await networkId(this.hostOf(provider).daemon, name);
      if (existing === undefined) return [];
      const resource = planned(`docker_network.${id}`);
      return [entry(stack, "docker_network", id, resource, { ...resource.values, id: existing })];
    });
    return found.flat();
  }

  /**
   * Runs the steps of a deploy that the Terraform state does not have, if they are all that is missing: they check each
   * agent, and change nothing that is as the file has it.
   * @returns what a deploy would change besides, and then nothing was done
   */
  async complete({ name, folder }: Stack): Promise<string[]> {
    const file = join(this.tempDir, `${name}.plan`);
    const { resource_changes: changes = [] } = await planTo(file, folder);
    const changed = changes.filter(({ change: { actions } }) => !["no-op", "read"].includes(actions.join()));
    const others = changed.filter(({ type }) => !STEPS.includes(type)).map(({ address }) => address);
    if (others.length > 0) return others;
    if (changed.length > 0) this.log(`stack ${name}: checking its agents, by the steps of a deploy`);
    await must(folder, "apply", file);
    this.log(`stack ${name}: the plan is empty`);
    return [];
  }

  private hostOf(provider: string): HostDescription {
    const name = hostOfAlias(provider.replace(/^docker\./, ""));
    return this.cluster.hosts.find((host) => host.name === name) as HostDescription;
  }
}

/** They run, or pull what is missing, and replace nothing. */
const STEPS = ["terraform_data", "docker_image"];

type Planned = (address: string) => PlannedResource;

function plannedResources({ planned_values: values }: Plan): Planned {
  const resources = new Map(values?.root_module?.resources?.map((resource) => [resource.address, resource] as const));
  return (address) => {
    const resource = resources.get(address);
    if (!resource) throw new Error(`the plan has no ${address}`);
    return resource;
  };
}

function entry(
  { json }: Stack,
  type: "docker_container" | "docker_network",
  name: string,
  { provider_name: provider, schema_version: schemaVersion }: PlannedResource,
  attributes: Values,
): StateEntry {
  const alias = json.resource?.[type]?.[name]?.provider?.replace(/^docker/, "") ?? "";
  return { type, name, provider: `provider["${provider}"]${alias}`, schemaVersion, attributes };
}

async function filesIn(daemon: Daemon, { Id }: Container, paths: readonly string[]): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for (const path of paths) {
    const text = await readFileIn(daemon, Id, path);
    if (text !== undefined) texts.set(path, text);
  }
  return texts;
}

export const isRecorded = (resources: readonly StateResource[], id: string, { Id }: Container): boolean =>
  resources.some(
    ({ type, name, deposed, attributes }) =>
      type === "docker_container" && name === id && !deposed && attributes.id === Id,
  );

/** Whose a container is, by its labels. */
export function whose(container: Container): string {
  const owner = ownerOf(container);
  if (!owner) return "it was not created by this product";
  const { cluster, agent, role } = owner;
  return [
    `its labels have the role ${role}`,
    ...(cluster === undefined ? [] : [`the cluster ${cluster}`]),
    ...(agent === undefined ? [] : [`the agent ${agent}`]),
  ].join(", ");
}
