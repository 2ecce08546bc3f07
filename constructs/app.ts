import { App } from "cdktf";
import { loadCluster, selectClusterFile } from "../cluster/file/load";
import { ClusterError } from "../cluster/problem";
import { backendTypeOf } from "../cluster/resolve/state-backend";
import { RefusedVariables, refuseOtherStates } from "../cluster/terraform-variables";
import { ConsulCluster } from "./consul-cluster";
import { withoutCreationStacks } from "./creation-stacks";

/**
 * A whole `main.ts`: synthesizes the cluster file that `CLUSTER` names, or the `cluster` key of cdktf.json's context.
 * Errors of the file are printed, each with its file:line:column, and end the program with exit code 1.
 * @param extend adds constructs of one's own to the cluster's stacks, or stacks of one's own to its app
 * @example
 * ```ts
 * import { TerraformOutput } from "cdktf";
 * import { synthesizeApp } from "consul-cdktf";
 *
 * synthesizeApp((cluster) => {
 *   new TerraformOutput(cluster, "agents", { value: [...cluster.agents.keys()] });
 * });
 * ```
 */
export function synthesizeApp(extend?: (cluster: ConsulCluster) => void): void {
  try {
    const file = selectClusterFile();
    console.log(`cluster file: ${file}`);
    const cluster = loadCluster(file);
    refuseOtherStates(process.env, backendTypeOf(cluster.backend));
    const app = new App();
    const created = withoutCreationStacks(() => new ConsulCluster(app, cluster));
    if (extend) extend(created);
    else withoutReferences(created);
    app.synth();
  } catch (error) {
    if (!(error instanceof ClusterError || error instanceof RefusedVariables)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}

/**
 * Spares CDKTF the look for references from one stack to another, for which it resolves every stack once more: a quarter
 * of the time of a thousand hosts. Stacks of a cluster alone have no such references.
 */
export function withoutReferences({ stacks }: ConsulCluster): void {
  for (const stack of stacks.values()) stack.prepareStack = () => void stack.ensureBackendExists();
}
