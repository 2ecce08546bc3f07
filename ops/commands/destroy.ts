import { describeProblem } from "../../cluster/problem";
import { stackNames } from "../../cluster/resolve/stacks";
import { USER_VARIABLES } from "../../consul/contract";
import { chosenCluster } from "../chosen-cluster";
import { type DeploymentOptions, planAndApply } from "../deploy/deployment";
import { type Report, reportFor, reportingRejection } from "../deploy/report";
import { unsavedStates } from "../inspect/unsaved-state";
import { select } from "../select";
import type { Terminal } from "../terminal/terminal";
import { synthesize } from "../terraform/synth";

export interface DestroyOptions extends DeploymentOptions {
  /** Names of stacks, or patterns with `*`. None: all. */
  readonly stacks: readonly string[];
  /** Events for programs. */
  readonly json?: boolean;
}

export function destroy(options: DestroyOptions, terminal: Terminal): Promise<number> {
  const report = reportFor(options, terminal);
  return reportingRejection("destroy", report, () => selectAndDestroy(options, report, terminal));
}

async function selectAndDestroy(options: DestroyOptions, report: Report, terminal: Terminal): Promise<number> {
  const { file, cluster } = chosenCluster(options.json ? undefined : terminal.print);
  const names = select("stack", stackNames(cluster.name, cluster.hosts), options.stacks);
  terminal.log(`destroying ${names.join(", ")}; the data stays on its volumes`);
  const stacks = (await synthesize()).filter(({ name }) => names.includes(name));
  // What is only in such a state would stay, and nothing would manage it any more.
  const unsaved = unsavedStates(stacks).map(describeProblem);
  if (unsaved.length > 0) throw new Error(`rejected; nothing was changed\n${unsaved.join("\n")}`);
  // The pre-stop checks would deny the loss of the quorum. `destroy` is the consent.
  const env = { [USER_VARIABLES.allowQuorumLoss]: "yes" };
  return planAndApply({ command: "destroy", file, cluster, stacks, env }, options, report, terminal);
}
