import { commandsIn } from "../../cluster/chosen-file";
import type { Cluster } from "../../cluster/model";
import { describeProblem, locationText } from "../../cluster/problem";
import { chosenCluster } from "../chosen-cluster";
import { summaryText } from "../explain/changes-text";
import { comment } from "../explain/comment";
import { refusedSecrets } from "../secrets/check";
import { count } from "../terminal/format";
import type { Terminal } from "../terminal/terminal";
import { stacksAtOnce } from "../terraform/parallelism";
import type { Stack } from "../terraform/synth";
import { hasChanges, isKnown, type PlannedStack, stackTexts } from "./planned-stacks";
import { blockedText, type Preflight, preflight, type Selection, unreachableTexts } from "./preflight";

export interface ComparisonOptions extends Selection {
  /** Stacks at the same time. */
  readonly parallelism?: number;
  readonly detailedExitcode?: boolean;
  readonly json?: boolean;
  readonly markdown?: boolean;
}

/** What a cluster file and the Terraform states differ in. */
export interface Comparison {
  readonly file: string;
  readonly cluster: Cluster;
  readonly found: Preflight;
  /** Those that were planned. */
  readonly stacks: readonly Stack[];
  readonly planned: readonly PlannedStack[];
  /** Whether a deploy would deploy all of that. */
  readonly isDeployable: boolean;
}

/**
 * Plans stacks, and prints what a deploy would change.
 * @param plan plans stacks, some at the same time
 * @throws when nothing can be planned
 */
export async function compare(
  command: "diff" | "plan",
  options: ComparisonOptions,
  terminal: Terminal,
  plan: (stacks: readonly Stack[], found: Preflight, atOnce: number) => Promise<PlannedStack[]>,
): Promise<Comparison> {
  const { log } = terminal;
  const { file, cluster } = chosenCluster(options.json || options.markdown ? undefined : terminal.print);
  const badSecrets = refusedSecrets(cluster, log);
  if (badSecrets.length > 0) throw new Error(`a plan needs the cluster's secrets\n${badSecrets.join("\n")}`);
  const found = await preflight(cluster, options, log);
  const { skippedStacks, blockedStacks, unreachableHosts } = found.exclusions;
  const stacks = found.stacks.filter(({ name }) => !skippedStacks.has(name) && !blockedStacks.has(name));
  if (found.lock !== undefined)
    log("a deploy is in progress: containers that are not in the Terraform state are not compared");
  log(`planning ${count(stacks.length, "stack")}`);
  const planned = await plan(stacks, found, options.parallelism ?? stacksAtOnce(stacks));
  const unreachable = [...unreachableHosts, ...[...blockedStacks.values()].flat()];

  const skipped = unreachableTexts(unreachableHosts, found);
  if (blockedStacks.size > 0) skipped.unshift(commandsIn(blockedText(command, found)));
  if (options.json) {
    terminal.printJson(jsonOf(file, planned, found, unreachable));
    skipped.forEach(log);
  } else {
    const known = planned.filter(isKnown);
    const summary = summaryText(known, known.length === found.stacks.length);
    const texts = stackTexts(planned, skippedStacks);
    const refusals = [...found.problems.map(describeProblem), ...skipped];
    if (options.markdown) terminal.print(comment(`${cluster.name}: ${summary}`, [...texts, ...refusals]));
    else {
      for (const text of [...texts, summary]) terminal.print(`\n${text}`);
      for (const refusal of refusals) log(`\n${refusal}`);
    }
  }
  const isComplete = unreachable.length === 0 && found.problems.length === 0 && planned.every(isKnown);
  const isDeployable = isComplete && (command === "diff" || found.lock === undefined);
  return { file, cluster, found, stacks, planned, isDeployable };
}

/** 1 if a deploy would be rejected or incomplete, 2 for changes that are asked for. */
export function exitCodeOf({ isDeployable, planned }: Comparison, { detailedExitcode }: ComparisonOptions): number {
  if (!isDeployable) return 1;
  return detailedExitcode && planned.some(hasChanges) ? 2 : 0;
}

function jsonOf(
  file: string,
  planned: readonly PlannedStack[],
  found: Preflight,
  unreachable: readonly string[],
): object {
  const problems = found.problems.map(({ code, location, message, hint }) => ({
    code,
    place: locationText(location),
    message,
    hint,
  }));
  const reasons = Object.fromEntries(unreachable.map((host) => [host, found.unreachable.get(host)]));
  return { file, stacks: planned, problems, unreachable: reasons };
}
