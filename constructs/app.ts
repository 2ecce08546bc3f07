import { App } from "cdktf";
import { loadCluster, selectClusterFile } from "../cluster/file/load";
import { ClusterError } from "../cluster/problem";
import { rejectWorkspace } from "../cluster/workspace";
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
export function synthesizeApp(extend: (cluster: ConsulCluster) => void = () => undefined): void {
  try {
    const file = selectClusterFile();
    console.log(`cluster file: ${file}`);
    const cluster = loadCluster(file);
    rejectWorkspace(cluster, file);
    const app = new App();
    extend(withoutCreationStacks(() => new ConsulCluster(app, cluster)));
    app.synth();
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
