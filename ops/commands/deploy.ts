import type { ProblemCode } from "../../cluster/catalogue";
import { describeProblem } from "../../cluster/problem";
import { chosenCluster } from "../chosen-cluster";
import { type DeploymentOptions, planAndApply } from "../deploy/deployment";
import { blockedText, type Preflight, preflight } from "../deploy/preflight";
import { type Report, reportFor, reportingRejection } from "../deploy/report";
import { locationLines } from "../project/locations";
import { refusedSecrets } from "../secrets/check";
import type { Terminal } from "../terminal/terminal";

export interface DeployOptions extends DeploymentOptions {
  /** Names of stacks, or patterns with `*`. None: all. */
  readonly stacks: readonly string[];
  /** Hosts to skip: names, or patterns with `*`. */
  readonly without: readonly string[];
  readonly allow: readonly ProblemCode[];
  /** Events for programs. */
  readonly json?: boolean;
}

export function deploy(options: DeployOptions, terminal: Terminal): Promise<number> {
  const report = reportFor(options, terminal);
  return reportingRejection("deploy", report, () => checkAndDeploy(options, report, terminal));
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
  if (reasons.length > 0) throw rejected(reasons);

  for (const [stack, hosts] of skippedStacks) log(`skipped: stack ${stack}, with ${hosts.join(", ")}`);
  for (const [stack, hosts] of skippedHosts) log(`skipped in stack ${stack}: ${hosts.join(", ")}`);
  const unreachable = found.exclusions.unreachableHosts.map(
    (host) => `host "${host}" is unreachable: ${found.unreachable.get(host)}`,
  );
  const stacks = found.stacks.filter(({ name }) => !skippedStacks.has(name));
  if (stacks.length === 0) throw new Error(["every stack is skipped", ...unreachable].join("\n"));

  const { targets } = found;
  const job = { command: "deploy", file, cluster, stacks, targets, skippedHosts, skippedStacks } as const;
  const exitCode = await planAndApply(job, options, report, terminal);
  for (const reason of unreachable) log(`not deployed: ${reason}`);
  if (exitCode === 0 && isFirst(found)) {
    log("The first deploy is done. Keep copies of these, but not in the repository:");
    locationLines(cluster).forEach(log);
  }
  return exitCode === 0 && unreachable.length > 0 ? 1 : exitCode;
}

/** Whether nothing of the cluster was deployed before. */
const isFirst = ({ states }: Preflight): boolean =>
  [...states.values()].every(({ resources }) => resources.length === 0);

const rejected = (reasons: readonly string[]): Error =>
  new Error(`rejected; nothing was changed\n${reasons.join("\n")}`);
