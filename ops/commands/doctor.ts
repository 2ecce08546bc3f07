import { tmpdir } from "node:os";
import { join } from "node:path";
import { commandsIn } from "../../cluster/chosen-file";
import type { Cluster } from "../../cluster/model";
import { describeProblem, locationText } from "../../cluster/problem";
import { chosenCluster } from "../chosen-cluster";
import { Fixer, fixable } from "../fix/fixer";
import { staleLocks } from "../fix/stale-locks";
import { unrecordedSidecars } from "../fix/unrecorded-sidecars";
import { type HealthProblem, publicProblem } from "../inspect/health-problem";
import { type Inspection, inspect } from "../inspect/inspection";
import { lostStates } from "../inspect/lost-state";
import { unsavedStates } from "../inspect/unsaved-state";
import { withTempDir } from "../temp-dir";
import { count } from "../terminal/format";
import type { Terminal } from "../terminal/terminal";
import { runningDeploys } from "../terraform/running-deploys";
import { readResources, type StateResource } from "../terraform/state";
import { type Stack, stackOf, synthesizeBesideOthers } from "../terraform/synth";

export interface DoctorOptions {
  readonly fix?: boolean;
  readonly json?: boolean;
}

interface Diagnosis {
  /** Problems that were not fixed. */
  readonly problems: readonly HealthProblem[];
  /** Problems that this run fixed. */
  readonly fixed: readonly HealthProblem[];
  /** Stacks in which a deploy is running: problems there may be temporary. */
  readonly deploying: readonly string[];
}

export async function doctor({ fix = false, json = false }: DoctorOptions, terminal: Terminal): Promise<number> {
  const { file, cluster } = chosenCluster(json ? undefined : terminal.print);
  const diagnosis = await diagnose(cluster, fix, terminal.log);
  const { problems, fixed, deploying } = diagnosis;
  if (json)
    terminal.printJson({ file, problems: problems.map(publicProblem), fixed: fixed.map(publicProblem), deploying });
  else print(diagnosis, terminal);
  return problems.length === 0 ? 0 : 1;
}

async function diagnose(cluster: Cluster, fix: boolean, log: Terminal["log"]): Promise<Diagnosis> {
  log(`inspecting ${count(cluster.hosts.length, "host")} and reading the Terraform state`);
  const stacks = await synthesizeBesideOthers();
  const unsaved = unsavedStates(stacks);
  // Whatever differs from the former state may be in the one that was not stored.
  if (unsaved.length > 0) return { problems: unsaved, fixed: [], deploying: [] };
  const resources = await readResources(stacks);
  const inspection = await inspect(cluster, resources);
  const lost = await lostStates(cluster, stacks, inspection);
  if (lost.length > 0) return diagnoseLostStates(cluster, stacks, lost, fix, log);
  const problems = await problemsOf(cluster, stacks, resources, inspection, log);
  const deploying = problems.length > 0 ? await runningDeploys(stacks) : [];
  const toFix = fixable(cluster, problems);
  if (!fix || deploying.length > 0 || toFix.length === 0) return { problems, fixed: [], deploying };

  const fixed: HealthProblem[] = [];
  await withTempDir(join(tmpdir(), "consul-cdktf-doctor-"), async (tempDir) => {
    const fixer = new Fixer((agent) => stackOf(stacks, agent), inspection, tempDir, log);
    for (const problem of toFix) {
      log(`fixing: ${shortText(problem)}`);
      const failure = await fixer.fix(problem);
      if (failure) log(`not fixed: ${locationText(problem.location)}: ${failure}`);
      else fixed.push(problem);
    }
  });
  log("inspecting again");
  return { problems: await remainingProblems(cluster, stacks, log), fixed, deploying: [] };
}

/** All problems: those that the inspection shows, and those that take a further look. */
const problemsOf = async (
  cluster: Cluster,
  stacks: readonly Stack[],
  resources: readonly StateResource[],
  inspection: Inspection,
  log: Terminal["log"],
): Promise<HealthProblem[]> => [
  ...inspection.problems,
  ...(await unrecordedSidecars(cluster, stacks, resources, inspection)),
  ...(await staleLocks(cluster, resources, inspection, log)),
];

const shortText = ({ location, message }: HealthProblem): string => `${locationText(location)}: ${message}`;

/** Any other problem would come from a comparison with a Terraform state that is not the cluster's. */
async function diagnoseLostStates(
  cluster: Cluster,
  stacks: readonly Stack[],
  lost: Awaited<ReturnType<typeof lostStates>>,
  fix: boolean,
  log: Terminal["log"],
): Promise<Diagnosis> {
  const problems = lost.map(({ problem }) => problem);
  const deploying = await runningDeploys(stacks);
  if (!fix || deploying.length > 0) return { problems, fixed: [], deploying };
  for (const { problem, restore } of lost) {
    log(`fixing: ${shortText(problem)}`);
    restore();
  }
  const rest = await diagnose(cluster, fix, log);
  return { ...rest, fixed: [...problems, ...rest.fixed] };
}

/** Problems that may end by themselves soon after an agent has been started. */
const TEMPORARY: readonly HealthProblem["code"][] = ["agent-not-ready", "server-unhealthy"];

/** The problems that remain once started agents are ready, for which they have half a minute. */
async function remainingProblems(
  cluster: Cluster,
  stacks: readonly Stack[],
  log: Terminal["log"],
): Promise<HealthProblem[]> {
  const end = Date.now() + 30_000;
  for (;;) {
    const resources = await readResources(stacks);
    const inspection = await inspect(cluster, resources);
    const starting = inspection.problems.some(({ code }) => TEMPORARY.includes(code));
    if (!starting || Date.now() > end) return problemsOf(cluster, stacks, resources, inspection, log);
    await new Promise((resume) => setTimeout(resume, 2000));
  }
}

function print({ problems, fixed, deploying }: Diagnosis, { print }: Terminal): void {
  for (const problem of fixed) print(`fixed: ${shortText(problem)}`);
  for (const problem of problems) print(describeProblem(problem));
  if (deploying.length > 0)
    print(`a deploy is running in ${deploying.join(", ")}: problems may be temporary, and nothing was fixed`);
  if (problems.length > 0) return;
  const rest = commandsIn("npm run deploy completes the rest");
  print(fixed.length > 0 ? `nothing is wrong any more; ${rest}` : "nothing is wrong");
}
