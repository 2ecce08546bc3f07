import { loadCluster, selectClusterFile } from "../cluster/file/load";
import type { Cluster } from "../cluster/model";

export interface ChosenCluster {
  readonly file: string;
  readonly cluster: Cluster;
}

/**
 * The cluster that a command works on.
 * @param print gets a line that names the cluster file
 * @throws when the file has errors
 */
export function chosenCluster(print: (line: string) => void = () => undefined): ChosenCluster {
  const file = selectClusterFile();
  print(`cluster file: ${file}`);
  return { file, cluster: loadCluster(file) };
}
