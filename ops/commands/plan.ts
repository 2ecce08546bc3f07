import { existsSync, lstatSync, readdirSync } from "node:fs";
import { type ComparisonOptions, compare, exitCodeOf } from "../deploy/comparison";
import { makePlans, whyNotApplied } from "../deploy/plans";
import { savePlans } from "../deploy/saved-plans";
import type { Terminal } from "../terminal/terminal";
import { withPlanFolder } from "../terraform/plan-folder";

export interface PlanOptions extends ComparisonOptions {
  /** The folder for the plans. */
  readonly out: string;
}

/** Plans as `diff` does, into a folder that `deploy --plan` takes. */
export async function plan(options: PlanOptions, terminal: Terminal): Promise<number> {
  const { out } = options;
  refuseUsed(out);
  return withPlanFolder(async (hidden) => {
    const comparison = await compare("plan", options, terminal, (stacks, { exclusions, targets }, atOnce) =>
      makePlans({ command: "deploy", stacks, targets, skippedHosts: exclusions.skippedHosts }, hidden, atOnce),
    );
    const { stacks, planned, isDeployable } = comparison;
    const reasons = isDeployable ? whyNotApplied(stacks, planned) : ["a deploy would be rejected, or incomplete"];
    if (stacks.length === 0) reasons.push("every stack is skipped");
    if (reasons.length > 0) {
      terminal.log(`no plan was saved: ${reasons.join("\n")}`);
      return 1;
    }
    await savePlans(out, hidden, comparison, options);
    terminal.log(`the plans are in ${out}. After approval: npm run deploy -- --plan ${out}`);
    return exitCodeOf(comparison, options);
  });
}

function refuseUsed(out: string): void {
  if (!existsSync(out)) return;
  if (!lstatSync(out).isDirectory() || readdirSync(out).length > 0)
    throw new Error(`${out} is no empty folder\n    hint: name a folder that does not exist`);
}
