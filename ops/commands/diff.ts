import { type ComparisonOptions, compare, exitCodeOf } from "../deploy/comparison";
import { planStack } from "../deploy/planned-stacks";
import { parallel } from "../parallel";
import type { Terminal } from "../terminal/terminal";
import { plan } from "../terraform/plan";

export type DiffOptions = ComparisonOptions;

export async function diff(options: DiffOptions, terminal: Terminal): Promise<number> {
  const comparison = await compare("diff", options, terminal, (stacks, { exclusions, targets }, atOnce) =>
    parallel(stacks, atOnce, (stack) =>
      planStack(stack, exclusions.skippedHosts.get(stack.name) ?? [], () =>
        plan(stack.folder, { targets: targets.get(stack.name) }),
      ),
    ),
  );
  return exitCodeOf(comparison, options);
}
