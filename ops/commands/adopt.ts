import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { AgentDescription, Cluster } from "../../cluster/model";
import { dockerArguments } from "../../cluster/resolve/daemon";
import { Adoption, type AdoptionStatus, type Obstacle, retiredContainerName } from "../adoption/adoption";
import { dataFolder, sharesData } from "../adoption/unmanaged";
import { chosenCluster, command, progress } from "../command";
import { parallel } from "../parallel";
import { withTempDir } from "../temp-dir";
import { readResources } from "../terraform/state";
import { synthesize } from "../terraform/synth";

const USAGE = `usage: npm run adopt [-- OPTIONS]
  --container AGENT=NAME  the agent's container is called NAME; may be given for several
  --dry-run               say what would be done, and touch nothing
  --undo                  put back the containers that were set aside, with the data as it is now
  --json                  the result, for programs`;

/** How many hosts are looked at together. */
const AT_ONCE = 10;

/** Servers before clients, for a client is in when they are; the leader last, so that leadership moves once. */
function inOrder(standings: readonly AdoptionStatus[]): AdoptionStatus[] {
  const rank = ({ agent, view }: AdoptionStatus) =>
    agent.role === "client" ? 2 : view?.self.Stats.raft?.state === "Leader" ? 1 : 0;
  return [...standings].sort((a, b) => rank(a) - rank(b));
}

/** What speaks against it that no agent alone can tell. */
function obstaclesBetween(standings: readonly AdoptionStatus[]): Obstacle[] {
  const views = standings.flatMap(({ agent, view }) => (view ? [{ agent, view }] : []));
  const [first] = views;
  const against = ({ name, host }: AgentDescription, what: string, hint: string): Obstacle => ({
    agent: name,
    host: host.name,
    what,
    hint,
  });
  const peers = (view: { peers: readonly string[] }) => [...view.peers].sort().join(" ");
  return [
    ...views.flatMap(({ agent, view }) => {
      if (view.leader === "")
        return [against(agent, "its cluster has no leader", "bring the servers back first: npm run status")];
      if (!first || peers(view) === peers(first.view)) return [];
      return [
        against(
          agent,
          `its servers are ${peers(view)}, and ${first.agent.name}'s are ${peers(first.view)}`,
          "one of them is of another cluster",
        ),
      ];
    }),
    ...standings.flatMap(({ agent, stage }) => {
      const member =
        stage === "absent" &&
        views.some(({ view }) => view.members.some(({ Name, Status }) => Name === agent.node && Status === 1));
      return member
        ? [
            against(
              agent,
              `it is a member, and its host has no container ${agent.container}`,
              `say what it is called: --container ${agent.name}=NAME`,
            ),
          ]
        : [];
    }),
  ];
}

/** One line an agent, of what there is and what becomes of it. */
function plan({ agent, stage, old }: AdoptionStatus): string {
  const where = `${agent.name} on ${agent.host.name}`;
  if (stage === "adopted") return `${where}: adopted already`;
  if (stage === "absent" || !old) return `${where}: not there; a deploy makes it`;
  const data = sharesData(old, agent)
    ? `its data stays in ${agent.data}`
    : `its data is copied from ${dataFolder(old)} in it to ${agent.data.startsWith("/") ? "the folder" : "the volume"} ${agent.data}`;
  return `${where}: ${stage === "half-way" ? "half way, from" : "runs in"} ${old.Name.slice(1)} (${old.Config.Image}); ${data}`;
}

interface Outcome {
  readonly agents: readonly { agent: string; host: string; stage: string; container?: string; data: string }[];
  readonly obstacles: readonly Obstacle[];
  /** Containers that were set aside, and how each is removed. */
  readonly setAside: readonly { agent: string; container: string; remove: string }[];
  /** Why it ended before everything was done. */
  readonly failure?: string;
}

const removal = (agent: AgentDescription): string =>
  `docker ${dockerArguments(agent.host.daemon, agent.host.daemon.certs).join(" ")} rm -v ${retiredContainerName(agent)}`;

