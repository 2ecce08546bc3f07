import { loadCluster, selectClusterFile } from "../cluster/file/load";
import type { Cluster } from "../cluster/model";
import { ClusterError } from "../cluster/problem";
import { didYouMean } from "../cluster/suggest";

/** The cluster that a command works on: says on standard output which file it is. */
export function chosenCluster({ quiet = false } = {}): { readonly file: string; readonly cluster: Cluster } {
  const file = selectClusterFile();
  if (!quiet) console.log(`cluster file: ${file}`);
  return { file, cluster: loadCluster(file) };
}

/** A line for whoever watches; standard output is for results. */
export const progress = (line: string): void => void process.stderr.write(`${line}\n`);

/**
 * Runs a command to its exit status; what it throws is said in its name, and is status 1.
 * @param usage what `--help` prints; it names each option
 */
export function command(name: string, usage: string, run: () => Promise<number>): void {
  if (process.argv.slice(2).some((word) => word === "--help" || word === "-h")) {
    console.log(usage);
    return;
  }
  run().then(
    (status) => {
      process.exitCode = status;
    },
    (error: Error) => {
      progress(error instanceof ClusterError ? error.message : `${name}: ${misused(error, usage) ?? error.message}`);
      process.exitCode = 1;
    },
  );
}

/** What `parseArgs` of node:util has against the words of a command line, in a person's words; undefined for any other error. */
function misused({ message, ...error }: NodeJS.ErrnoException, usage: string): string | undefined {
  const code = /^ERR_PARSE_ARGS_(\w+)$/.exec(error.code ?? "")?.[1];
  if (code === undefined) return undefined;
  const word = /'([^' ]+)/.exec(message)?.[1] ?? "";
  const options = [...usage.matchAll(/--[a-z][a-z-]*/g)].map(([option]) => option);
  const said: Readonly<Record<string, string>> = {
    UNKNOWN_OPTION: `there is no option ${word}${didYouMean(word, options)}`,
    UNEXPECTED_POSITIONAL: `it does not take ${word}`,
  };
  return `${said[code] ?? message}\n${usage}`;
}
