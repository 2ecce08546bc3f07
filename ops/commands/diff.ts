import type { ProblemCode } from "../../cluster/catalogue";
import { describeProblem, locationText } from "../../cluster/problem";
import { chosenCluster } from "../chosen-cluster";
import { blockedText, type Preflight, preflight } from "../deploy/preflight";
import { changesOf, type StackChanges } from "../explain/changes";
import { stackText, summaryText } from "../explain/changes-text";
import { comment } from "../explain/comment";
import { parallel } from "../parallel";
import { refusedSecrets } from "../secrets/check";
import type { Terminal } from "../terminal/terminal";
import { stacksAtOnce } from "../terraform/parallelism";
import { plan } from "../terraform/plan";
import type { Stack } from "../terraform/synth";

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

/** A stack's part of the result: what would change, or why that is unknown. */
type PlannedStack = { readonly stack: string } & (
  | (StackChanges & { readonly without: readonly string[] })
  | { readonly error: string }
);

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
  const planned = await parallel(stacks, atOnce, (stack) => planStack(stack, found));
  const unreachable = [...unreachableHosts, ...[...blockedStacks.values()].flat()];

  const unreachableTexts = unreachableHosts.map(
    (host) => `host "${host}" is unreachable: ${found.unreachable.get(host)}`,
  );
  if (blockedStacks.size > 0) unreachableTexts.unshift(blockedText("diff", found));
  if (options.json) {
    terminal.printJson(jsonOf(file, planned, found, unreachable));
    unreachableTexts.forEach(log);
  } else {
    const known = planned.filter((stack) => "changes" in stack);
    const summary = summaryText(known, known.length === found.stacks.length);
    const stackTexts = textOf(planned, found);
    const refusals = [...found.problems.map(describeProblem), ...unreachableTexts];
    if (options.markdown) terminal.print(comment(`${cluster.name}: ${summary}`, [...stackTexts, ...refusals]));
    else {
      for (const text of [...stackTexts, summary]) terminal.print(`\n${text}`);
      for (const refusal of refusals) log(`\n${refusal}`);
    }
  }

  const failed = planned.some((stack) => "error" in stack);
  if (unreachable.length > 0 || found.problems.length > 0 || failed) return 1;
  return options.detailedExitcode && planned.some(hasChanges) ? 2 : 0;
}

async function planStack({ name, folder }: Stack, { exclusions, targets }: Preflight): Promise<PlannedStack> {
  try {
    const changes = changesOf(await plan(folder, targets.get(name)));
    return { stack: name, without: exclusions.skippedHosts.get(name) ?? [], ...changes };
  } catch (error) {
    return { stack: name, error: (error as Error).message };
  }
}

const hasChanges = (planned: PlannedStack): boolean =>
  "changes" in planned && (planned.changes.length > 0 || planned.outputsOnly);

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

/** The text of each stack that changes, is skipped or cannot be planned. */
function textOf(planned: readonly PlannedStack[], found: Preflight): string[] {
  const texts: string[] = [];
  for (const stack of planned) {
    const lines = "error" in stack ? errorLines(stack) : stackText(stack.stack, stack);
    if ("without" in stack && stack.without.length > 0) lines.push(`  skipped: ${stack.without.join(", ")}`);
    if (lines.length > 0) texts.push(lines.join("\n"));
  }
  for (const [stack, hosts] of found.exclusions.skippedStacks) texts.push(`${stack}\n  skipped: ${hosts.join(", ")}`);
  return texts;
}

const errorLines = ({ stack, error }: { readonly stack: string; readonly error: string }): string[] => [
  stack,
  ...error.split("\n").map((line) => `  ${line}`),
];
