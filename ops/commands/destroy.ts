import { stackNames } from "../../cluster/resolve/stacks";
import { chosenCluster } from "../chosen-cluster";
import { select } from "../select";
import type { Terminal } from "../terminal/terminal";
import { cdktf } from "../terraform/cdktf";
import { synthesize } from "../terraform/synth";

export interface DestroyOptions {
  /** Names of stacks, or patterns with `*`. None: all. */
  readonly stacks: readonly string[];
  readonly autoApprove?: boolean;
  /** Stacks at the same time. */
  readonly parallelism?: number;
  /** Operations at the same time in a stack. */
  readonly terraformParallelism?: number;
  /** For the CDKTF CLI. */
  readonly passedOn: readonly string[];
}

export async function destroy(options: DestroyOptions, terminal: Terminal): Promise<number> {
  const { cluster } = chosenCluster(terminal.print);
  const names = select("stack", stackNames(cluster.name, cluster.hosts), options.stacks);
  terminal.log(`destroying ${names.join(", ")}; the data stays on its volumes`);
  const stacks = (await synthesize()).filter(({ name }) => names.includes(name));
  // The pre-stop checks would deny the loss of the quorum. `destroy` is the consent.
  const env = { CONSUL_ALLOW_QUORUM_LOSS: "yes" };
  return cdktf({ ...options, command: "destroy", stacks, cloud: cluster.backend?.cloud !== undefined, env });
}
