import { tmpdir } from "node:os";
import { join } from "node:path";
import { commandsIn } from "../../cluster/chosen-file";
import type { AgentDescription, Cluster } from "../../cluster/model";
import { describeProblem, type Problem } from "../../cluster/problem";
import { dockerArguments } from "../../consul/docker-arguments";
import { Adoption } from "../adoption/adoption";
import { type AdoptionProblem, adoptionProblem } from "../adoption/adoption-problem";
import { type AgentAdoption, inOrder, problemsBetween, retiredContainerName } from "../adoption/adoption-state";
import { type GoneContainer, Recorder, type UnrecordedContainer } from "../adoption/recorder";
import { dataFolder, sharesData } from "../adoption/unmanaged";
import { chosenCluster } from "../chosen-cluster";
import { guard } from "../deploy/guard";
import { parallel } from "../parallel";
import { withTempDir } from "../temp-dir";
import { count } from "../terminal/format";
import type { Terminal } from "../terminal/terminal";
import { readResources, readStates, resourcesOf, type StateResource } from "../terraform/state";
import { type Stack, stackOf, synthesize } from "../terraform/synth";

/** Hosts that are inspected at the same time. */
const AT_ONCE = 10;
/** What a deploy rejects, too: a Terraform state in which nothing of this file can be written. */
const STATE_PROBLEMS: readonly Problem["code"][] = ["state-of-other-cluster", "host-gone", "host-moved", "stack-moved"];

export interface AdoptOptions {
  /** Names of containers, by agents. */
  readonly container: ReadonlyMap<string, string>;
  readonly dryRun?: boolean;
  readonly undo?: boolean;
  readonly json?: boolean;
}

interface Outcome {
  readonly agents: readonly { agent: string; host: string; state: string; container?: string; data: string }[];
  readonly problems: readonly Problem[];
  /** Terraform ids of containers that this run has written into a Terraform state. */
  readonly recorded: readonly string[];
  /** What a deploy would change, after containers were written into a Terraform state. */
  readonly changes: readonly string[];
  /** Previous containers that were kept, and the command that removes each. */
  readonly retired: readonly { agent: string; container: string; remove: string }[];
  /** Why it ended before everything was done. */
  readonly failure?: string;
}

export async function adopt(options: AdoptOptions, terminal: Terminal): Promise<number> {
  const { file, cluster } = chosenCluster(options.json ? undefined : terminal.print);
  const unknown = [...options.container.keys()].filter((name) => !cluster.agents.some((agent) => agent.name === name));
  if (unknown.length > 0) throw new Error(`--container names ${unknown.join(", ")}, and the file has no such agent`);
  const outcome = await withTempDir(join(tmpdir(), "consul-cdktf-adopt-"), (scratch) =>
    adoptAgents(cluster, options, scratch, terminal.log),
  );
  if (options.json) terminal.printJson({ file, ...outcome });
  else print(outcome, options, terminal);
  return outcome.failure ? 1 : 0;
}

