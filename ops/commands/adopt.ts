import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AgentDescription, Cluster } from "../../cluster/model";
import { dockerArguments } from "../../cluster/resolve/daemon";
import { Adoption, type AdoptionStatus, type Obstacle, retiredContainerName } from "../adoption/adoption";
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
  readonly agents: readonly { agent: string; host: string; stage: string; container?: string; data: string }[];
  readonly obstacles: readonly Obstacle[];
  /** Previous containers that were kept, and the command that removes each. */
  readonly setAside: readonly { agent: string; container: string; remove: string }[];
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
    return parallel(agents, AT_ONCE, (agent) => adoption.look(agent, resources));
  };
  const now = async (more: Partial<Outcome> = {}) =>
    outcomeOf(
      (await inspected()).map(({ standing }) => standing),
      more,
    );

  const first = await inspected();
  const statuses = first.map(({ standing }) => standing);
  for (const status of statuses) log(plannedText(status));

  if (options.undo) {
    if (options.dryRun) return outcomeOf(statuses);
    const previous = inOrder(statuses.filter(({ stage, old }) => old && stage !== "hand-made")).reverse();
    for (const { agent, old } of previous) if (old) await adoption.putBack(agent, old);
    return now();
  }

  const obstacles = [...first.flatMap((agent) => agent.obstacles), ...obstaclesBetween(statuses)];
  if (obstacles.length > 0) return outcomeOf(statuses, { obstacles, failure: "nothing was changed: fix this first" });
  const moving = inOrder(statuses.filter(({ stage }) => stage === "hand-made" || stage === "half-way"));
  if (options.dryRun || moving.length === 0) return outcomeOf(statuses);

  await adoption.pullImages(moving.map(({ agent }) => agent));
  const unmanaged = moving.filter(({ stage }) => stage === "hand-made");
  const found = await parallel(unmanaged, AT_ONCE, (status) => adoption.versionObstacle(status));
  const versionObstacles = found.filter((obstacle) => obstacle !== undefined);
  if (versionObstacles.length > 0)
    return outcomeOf(statuses, { obstacles: versionObstacles, failure: "no agent was changed: fix this first" });

  for (const status of moving) {
    try {
      await adoption.move(status);
    } catch (error) {
      return now({ failure: `${status.agent.name}: not adopted: ${(error as Error).message}` });
    }
  }
  return now();
}

/** Servers before client agents, which are ready only when servers are. The leader is the last server, so that leadership moves once. */
function inOrder(statuses: readonly AdoptionStatus[]): AdoptionStatus[] {
  const rank = ({ agent, view }: AdoptionStatus): number => {
    if (agent.role === "client") return 2;
    return view?.self.Stats.raft?.state === "Leader" ? 1 : 0;
  };
  return [...statuses].sort((a, b) => rank(a) - rank(b));
}

/** Obstacles that only show when agents are compared. */
function obstaclesBetween(statuses: readonly AdoptionStatus[]): Obstacle[] {
  const views = statuses.flatMap(({ agent, view }) => (view ? [{ agent, view }] : []));
  const [first] = views;
  const peersOf = (view: { peers: readonly string[] }) => [...view.peers].sort().join(" ");
  const obstacle = ({ name, host }: AgentDescription, what: string, hint: string): Obstacle => ({
    agent: name,
    host: host.name,
    what,
    hint,
  });
  const obstacles: Obstacle[] = [];
  for (const { agent, view } of views) {
    if (view.leader === "")
      obstacles.push(obstacle(agent, "its cluster has no leader", "bring the servers back first: npm run status"));
    else if (first && peersOf(view) !== peersOf(first.view)) {
      const what = `its servers are ${peersOf(view)}, and ${first.agent.name}'s are ${peersOf(first.view)}`;
      obstacles.push(obstacle(agent, what, "one of them is of another cluster"));
    }
  }
  const isMember = (node: string) =>
    views.some(({ view }) => view.members.some(({ Name, Status }) => Name === node && Status === 1));
  for (const { agent, stage } of statuses) {
    if (stage !== "absent" || !isMember(agent.node)) continue;
    const what = `it is a member, and its host has no container ${agent.container}`;
    obstacles.push(obstacle(agent, what, `name its container: --container ${agent.name}=NAME`));
  }
  return obstacles;
}

/** A line for an agent: what it is now, and what happens to its data. */
function plannedText({ agent, stage, old }: AdoptionStatus): string {
  const where = `${agent.name} on ${agent.host.name}`;
  if (stage === "adopted") return `${where}: adopted already`;
  if (stage === "absent" || !old) return `${where}: absent; a deploy creates it`;
  const target = `${agent.data.startsWith("/") ? "the folder" : "the volume"} ${agent.data}`;
  const data = sharesData(old, agent)
    ? `its data stays in ${agent.data}`
    : `its data is copied from ${dataFolder(old)} in it to ${target}`;
  const container = `${old.Name.slice(1)} (${old.Config.Image})`;
  return `${where}: ${stage === "half-way" ? "in progress, from" : "runs in"} ${container}; ${data}`;
}

function outcomeOf(statuses: readonly AdoptionStatus[], more: Partial<Outcome> = {}): Outcome {
  return {
    agents: statuses.map(({ agent, stage, old }) => ({
      agent: agent.name,
      host: agent.host.name,
      stage,
      container: old?.Name.slice(1),
      data: agent.data,
    })),
    obstacles: [],
    setAside: statuses
      .filter(({ stage, old }) => stage !== "hand-made" && old)
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
  return `docker ${dockerArguments(daemon, daemon.certs).join(" ")} rm -v ${retiredContainerName(agent)}`;
};

function print(outcome: Outcome, { dryRun, undo }: AdoptOptions, { print, log }: Terminal): void {
  const { obstacles, setAside, failure, agents } = outcome;
  for (const { agent, host, what, hint } of obstacles) log(`${agent} on ${host}: ${what}\n  hint: ${hint}`);
  if (failure) {
    log(failure);
    if (obstacles.length === 0)
      log("fix it and run this again, which continues where it stopped. To give up instead: npm run adopt -- --undo");
    return;
  }
  if (dryRun || undo) return;
  const absent = agents.filter(({ stage }) => stage === "absent").map(({ agent }) => agent);
  const rest = absent.length > 0 ? `; a deploy creates ${absent.join(", ")}` : "";
  print(`\nall running agents are adopted${rest}. Next: npm run diff, npm run deploy`);
  if (setAside.length === 0) return;
  print("When the cluster is healthy, remove the previous containers:");
  for (const { remove } of setAside) print(`  ${remove}`);
}
