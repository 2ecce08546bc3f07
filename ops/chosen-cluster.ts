import { loadCluster, selectClusterFile } from "../cluster/file/load";
import type { Cluster } from "../cluster/model";
import { rejectWorkspace } from "../cluster/workspace";

export interface ChosenCluster {
  readonly file: string;
  readonly cluster: Cluster;
}

/**
 * The cluster that a command works on.
 * @param print gets a line that names the cluster file
 * @throws when the file has errors, or the environment would move its Terraform state
 */
export function chosenCluster(print: (line: string) => void = () => undefined): ChosenCluster {
  const file = selectClusterFile();
  print(`cluster file: ${file}`);
  const cluster = loadCluster(file);
  rejectWorkspace(cluster, file);
  return { file, cluster };
}
