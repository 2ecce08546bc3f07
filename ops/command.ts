import type { Cluster } from "../cluster/cluster";
import { loadCluster, selectClusterFile } from "../cluster/load";
import { ClusterError } from "../cluster/problem";

/** The cluster that a command works on: says on standard output which file it is. */
export function chosenCluster({ quiet = false } = {}): { readonly file: string; readonly cluster: Cluster } {
  const file = selectClusterFile();
  if (!quiet) console.log(`cluster file: ${file}`);
  return { file, cluster: loadCluster(file) };
}

/** A line for whoever watches; standard output is for results. */
export const progress = (line: string): void => void process.stderr.write(`${line}\n`);

/** Runs a command to its exit status; what it throws is said in its name, and is status 1. */
export function command(name: string, run: () => Promise<number>): void {
  run().then(
    (status) => {
      process.exitCode = status;
    },
    (error: Error) => {
      progress(error instanceof ClusterError ? error.message : `${name}: ${error.message}`);
      process.exitCode = 1;
    },
  );
}
