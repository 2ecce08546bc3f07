import { readFileSync, realpathSync, statSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { commandsIn, isEmbedded } from "../../cluster/chosen-file";
import { parseCluster } from "../../cluster/file/load";
import type { AgentDescription, Cluster } from "../../cluster/model";
import { describeProblem } from "../../cluster/problem";
import { stackName } from "../../consul/contract";
import { consulVersion, type Version, versionRule, versionText } from "../../rollout/version-rule";
import { newFile, snapshotName } from "../backups/local";
import { save } from "../backups/save";
import { bestServer, probeServers } from "../backups/servers";
import { chosenCluster } from "../chosen-cluster";
import { replaceFile } from "../files";
import { isReachable } from "../inspect/leader";
import { maintainedHosts } from "../inspect/locks";
import { StatusInspector } from "../status/status-inspector";
import { count, listed } from "../terminal/format";
import { Terminal } from "../terminal/terminal";
import { type ImageLine, type ImageVersion, withVersion } from "../upgrade/image-lines";
import { deploy } from "./deploy";

export interface UpgradeOptions {
  readonly to: ImageVersion;
  readonly autoApprove?: boolean;
  /** Show the steps, and change nothing. */
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** How long the cluster has to be healthy after a deploy, and how often it is looked at. */
const SETTLE_SECONDS = 30;
const LOOK_SECONDS = 2;

/** What an upgrade does, as it was found to be left to do. */
interface Steps {
  readonly file: string;
  readonly cluster: Cluster;
  /** The versions that run now, the oldest first. */
  readonly from: readonly string[];
  readonly to: string;
  /** Where the snapshot goes; undefined if all servers run the version already. */
  readonly backup?: string;
  /** The file's text afterwards. */
  readonly text: string;
  readonly lines: readonly ImageLine[];
  /** The client agent that is upgraded alone first. */
  readonly first?: AgentDescription;
  /** Agents that run another version. */
  readonly left: readonly string[];
}

export async function upgrade(options: UpgradeOptions, terminal: Terminal): Promise<number> {
  const { autoApprove, dryRun, json } = options;
  const { file, cluster } = chosenCluster(json ? undefined : terminal.print);
  if (!dryRun && !autoApprove && !process.stdin.isTTY)
    throw new Error("there is no terminal to ask for approval at; look with --dry-run, or approve with --auto-approve");
  const steps = await stepsOf(file, cluster, options.to, terminal.log);
  const { from, to, backup, lines, first, left } = steps;
  if (!json) printSteps(steps, terminal);
  const done = steps.left.length === 0 && lines.length === 0;
  const failure = dryRun || done ? undefined : await carryOut(steps, options, terminal);
  if (failure !== undefined) terminal.log(failure);
  if (json) {
    const upgraded = failure === undefined && !dryRun;
    terminal.printJson({ file, from, to, backup, lines, first: first?.name, agents: left, upgraded, failure });
  }
  return failure === undefined ? 0 : 1;
}

/** @throws if the cluster cannot be upgraded now; nothing was changed then */
async function stepsOf(
  file: string,
  cluster: Cluster,
  wanted: ImageVersion,
  log: (line: string) => void,
): Promise<Steps> {
  if (isEmbedded(file)) throw new Error(`${file} is written by a program: change the image there, and deploy with it`);
  log(`inspecting ${count(cluster.hosts.length, "host")}`);
  const { running, reasons } = await inspected(cluster);
  if (reasons.length > 0) throw rejected(["the cluster has to be healthy first", ...reasons]);
  const to = parsedVersion(wanted.version);
  const denied = [...running].flatMap(([{ name }, from]) => {
    const rule = versionRule(from, to);
    return rule.kind === "deny" ? [`${name}: ${rule.reason}\n    hint: ${rule.hint}`] : [];
  });
  if (denied.length > 0) throw rejected(denied);
  const { text, lines, unclear } = withVersion(readFileSync(file, "utf8"), wanted);
  if (unclear.length > 0)
    throw rejected([
      ...unclear.map(({ line, image, reason }) => `${file}:${line}: the image ${image} is not changed: ${reason}`),
      "    hint: write the image of the new version there, and run this again; or give its digest too: VERSION@sha256:...",
    ]);
  // Whatever the edit is, a file that is no cluster any more is not written.
  parseCluster(text, file);
  const others = [...running].filter(([, from]) => versionText(from) !== wanted.version).map(([agent]) => agent);
  const isUpgraded = ({ name }: AgentDescription) => !others.some((other) => other.name === name);
  const clients = [...running.keys()].filter(({ role }) => role === "client");
  return {
    file,
    cluster,
    from: versionsIn(running.values()),
    to: wanted.version,
    backup: others.some(({ role }) => role === "server") ? newFile(cluster, undefined, snapshotName()) : undefined,
    text,
    lines,
    first: clients.some(isUpgraded) ? undefined : firstClient(cluster, clients),
    left: others.map(({ name }) => name),
  };
}

/** The client agent whose host has no other agent, so that a deploy of the host changes it alone. */
const firstClient = ({ agents }: Cluster, clients: readonly AgentDescription[]): AgentDescription | undefined =>
  clients.find((client) => agents.filter(({ host }) => host === client.host).length === 1);

interface Inspected {
  readonly running: ReadonlyMap<AgentDescription, Version>;
  /** Why no agent should be stopped now: problems, and hosts in maintenance. */
  readonly reasons: readonly string[];
}

async function inspected(cluster: Cluster): Promise<Inspected> {
  const { agents, problems, locks } = await new StatusInspector(cluster).inspect();
  const maintained = [...maintainedHosts(cluster, locks).keys()];
  const reasons = problems.map(describeProblem);
  if (maintained.length > 0)
    reasons.push(`${listed(maintained)}: in maintenance\n    hint: npm run maintain -- HOST --end`);
  const running = agents.filter(isReachable).map(({ agent, view }) => [agent, parsedVersion(view.version)] as const);
  return { running: new Map(running), reasons };
}

/** The same after a deploy: what ends by itself has half a minute. */
async function settled(cluster: Cluster): Promise<Inspected> {
  const end = Date.now() + SETTLE_SECONDS * 1000;
  for (;;) {
    const found = await inspected(cluster);
    if (found.reasons.length === 0 || Date.now() > end) return found;
    await pause(LOOK_SECONDS * 1000);
  }
}

/** @throws for a text that is no version */
function parsedVersion(text: string): Version {
  const version = consulVersion(`Consul v${text}`);
  if (!version) throw new Error(`${text} is no version of Consul`);
  return version;
}

const versionsIn = (versions: Iterable<Version>): string[] => [...new Set([...versions].map(versionText))].sort();

const rejected = (reasons: readonly string[]): Error =>
  new Error(["rejected; nothing was changed", ...reasons].join("\n"));

function printSteps({ file, from, to, backup, lines, first, left }: Steps, { print }: Terminal): void {
  if (left.length === 0 && lines.length === 0) {
    print(`all agents run Consul ${to}, and the file names it`);
    return;
  }
  const steps = [
    ...(backup === undefined ? [] : [`save a snapshot to ${backup}`]),
    ...lines.map(({ line, from, to }) => `${file}:${line}: image: ${from === undefined ? "" : `${from} -> `}${to}`),
    ...(first ? [`deploy ${first.name} alone`] : []),
    ...(left.length > 0 ? ["deploy the rest: servers one at a time, then client agents"] : []),
  ];
  print(`from Consul ${from.join(", ")} to ${to}`);
  print(steps.map((step, index) => `  ${index + 1}. ${step}`).join("\n"));
  if (backup !== undefined)
    print(
      `What cannot be undone: data of a server that has run ${to} is not for an older version. The way back is the snapshot: docs/upgrading-consul.md`,
    );
}

/** @returns why it ended before everything was done */
async function carryOut(steps: Steps, options: UpgradeOptions, terminal: Terminal): Promise<string | undefined> {
  const { file, cluster, to, backup, text, lines, first } = steps;
  const { log } = terminal;
  // With --json, standard output is for the result alone.
  const inner = options.json ? new Terminal(terminal.stderr, terminal.stderr) : terminal;
  if (backup !== undefined) {
    const server = bestServer(await probeServers(cluster));
    log(`saving a snapshot from ${server.agent.name} to ${backup}`);
    await save(cluster, server, backup, false, log);
  }
  if (lines.length > 0) {
    const target = realpathSync(file);
    replaceFile(target, text, statSync(target).mode & 0o777);
    log(`changed ${file}: ${lines.map(({ to }) => to).join(", ")}`);
  }
  const deployed = async (what: string, selection: { stacks: string[]; without: string[] }) => {
    log(`deploying ${what}`);
    try {
      const exitCode = await deploy({ ...selection, allow: [], autoApprove: options.autoApprove }, inner);
      if (exitCode === 0) return undefined;
    } catch (error) {
      log((error as Error).message);
    }
    return "the upgrade is not complete: run it again, or go back: docs/upgrading-consul.md";
  };
  if (first) {
    const failure = await deployed(`${first.name} alone`, aloneOnHost(cluster, first));
    if (failure !== undefined) return failure;
    const { reasons } = await settled(cluster);
    if (reasons.length > 0)
      return [`${first.name} runs Consul ${to}, and the cluster is not healthy`, ...reasons].join("\n");
  }
  const failure = await deployed("the rest", { stacks: [], without: [] });
  if (failure !== undefined) return failure;
  const { running, reasons } = await settled(cluster);
  if (reasons.length > 0) return ["the cluster is not healthy", ...reasons].join("\n");
  const now = versionsIn(running.values());
  if (now.length !== 1 || now[0] !== to) return `the agents run Consul ${now.join(", ")}: look at npm run status`;
  inner.print(`all agents run Consul ${to}`);
  if (lines.length > 0) inner.print(commandsIn(`commit ${file}, so that the next deploy of anybody keeps it`));
  return undefined;
}

/** The deploy of one host: its stack, without the stack's other hosts. */
function aloneOnHost({ name, hosts }: Cluster, { host }: AgentDescription): { stacks: string[]; without: string[] } {
  const others = hosts.filter((other) => other !== host && other.group === host.group);
  return { stacks: [stackName(name, host.group)], without: others.map((other) => other.name) };
}