async function adopt(cluster: Cluster, options: Options, hidden: string): Promise<Outcome> {
  const { names } = options;
  const stacks = await synthesize();
  const adoption = new Adoption(cluster, stacks, names, hidden, progress);
  const survey = async () => {
    const resources = await readResources(stacks);
    return parallel(
      cluster.agents.filter(({ decommission }) => !decommission),
      AT_ONCE,
      (agent) => adoption.look(agent, resources),
    );
  };
  const outcome = (standings: readonly AdoptionStatus[], more: Partial<Outcome> = {}): Outcome => ({
    agents: standings.map(({ agent, stage, old }) => ({
      agent: agent.name,
      host: agent.host.name,
      stage,
      container: old?.Name.slice(1),
      data: agent.data,
    })),
    obstacles: [],
    setAside: standings
      .filter(({ stage, old }) => stage !== "hand-made" && old)
      .map(({ agent }) => ({ agent: agent.name, container: retiredContainerName(agent), remove: removal(agent) })),
    ...more,
  });

  progress(`looking at ${cluster.hosts.length} hosts`);
  const looked = await survey();
  const standings = looked.map(({ standing }) => standing);
  for (const standing of standings) progress(plan(standing));

  if (options.undo) {
    const aside = inOrder(standings.filter(({ stage, old }) => old && stage !== "hand-made")).reverse();
    if (options.dryRun) return outcome(standings);
    for (const { agent, old } of aside) if (old) await adoption.putBack(agent, old);
    return outcome((await survey()).map(({ standing }) => standing));
  }

  const obstacles = [...looked.flatMap((each) => each.obstacles), ...obstaclesBetween(standings)];
  if (obstacles.length > 0) return outcome(standings, { obstacles, failure: "nothing was touched: mend this first" });
  const moving = inOrder(standings.filter(({ stage }) => stage === "hand-made" || stage === "half-way"));
  if (options.dryRun || moving.length === 0) return outcome(standings);

  await adoption.pullImages(moving.map(({ agent }) => agent));
  const versions = await parallel(
    moving.filter(({ stage }) => stage === "hand-made"),
    AT_ONCE,
    (standing) => adoption.versionObstacle(standing),
  );
  const other = versions.filter((obstacle) => obstacle !== undefined);
  if (other.length > 0)
    return outcome(standings, { obstacles: other, failure: "no agent was touched: mend this first" });

  let failure: string | undefined;
  for (const standing of moving) {
    try {
      await adoption.move(standing);
    } catch (error) {
      failure = `${standing.agent.name}: not adopted: ${(error as Error).message}`;
      break;
    }
  }
  return outcome(
    (await survey()).map(({ standing }) => standing),
    { failure },
  );
}

interface Options {
  readonly names: ReadonlyMap<string, string>;
  readonly dryRun: boolean;
  readonly undo: boolean;
  readonly json: boolean;
}

function options(): Options {
  const { values } = parseArgs({
    options: {
      container: { type: "string", multiple: true, default: [] },
      "dry-run": { type: "boolean", default: false },
      undo: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
    },
  });
  const names = values.container.map((each) => {
    const [, agent, name] = /^([^=]+)=(.+)$/.exec(each) ?? [];
    if (agent === undefined || name === undefined)
      throw new Error(`--container ${each} names no agent and container\n${USAGE}`);
    return [agent, name] as const;
  });
  return { names: new Map(names), dryRun: values["dry-run"], undo: values.undo, json: values.json };
}

/** What a person is told at the end. */
function print({ obstacles, setAside, failure, agents }: Outcome, { dryRun, undo }: Options): void {
  for (const { agent, host, what, hint } of obstacles) console.error(`${agent} on ${host}: ${what}\n  hint: ${hint}`);
  if (failure) {
    console.error(failure);
    if (obstacles.length === 0)
      console.error("mend it and run this again: it goes on where it stopped. Or give it up: npm run adopt -- --undo");
    return;
  }
  if (dryRun || undo) return;
  const left = agents.filter(({ stage }) => stage === "absent").map(({ agent }) => agent);
  console.log(
    `\nall agents that run are adopted${left.length > 0 ? `; still to be made: ${left.join(", ")}` : ""}. Now: npm run diff, npm run deploy`,
  );
  if (setAside.length === 0) return;
  console.log("When all is well, remove what was set aside:");
  for (const { remove } of setAside) console.log(`  ${remove}`);
}

command("adopt", USAGE, async () => {
  const chosen = options();
  const { file, cluster } = chosenCluster({ quiet: chosen.json });
  if (cluster.security)
    throw new Error(
      `${file} has security on, and what was made by hand is taken over as it is: say \`security: off\`, and turn it on afterwards, as docs/security.md says`,
    );
  const unknown = [...chosen.names.keys()].filter((name) => !cluster.agents.some((agent) => agent.name === name));
  if (unknown.length > 0) throw new Error(`--container names ${unknown.join(", ")}, and the file has no such agent`);
  const outcome = await withTempDir(join(tmpdir(), "consul-cdktf-adopt-"), (hidden) => adopt(cluster, chosen, hidden));
  if (chosen.json) console.log(JSON.stringify({ file, ...outcome }, null, 2));
  else print(outcome, chosen);
  return outcome.failure ? 1 : 0;
});