async function adoptAgents(
  cluster: Cluster,
  options: AdoptOptions,
  scratch: string,
  log: Terminal["log"],
): Promise<Outcome> {
  const agents = cluster.agents.filter(({ decommission }) => !decommission);
  log(`inspecting ${count(cluster.hosts.length, "host")} and reading the Terraform state`);
  const stacks = await synthesize();
  const adoption = new Adoption(cluster, stacks, options.container, scratch, log);
  const recorder = new Recorder(cluster, scratch, log);
  const inspected = (resources: readonly StateResource[]) =>
    parallel(agents, AT_ONCE, (agent) => adoption.inspect(agent, resources));
  const recorded: string[] = [];
  /** Whatever happens after states were written, the outcome has what was written. */
  const now = async (more: Partial<Outcome> = {}) => {
    try {
      const found = await inspected(await readResources(stacks));
      return outcomeOf(
        found.map(({ adoption }) => adoption),
        { recorded, ...more },
      );
    } catch (error) {
      // The backend that has failed may still be unreachable. Then the first inspection is all that is known.
      return outcomeOf(statuses, { recorded, failure: (error as Error).message, ...more });
    }
  };

  const states = await readStates(stacks);
  const resources = resourcesOf(states);
  const first = await inspected(resources);
  const statuses = first.map((found) => found.adoption);
  for (const status of statuses) log(plannedText(status));
  const beside = await recorder.besideAgents(stacks, resources);
  for (const { id, host } of beside.found) log(`${id} on ${host.name}: not in the Terraform state`);
  const gone = await recorder.gone(stacks, states);
  for (const { address } of gone)
    log(`${address}: in the Terraform state alone; it is neither in the file nor on its host`);

  if (options.undo) {
    if (options.dryRun) return outcomeOf(statuses);
    const previous = inOrder(statuses.filter(({ state, original }) => original && state !== "unmanaged")).reverse();
    for (const { agent, original } of previous) if (original) await adoption.restore(agent, original);
    return now();
  }

  const problems = [
    ...guard(cluster, stacks, states).filter(({ code }) => STATE_PROBLEMS.includes(code)),
    ...first.flatMap((found) => found.problems),
    ...securityProblems(cluster, statuses),
    ...beside.problems,
    ...problemsBetween(statuses),
  ];
  if (problems.length > 0) return outcomeOf(statuses, { problems, failure: "nothing was changed: fix this first" });
  const moving = inOrder(statuses.filter(({ state }) => state === "unmanaged" || state === "in-progress"));
  if (options.dryRun) return outcomeOf(statuses);

  const unrecorded = [...beside.found, ...unrecordedAgents(stacks, statuses)];
  try {
    const written = await writeStates(stacks, recorder, { unrecorded, gone }, recorded);
    // A plan of unmanaged agents would create their successors.
    if (moving.length === 0) return await now({ changes: await completed(stacks, written, recorder) });
    await adoption.pullImages(moving.map(({ agent }) => agent));
  } catch (error) {
    return now({ failure: (error as Error).message });
  }
  const unmanaged = moving.filter(({ state }) => state === "unmanaged");
  const found = await parallel(unmanaged, AT_ONCE, (status) => adoption.versionProblem(status));
  const versionProblems = found.filter((problem) => problem !== undefined);
  if (versionProblems.length > 0)
    return outcomeOf(statuses, {
      problems: versionProblems,
      recorded,
      failure: "no agent was changed: fix this first",
    });

  for (const status of moving) {
    try {
      await adoption.move(status);
    } catch (error) {
      return now({ failure: `${status.agent.name}: not adopted: ${(error as Error).message}` });
    }
  }
  return now();
}

/** Unmanaged agents have no secrets: security is turned on in steps afterwards. */
function securityProblems({ security }: Cluster, statuses: readonly AgentAdoption[]): AdoptionProblem[] {
  if (!security) return [];
  const message = "it was started by hand, and the file has security on: such agents are adopted without";
  const hint = "set `security: off`, and turn it on afterwards, as docs/security.md says";
  return statuses
    .filter(({ state }) => state === "unmanaged" || state === "in-progress")
    .map(({ agent }) => adoptionProblem(agent, "adopt-setting-differs", message, hint));
}

function unrecordedAgents(stacks: readonly Stack[], statuses: readonly AgentAdoption[]): UnrecordedContainer[] {
  return statuses.flatMap(({ agent, unrecorded: container }) =>
    container ? [{ stack: stackOf(stacks, agent.name), id: agent.name, host: agent.host, container }] : [],
  );
}

/**
 * Writes into the Terraform states what exists, and removes what is gone.
 * @param recorded gets the Terraform ids of containers, as soon as they are written
 * @returns the stacks whose states it has changed
 */
async function writeStates(
  stacks: readonly Stack[],
  recorder: Recorder,
  { unrecorded, gone }: { unrecorded: readonly UnrecordedContainer[]; gone: readonly GoneContainer[] },
  recorded: string[],
): Promise<Stack[]> {
  await recorder.removeFromStates(gone);
  for (const stack of stacks) {
    const containers = unrecorded.filter((each) => each.stack === stack);
    if (containers.length === 0) continue;
    await recorder.record(stack, containers);
    recorded.push(...containers.map(({ id }) => id));
  }
  return stacks.filter((stack) => [...unrecorded, ...gone].some((each) => each.stack === stack));
}

