import { allowableCodes } from "../../cluster/catalogue";
import { describeProblem, locationText } from "../../cluster/problem";
import { chosenCluster, command, progress } from "../command";
import { parseArguments } from "../deploy/arguments";
import { blockedText, type Preflight, preflight } from "../deploy/preflight";
import { changesOf, type StackChanges } from "../explain/changes";
import { stackText, summaryText } from "../explain/changes-text";
import { parallel } from "../parallel";
import { refusedSecrets } from "../secrets/check";
import { stacksAtOnce } from "../terraform/parallelism";
import { plan } from "../terraform/plan";
import type { Stack } from "../terraform/synth";

const USAGE = `usage: npm run diff [-- OPTIONS] [STACK...]
  STACK                 those stacks alone; a name, or a pattern with *
  --without HOST        leave a host alone, for instance one that does not answer; more than once
  --accept CODE         what the file may not mean otherwise: ${allowableCodes.join(", ")}; more than once
  --parallelism N       stacks at once
  --detailed-exitcode   status 2 when something would change
  --json                for programs`;

/** A stack's part of the answer: what would change, or why that is not known. */
type Looked = { readonly stack: string } & (
  | (StackChanges & { readonly without: readonly string[] })
  | { readonly error: string }
);

async function look({ name: stack, folder }: Stack, { around, targets }: Preflight): Promise<Looked> {
  try {
    return { stack, without: around.hosts.get(stack) ?? [], ...changesOf(await plan(folder, targets.get(stack))) };
  } catch (error) {
    return { stack, error: (error as Error).message };
  }
}

const hasChanges = (looked: Looked): boolean =>
  "changes" in looked && (looked.changes.length > 0 || looked.outputsOnly);

function print(looked: readonly Looked[], seen: Preflight): void {
  for (const one of looked) {
    const lines =
      "error" in one ? [one.stack, ...one.error.split("\n").map((line) => `  ${line}`)] : stackText(one.stack, one);
    if (lines.length > 0) console.log(`\n${lines.join("\n")}`);
    if ("without" in one && one.without.length > 0) console.log(`  left alone: ${one.without.join(", ")}`);
  }
  for (const [stack, hosts] of seen.around.stacks) console.log(`\n${stack}\n  left alone: ${hosts.join(", ")}`);
  const known = looked.filter((one) => "changes" in one);
  console.log(`\n${summaryText(known, known.length === seen.stacks.length)}`);
  for (const problem of seen.problems) progress(`\n${describeProblem(problem)}`);
}

command("diff", USAGE, async () => {
  const args = parseArguments("diff", process.argv.slice(2));
  const { file, cluster } = chosenCluster({ quiet: args.json });
  const unfit = refusedSecrets(cluster);
  if (unfit.length > 0) throw new Error(`no plan can be made without the cluster's secrets\n${unfit.join("\n")}`);
  const seen = await preflight(cluster, args);
  const { stacks: left, blocked } = seen.around;
  const wanted = seen.stacks.filter(({ name }) => !left.has(name) && !blocked.has(name));
  progress(`planning ${wanted.length} stacks`);
  const looked = await parallel(wanted, args.parallelism ?? stacksAtOnce(wanted), (stack) => look(stack, seen));
  const missed = [...seen.around.missed, ...[...blocked.values()].flat()];

  if (args.json) {
    const problems = seen.problems.map(({ code, location, message, hint }) => ({
      code,
      place: locationText(location),
      message,
      hint,
    }));
    const unreachable = Object.fromEntries(missed.map((host) => [host, seen.dead.get(host)]));
    console.log(JSON.stringify({ file, stacks: looked, problems, unreachable }, null, 2));
  } else print(looked, seen);
  if (blocked.size > 0) progress(`\n${blockedText("diff", seen)}`);
  for (const host of seen.around.missed) progress(`\nhost "${host}" does not answer: ${seen.dead.get(host)}`);

  if (missed.length > 0 || seen.problems.length > 0 || looked.some((one) => "error" in one)) return 1;
  return args.detailedExitcode && looked.some(hasChanges) ? 2 : 0;
});
