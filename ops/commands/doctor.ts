import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Cluster } from "../../cluster/model";
import { chosenCluster } from "../chosen-cluster";
import { Fixer, runningDeploys, staleLocks } from "../fix/fixer";
import { type Finding, type FixAction, whereText } from "../inspect/findings";
import { inspect } from "../inspect/inspection";
import { lostStates } from "../inspect/lost-state";
import { withTempDir } from "../temp-dir";
import { count } from "../terminal/format";
import type { Terminal } from "../terminal/terminal";
import { readResources } from "../terraform/state";
import { type Stack, stackOf, synthesize } from "../terraform/synth";

export interface DoctorOptions {
  readonly fix?: boolean;
  readonly json?: boolean;
}

interface Diagnosis {
  /** What is wrong, and was not fixed. */
  readonly findings: readonly Finding[];
  /** What this run fixed. */
  readonly fixed: readonly Finding[];
  /** Stacks in which a deploy is running: findings there may be temporary. */
  readonly deploying: readonly string[];
}

export async function doctor({ fix = false, json = false }: DoctorOptions, terminal: Terminal): Promise<number> {
  const { file, cluster } = chosenCluster(json ? undefined : terminal.print);
  const diagnosis = await diagnose(cluster, fix, terminal.log);
  if (json) {
    const { findings, fixed } = diagnosis;
    terminal.printJson({ file, ...diagnosis, findings: findings.map(published), fixed: fixed.map(published) });
  } else print(diagnosis, terminal);
  return diagnosis.findings.length === 0 ? 0 : 1;
}

/** A finding without what only this run needs to know. */
const published = ({ host, agent, what, hint, action }: Finding) => ({ host, agent, what, hint, action });

/** What to fix first: the Terraform state that everything is compared with, what starts agents, then what stops them. */
const ORDER: Record<FixAction, number> = {
  "put-state-back": 0,
  unpause: 1,
  start: 2,
  "restart-policy": 3,
  untaint: 4,
  "give-secrets": 5,
  "give-lock-back": 6,
  replace: 7,
};

async function diagnose(cluster: Cluster, fix: boolean, log: Terminal["log"]): Promise<Diagnosis> {
  log(`inspecting ${count(cluster.hosts.length, "host")} and reading the Terraform state`);
  const stacks = await synthesize();
  const resources = await readResources(stacks);
  const inspection = await inspect(cluster, resources);
  const lost = await lostStates(cluster, stacks, inspection);
  if (lost.length > 0) return diagnoseLostStates(cluster, stacks, lost, fix, log);
  const locks = await staleLocks(cluster, resources, inspection, log);
  const findings = [...inspection.findings, ...locks];
  const deploying = findings.length > 0 ? await runningDeploys(stacks) : [];
  const fixable = inFixOrder(cluster, findings);
  if (!fix || deploying.length > 0 || fixable.length === 0) return { findings, fixed: [], deploying };

  const fixed: Finding[] = [];
  await withTempDir(join(tmpdir(), "consul-cdktf-doctor-"), async (scratch) => {
    const fixer = new Fixer((agent) => stackOf(stacks, agent), inspection, scratch, log);
    for (const finding of fixable) {
      log(`fixing: ${whereText(finding)}: ${finding.what}`);
      const denial = await fixer.fix(finding);
      if (denial) log(`not fixed: ${whereText(finding)}: ${denial}`);
      else fixed.push(finding);
    }
  });
  log("inspecting again");
  return { findings: await settledFindings(cluster, stacks, log), fixed, deploying: [] };
}

/** Other findings mean nothing beside these: they compare the cluster with a Terraform state that is not the cluster's. */
async function diagnoseLostStates(
  cluster: Cluster,
  stacks: readonly Stack[],
  lost: Awaited<ReturnType<typeof lostStates>>,
  fix: boolean,
  log: Terminal["log"],
): Promise<Diagnosis> {
  const findings = lost.map(({ finding }) => finding);
  const deploying = await runningDeploys(stacks);
  if (!fix || deploying.length > 0) return { findings, fixed: [], deploying };
  for (const { finding, putBack } of lost) {
    log(`fixing: ${whereText(finding)}: ${finding.what}`);
    putBack();
  }
  const rest = await diagnose(cluster, fix, log);
  return { ...rest, fixed: [...findings, ...rest.fixed] };
}

/** Servers before client agents, which are ready only when servers are. */
function inFixOrder(cluster: Cluster, findings: readonly Finding[]): Finding[] {
  const clients = new Set(cluster.agents.filter(({ role }) => role === "client").map(({ name }) => name));
  const rank = ({ agent, action }: Finding) =>
    2 * (action ? ORDER[action] : 0) + Number(agent !== undefined && clients.has(agent));
  return findings.filter(({ action }) => action).sort((a, b) => rank(a) - rank(b));
}

/** The findings once agents that were started are ready, for which they have half a minute. */
async function settledFindings(cluster: Cluster, stacks: readonly Stack[], log: Terminal["log"]): Promise<Finding[]> {
  const end = Date.now() + 30_000;
  for (;;) {
    const resources = await readResources(stacks);
    const inspection = await inspect(cluster, resources);
    const starting = inspection.findings.some(({ what }) => /not in:|not healthy/.test(what));
    if (!starting || Date.now() > end)
      return [...inspection.findings, ...(await staleLocks(cluster, resources, inspection, log))];
    await new Promise((resume) => setTimeout(resume, 2000));
  }
}

function print({ findings, fixed, deploying }: Diagnosis, { print }: Terminal): void {
  for (const finding of fixed) print(`fixed: ${whereText(finding)}: ${finding.what}`);
  for (const finding of findings) print(`${whereText(finding)}: ${finding.what}\n  ${finding.hint}`);
  if (deploying.length > 0)
    print(`a deploy is running in ${deploying.join(", ")}: findings may be temporary, and nothing was fixed`);
  if (findings.length > 0) return;
  print(fixed.length > 0 ? "nothing is wrong any more; npm run deploy completes the rest" : "nothing is wrong");
}