/**
 * Completes the stacks whose states this run has written, and those whose steps an interrupted run has left out.
 * @returns what a deploy would change besides
 */
async function completed(stacks: readonly Stack[], written: readonly Stack[], recorder: Recorder): Promise<string[]> {
  const resources = await readResources(stacks);
  const isDone = (step: string) =>
    resources.some(({ type, name, tainted }) => type === "terraform_data" && name === step && !tainted);
  const changes: string[] = [];
  for (const stack of stacks) {
    const steps = Object.keys(stack.json.resource?.terraform_data ?? {});
    if (written.includes(stack) || !steps.every(isDone)) changes.push(...(await recorder.complete(stack)));
  }
  return changes;
}

/** A line for an agent: what it is now, and what happens to its data. */
function plannedText({ agent, state, original }: AgentAdoption): string {
  const where = `${agent.name} on ${agent.host.name}`;
  if (state === "unrecorded") return `${where}: its container ${agent.container} is not in the Terraform state`;
  if (state === "adopted") return `${where}: adopted already`;
  if (state === "absent" || !original) return `${where}: absent; a deploy creates it`;
  const target = `${agent.data.startsWith("/") ? "the folder" : "the volume"} ${agent.data}`;
  const data = sharesData(original, agent)
    ? `its data stays in ${agent.data}`
    : `its data is copied from ${dataFolder(original)} in it to ${target}`;
  const container = `${original.Name.slice(1)} (${original.Config.Image})`;
  return `${where}: ${state === "in-progress" ? "in progress, from" : "runs in"} ${container}; ${data}`;
}

function outcomeOf(statuses: readonly AgentAdoption[], more: Partial<Outcome> = {}): Outcome {
  return {
    agents: statuses.map(({ agent, state, original }) => ({
      agent: agent.name,
      host: agent.host.name,
      state,
      container: original?.Name.slice(1),
      data: agent.data,
    })),
    problems: [],
    recorded: [],
    changes: [],
    retired: statuses
      .filter(({ state, original }) => state !== "unmanaged" && original)
      .map(({ agent }) => ({
        agent: agent.name,
        container: retiredContainerName(agent),
        remove: removalCommand(agent),
      })),
    ...more,
  };
}

const removalCommand = (agent: AgentDescription): string => {
  const { daemon } = agent.host;
  return `docker ${dockerArguments(daemon.url, daemon.certs).join(" ")} rm -v ${retiredContainerName(agent)}`;
};

function print(outcome: Outcome, { dryRun, undo }: AdoptOptions, { print, log }: Terminal): void {
  const { problems, recorded, changes, retired, failure, agents } = outcome;
  for (const problem of problems) log(describeProblem(problem));
  if (failure) {
    log(failure);
    const undo = retired.length > 0 ? ". To give up instead: npm run adopt -- --undo" : "";
    if (problems.length === 0) log(`fix it and run this again, which continues where it stopped${undo}`);
    return;
  }
  if (dryRun || undo) return;
  if (recorded.length > 0)
    print(`\nthe Terraform state has them again: ${recorded.join(", ")}. No container was touched`);
  if (changes.length > 0) {
    print(`the file differs from what runs: ${changes.join(", ")}`);
    print(commandsIn("npm run diff shows how; npm run deploy changes that, one agent at a time"));
    return;
  }
  const absent = agents.filter(({ state }) => state === "absent").map(({ agent }) => agent);
  const rest = absent.length > 0 ? `; a deploy creates ${absent.join(", ")}` : "";
  print(`\nall running agents are adopted${rest}. ${commandsIn("Next: npm run diff, npm run deploy")}`);
  if (retired.length === 0) return;
  print("When the cluster is healthy, remove the previous containers:");
  for (const { remove } of retired) print(`  ${remove}`);
}
