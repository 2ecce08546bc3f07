import type { Cluster } from "../cluster/cluster";
import { describeProblem } from "../cluster/problem";
import { parseArguments } from "./arguments";
import { changesOf, type StackChanges } from "./changes";
import { stackText, summaryText } from "./changes-text";
import { chosenCluster, command, progress } from "./command";
import { leaveOut } from "./leave-out";
import { parallel } from "./parallel";
import { stacksAtOnce } from "./parallelism";
import { plan } from "./plan";
import { blockedText, type Survey, survey } from "./survey";
import type { Stack } from "./synth";

/** A stack's part of the answer: what would change, or why that is not known. */
type Looked = { readonly stack: string } & ((StackChanges & { readonly without: readonly string[] }) | { readonly error: string });

async function look({ name: stack, folder, json }: Stack, { around, states }: Survey): Promise<Looked> {
  const without = around.hosts.get(stack) ?? [];
  const state = states.get(stack) ?? { outputs: {}, resources: [] };
  try {
    // Edges need not be cut: a plan of all but these hosts asks them nothing, whatever would wait for what.
    const targets = without.length > 0 ? leaveOut(json, state, without).targets : [];
    return { stack, without, ...changesOf(await plan(folder, targets)) };
  } catch (error) {
    return { stack, error: (error as Error).message };
  }
}

const hasChanges = (looked: Looked): boolean => "changes" in looked && (looked.changes.length > 0 || looked.outputsOnly);

function print(cluster: Cluster, looked: readonly Looked[], seen: Survey): void {
  for (const one of looked) {
    const lines = "error" in one ? [one.stack, ...one.error.split("\n").map((line) => `  ${line}`)] : stackText(one.stack, one);
    if (lines.length > 0) console.log(`\n${lines.join("\n")}`);
    if ("without" in one && one.without.length > 0) console.log(`  left alone: ${one.without.join(", ")}`);
  }
  for (const [stack, hosts] of seen.around.stacks) console.log(`\n${stack}\n  left alone: ${hosts.join(", ")}`);
  console.log(`\n${summaryText(looked.filter((one) => "changes" in one))}`);
  for (const problem of seen.problems) progress(`\n${describeProblem(problem, cluster.locate)}`);
}

command("diff", async () => {
  const args = parseArguments("diff", process.argv.slice(2));
  const { file, cluster } = chosenCluster({ quiet: args.json });
  const seen = await survey(cluster, args);
  const blocked = new Set(seen.around.blocked);
  const wanted = seen.stacks.filter(
    ({ name, json }) =>
      !seen.around.stacks.has(name) && !(json.provider?.docker ?? []).some(({ alias }) => blocked.has(String(alias).replace(/_host$/, ""))),
  );
  progress(`planning ${wanted.length} stacks`);
  const looked = await parallel(wanted, args.parallelism ?? stacksAtOnce(wanted), (stack) => look(stack, seen));
  const missed = [...seen.around.missed, ...blocked];

  if (args.json) {
    const problems = seen.problems.map(({ code, message, mend, ...where }) => ({ code, place: cluster.locate(where), message, mend }));
    const unreachable = Object.fromEntries(missed.map((host) => [host, seen.dead.get(host)]));
    console.log(JSON.stringify({ file, stacks: looked, problems, unreachable }, null, 2));
  } else print(cluster, looked, seen);
  if (blocked.size > 0) progress(`\n${blockedText("diff", seen)}`);
  for (const host of seen.around.missed) progress(`\nhost "${host}" does not answer: ${seen.dead.get(host)}`);

  if (missed.length > 0 || seen.problems.length > 0 || looked.some((one) => "error" in one)) return 1;
  return args.detailedExitcode && looked.some(hasChanges) ? 2 : 0;
});
