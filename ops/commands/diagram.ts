import type { Cluster } from "../../cluster/model";
import { chosenCluster } from "../chosen-cluster";
import { type Graph, graphOf } from "../diagram/graph";
import { mermaid } from "../diagram/mermaid";
import { svg } from "../diagram/svg";
import { isRegularFile, replaceFile } from "../files";
import { withStates } from "../status/graph-states";
import { statusOf } from "../status/status";
import { StatusInspector } from "../status/status-inspector";
import { count } from "../terminal/format";
import type { Terminal } from "../terminal/terminal";

const FORMATS = { svg, mermaid };

export interface DiagramOptions {
  readonly format: keyof typeof FORMATS;
  readonly output?: string;
  readonly live?: boolean;
  readonly json?: boolean;
}

export async function diagram({ format, output, live, json }: DiagramOptions, terminal: Terminal): Promise<number> {
  const { file, cluster } = chosenCluster();
  const graph = live ? await liveGraph(cluster, terminal) : graphOf(cluster);
  const text = json ? `${JSON.stringify({ file, ...graph }, null, 2)}\n` : FORMATS[format](graph);
  if (output === undefined) terminal.stdout.write(text);
  else {
    write(output, text);
    terminal.log(`wrote ${output}`);
  }
  return 0;
}

async function liveGraph(cluster: Cluster, terminal: Terminal): Promise<Graph> {
  terminal.log(`inspecting ${count(cluster.hosts.length, "host")}`);
  return withStates(graphOf(cluster), statusOf(cluster, await new StatusInspector(cluster).inspect()));
}

function write(file: string, text: string): void {
  // A link is rejected too: /dev/stdout is one, and may lead to a regular file.
  if (isRegularFile(file) === false)
    throw new Error(`--output ${file} is not a regular file: omit --output, and redirect standard output`);
  try {
    replaceFile(file, text);
  } catch (error) {
    throw new Error(`--output ${file}: ${(error as Error).message}`);
  }
}
