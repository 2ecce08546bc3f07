import type { ProblemCode } from "../../cluster/catalogue";
import { commandsIn } from "../../cluster/chosen-file";
import { describeProblem, locationText } from "../../cluster/problem";
import { chosenCluster } from "../chosen-cluster";
import { hasChanges, isKnown, type PlannedStack, planStack, stackTexts } from "../deploy/planned-stacks";
import { blockedText, type Preflight, preflight } from "../deploy/preflight";
import { summaryText } from "../explain/changes-text";
import { comment } from "../explain/comment";
import { parallel } from "../parallel";
import { refusedSecrets } from "../secrets/check";
import type { Terminal } from "../terminal/terminal";
import { stacksAtOnce } from "../terraform/parallelism";
import { plan } from "../terraform/plan";

export interface DiffOptions {
  /** Names of stacks, or patterns with `*`. None: all. */
  readonly stacks: readonly string[];
  /** Hosts to skip: names, or patterns with `*`. */
  readonly without: readonly string[];
  readonly allow: readonly ProblemCode[];
  /** Stacks at the same time. */
  readonly parallelism?: number;
  readonly detailedExitcode?: boolean;
  readonly json?: boolean;
  readonly markdown?: boolean;
}

export async function diff(options: DiffOptions, terminal: Terminal): Promise<number> {
  const { log } = terminal;
  const { file, cluster } = chosenCluster(options.json || options.markdown ? undefined : terminal.print);
  const badSecrets = refusedSecrets(cluster, log);
  if (badSecrets.length > 0) throw new Error(`a plan needs the cluster's secrets\n${badSecrets.join("\n")}`);
  const found = await preflight(cluster, options, log);
  const { skippedStacks, blockedStacks, unreachableHosts } = found.exclusions;
  const stacks = found.stacks.filter(({ name }) => !skippedStacks.has(name) && !blockedStacks.has(name));
  log(`planning ${stacks.length} stacks`);
  const atOnce = options.parallelism ?? stacksAtOnce(stacks);
  const planned = await parallel(stacks, atOnce, (stack) =>
    planStack(stack, found.exclusions.skippedHosts.get(stack.name) ?? [], () =>
      plan(stack.folder, { targets: found.targets.get(stack.name) }),
    ),
  );
  const unreachable = [...unreachableHosts, ...[...blockedStacks.values()].flat()];

  const unreachableTexts = unreachableHosts.map(
    (host) => `host "${host}" is unreachable: ${found.unreachable.get(host)}`,
  );
  if (blockedStacks.size > 0) unreachableTexts.unshift(commandsIn(blockedText("diff", found)));
  if (options.json) {
    terminal.printJson(jsonOf(file, planned, found, unreachable));
    unreachableTexts.forEach(log);
  } else {
    const known = planned.filter(isKnown);
    const summary = summaryText(known, known.length === found.stacks.length);
    const texts = stackTexts(planned, skippedStacks);
    const refusals = [...found.problems.map(describeProblem), ...unreachableTexts];
    if (options.markdown) terminal.print(comment(`${cluster.name}: ${summary}`, [...texts, ...refusals]));
    else {
      for (const text of [...texts, summary]) terminal.print(`\n${text}`);
      for (const refusal of refusals) log(`\n${refusal}`);
    }
  }

  const failed = planned.some((stack) => "error" in stack);
  if (unreachable.length > 0 || found.problems.length > 0 || failed) return 1;
  return options.detailedExitcode && planned.some(hasChanges) ? 2 : 0;
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
