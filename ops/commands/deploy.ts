import type { Cluster } from "../../cluster/model";
import { describeProblem, hintLine } from "../../cluster/problem";
import { chosenCluster } from "../chosen-cluster";
import { applyApproved, type DeploymentOptions, planAndApply } from "../deploy/deployment";
import { readPlans } from "../deploy/plans";
import { blockedText, isFirst, preflight, type Selection, unreachableTexts } from "../deploy/preflight";
import { type Report, reportFor, reportingRejection } from "../deploy/report";
import { agentsOf, placeLockFiles, readManifest, takePlans } from "../deploy/saved-plans";
import {
  clusterDifferences,
  type Difference,
  differenceText,
  programDifferences,
  rejections,
  savedDifferences,
  secretsDifferences,
  stateDifferences,
  synthesizedDifferences,
} from "../deploy/saved-plans-check";
import { locationLines, locationsOf } from "../project/locations";
import { refusedSecrets } from "../secrets/check";
import type { Terminal } from "../terminal/terminal";
import { stacksAtOnce } from "../terraform/parallelism";
import { withPlanFolder } from "../terraform/plan-folder";
import { runningDeploys } from "../terraform/running-deploys";
import { terraformVersion } from "../terraform/terraform";

export interface DeployOptions extends DeploymentOptions, Selection {
  /** Events for programs. */
  readonly json?: boolean;
  /** A folder of plans that were made and approved before, instead of all above that says what to plan. */
  readonly plan?: string;
}

export function deploy(options: DeployOptions, terminal: Terminal): Promise<number> {
  const report = reportFor(options, terminal);
  const { plan } = options;
  return reportingRejection("deploy", report, () =>
    plan === undefined ? checkAndDeploy(options, report, terminal) : deploySaved(plan, options, report, terminal),
  );
}

async function checkAndDeploy(options: DeployOptions, report: Report, terminal: Terminal): Promise<number> {
  const { log } = terminal;
  const { file, cluster } = chosenCluster(options.json ? undefined : terminal.print);
  const badSecrets = refusedSecrets(cluster, log);
  if (badSecrets.length > 0) throw rejected(badSecrets);
  const found = await preflight(cluster, options, log);
  const { skippedStacks, skippedHosts, blockedStacks } = found.exclusions;
  const reasons = found.problems.map(describeProblem);
  if (blockedStacks.size > 0) reasons.push(blockedText("deploy", found));
  if (found.lock !== undefined) reasons.push(found.lock);
  if (reasons.length > 0) throw rejected(reasons);

  for (const [stack, hosts] of skippedStacks) log(`skipped: stack ${stack}, with ${hosts.join(", ")}`);
  for (const [stack, hosts] of skippedHosts) log(`skipped in stack ${stack}: ${hosts.join(", ")}`);
  const unreachable = unreachableTexts(found.exclusions.unreachableHosts, found);
  const stacks = found.stacks.filter(({ name }) => !skippedStacks.has(name));
  if (stacks.length === 0) throw new Error(["every stack is skipped", ...unreachable].join("\n"));

  const { targets } = found;
  const job = {
    command: "deploy",
    file,
    cluster,
    stacks,
    targets,
    skippedHosts,
    skippedStacks,
    isFirst: isFirst(found),
  } as const;
  const exitCode = await planAndApply(job, options, report, terminal);
  for (const reason of unreachable) log(`not deployed: ${reason}`);
  if (exitCode === 0 && job.isFirst) logFirst(cluster, log);
  return exitCode === 0 && unreachable.length > 0 ? 1 : exitCode;
}

/** Applies saved plans, if everything is as it was when they were made. */
async function deploySaved(
  folder: string,
  options: DeployOptions,
  report: Report,
  terminal: Terminal,
): Promise<number> {
  const { log } = terminal;
  const { file, cluster } = chosenCluster(options.json ? undefined : terminal.print);
  const manifest = readManifest(folder);
  refuseDifferences(folder, [
    ...savedDifferences(folder, manifest),
    ...programDifferences(manifest, await terraformVersion()),
    ...clusterDifferences(manifest, cluster),
  ]);
  const badSecrets = refusedSecrets(cluster, log);
  if (badSecrets.length > 0) throw rejected(badSecrets);
  const found = await preflight(
    cluster,
    {
      stacks: manifest.stacks.map(({ name }) => name),
      without: manifest.without,
      allow: manifest.allow,
      onSynthesized: (stacks) => placeLockFiles(folder, manifest, stacks),
    },
    log,
  );
  const { stacks, states, exclusions } = found;
  refuseDifferences(folder, [
    ...synthesizedDifferences(folder, manifest, stacks),
    ...secretsDifferences(manifest, cluster, agentsOf(stacks)),
    ...stateDifferences(manifest, states),
  ]);
  const reasons = rejections(found, await runningDeploys(stacks));
  if (reasons.length > 0) throw rejected(reasons);

  return withPlanFolder(async (hidden) => {
    takePlans(folder, manifest, hidden);
    const { skippedHosts } = exclusions;
    const job = { command: "deploy", file, cluster, stacks, skippedHosts, isFirst: isFirst(found) } as const;
    const planned = await readPlans(job, hidden, options.parallelism ?? stacksAtOnce(stacks));
    const exitCode = await applyApproved(job, planned, hidden, options, report, terminal);
    if (exitCode === 0 && job.isFirst) logFirst(cluster, log);
    return exitCode;
  });
}

function refuseDifferences(folder: string, differences: readonly Difference[]): void {
  if (differences.length === 0) return;
  throw rejected([
    `the plans in ${folder} are not for what is there now`,
    ...differences.map((one) => `  ${differenceText(one)}`),
    hintLine("plan and approve again: npm run plan -- --out FOLDER"),
  ]);
}

function logFirst(cluster: Cluster, log: (line: string) => void): void {
  log("The first deploy is done. Keep copies of these, but not in the repository:");
  locationLines(locationsOf(cluster, true)).forEach(log);
}

const rejected = (reasons: readonly string[]): Error =>
  new Error(`rejected; nothing was changed\n${reasons.join("\n")}`);
