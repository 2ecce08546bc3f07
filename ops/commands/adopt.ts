import { tmpdir } from "node:os";
import { join } from "node:path";
import { commandsIn } from "../../cluster/chosen-file";
import type { AgentDescription, Cluster } from "../../cluster/model";
import { describeProblem } from "../../cluster/problem";
import { dockerArguments } from "../../consul/docker-arguments";
import { Adoption } from "../adoption/adoption";
import type { AdoptionProblem } from "../adoption/adoption-problem";
import { type AgentAdoption, inOrder, problemsBetween, retiredContainerName } from "../adoption/adoption-state";
import { dataFolder, sharesData } from "../adoption/unmanaged";
import { chosenCluster } from "../chosen-cluster";
import { parallel } from "../parallel";
import { withTempDir } from "../temp-dir";
import { count } from "../terminal/format";
import type { Terminal } from "../terminal/terminal";
import { readResources } from "../terraform/state";
import { synthesize } from "../terraform/synth";

/** Hosts that are inspected at the same time. */
const AT_ONCE = 10;

export interface AdoptOptions {
  /** Names of containers, by agents. */
  readonly container: ReadonlyMap<string, string>;
  readonly dryRun?: boolean;
  readonly undo?: boolean;
  readonly json?: boolean;
}

interface Outcome {
  readonly agents: readonly { agent: string; host: string; state: string; container?: string; data: string }[];
  readonly problems: readonly AdoptionProblem[];
  /** Previous containers that were kept, and the command that removes each. */
  readonly retired: readonly { agent: string; container: string; remove: string }[];
  /** Why it ended before everything was done. */
  readonly failure?: string;
}

export async function adopt(options: AdoptOptions, terminal: Terminal): Promise<number> {
  const { file, cluster } = chosenCluster(options.json ? undefined : terminal.print);
  if (cluster.security)
    throw new Error(
      `${file} has security on, and clusters are adopted without: set \`security: off\`, and turn it on afterwards, as docs/security.md says`,
    );
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
  const inspected = async () => {
    const resources = await readResources(stacks);
    return parallel(agents, AT_ONCE, (agent) => adoption.inspect(agent, resources));
  };
  const now = async (more: Partial<Outcome> = {}) =>
    outcomeOf(
      (await inspected()).map((found) => found.adoption),
      more,
    );

  const first = await inspected();
  const statuses = first.map((found) => found.adoption);
  for (const status of statuses) log(plannedText(status));

  if (options.undo) {
    if (options.dryRun) return outcomeOf(statuses);
    const previous = inOrder(statuses.filter(({ state, original }) => original && state !== "unmanaged")).reverse();
    for (const { agent, original } of previous) if (original) await adoption.restore(agent, original);
    return now();
  }

  const problems = [...first.flatMap((found) => found.problems), ...problemsBetween(statuses)];
  if (problems.length > 0) return outcomeOf(statuses, { problems, failure: "nothing was changed: fix this first" });
  const moving = inOrder(statuses.filter(({ state }) => state === "unmanaged" || state === "in-progress"));
  if (options.dryRun || moving.length === 0) return outcomeOf(statuses);

  await adoption.pullImages(moving.map(({ agent }) => agent));
  const unmanaged = moving.filter(({ state }) => state === "unmanaged");
  const found = await parallel(unmanaged, AT_ONCE, (status) => adoption.versionProblem(status));
  const versionProblems = found.filter((problem) => problem !== undefined);
  if (versionProblems.length > 0)
    return outcomeOf(statuses, { problems: versionProblems, failure: "no agent was changed: fix this first" });

  for (const status of moving) {
    try {
      await adoption.move(status);
    } catch (error) {
      return now({ failure: `${status.agent.name}: not adopted: ${(error as Error).message}` });
    }
  }
  return now();
}

/** A line for an agent: what it is now, and what happens to its data. */
function plannedText({ agent, state, original }: AgentAdoption): string {
  const where = `${agent.name} on ${agent.host.name}`;
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
  const { problems, retired, failure, agents } = outcome;
  for (const problem of problems) log(describeProblem(problem));
  if (failure) {
    log(failure);
    if (problems.length === 0)
      log("fix it and run this again, which continues where it stopped. To give up instead: npm run adopt -- --undo");
    return;
  }
  if (dryRun || undo) return;
  const absent = agents.filter(({ state }) => state === "absent").map(({ agent }) => agent);
  const rest = absent.length > 0 ? `; a deploy creates ${absent.join(", ")}` : "";
  print(`\nall running agents are adopted${rest}. ${commandsIn("Next: npm run diff, npm run deploy")}`);
  if (retired.length === 0) return;
  print("When the cluster is healthy, remove the previous containers:");
  for (const { remove } of retired) print(`  ${remove}`);
}
