import { lstatSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { Cluster } from "../../cluster/model";
import { chosenCluster, command, progress } from "../command";
import { type Graph, graphOf } from "../diagram/graph";
import { withStates } from "../diagram/live";
import { mermaid } from "../diagram/mermaid";
import { svg } from "../diagram/svg";
import { statusOf } from "../status/status";
import { StatusInspector } from "../status/status-inspector";
import { count } from "../terminal/format";

const USAGE = `usage: npm run diagram [-- OPTIONS]
  --format FORMAT   svg (default) or mermaid
  --output FILE     write to a file instead of to standard output
  --live            with the state of each agent, in colour
  --json            the graph itself, for programs`;

const FORMATS = { svg, mermaid };

command("diagram", USAGE, async () => {
  const { values } = parseArgs({
    options: {
      format: { type: "string" },
      output: { type: "string" },
      json: { type: "boolean", default: false },
      live: { type: "boolean", default: false },
    },
  });
  const { format = "svg", output, json, live } = values;
  if (format !== "svg" && format !== "mermaid") throw new Error(`--format takes svg or mermaid, not "${format}"`);
  if (json && values.format !== undefined) throw new Error("--json writes the graph itself: leave --format out");
  const { file, cluster } = chosenCluster({ quiet: true });
  const graph = live ? await seen(cluster) : graphOf(cluster);
  const text = json ? `${JSON.stringify({ file, ...graph }, null, 2)}\n` : FORMATS[format](graph);
  if (output === undefined) process.stdout.write(text);
  else write(output, text);
  return 0;
});

/** The cluster as it is, which is looked at as `npm run status` does. */
async function seen(cluster: Cluster): Promise<Graph> {
  progress(`looking at ${count(cluster.hosts.length, "host")}`);
  return withStates(graphOf(cluster), statusOf(cluster, await new StatusInspector(cluster).survey()));
}

/** Whoever reads it meanwhile has the old file or the new one, whole. */
function write(file: string, text: string): void {
  // A link too: /dev/stdout is one, and may lead to a regular file.
  if (lstatSync(file, { throwIfNoEntry: false })?.isFile() === false)
    throw new Error(`--output ${file} is no regular file: leave it out, and redirect`);
  const unfinished = `${file}.${process.pid}.unfinished`;
  try {
    writeFileSync(unfinished, text, { flag: "wx" });
    renameSync(unfinished, file);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw new Error(`--output ${file}: ${(error as Error).message}`);
  }
  progress(`wrote ${file}`);
}
