import { lstatSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { chosenCluster, command, progress } from "./command";
import { graphOf } from "./diagram/graph";
import { mermaid } from "./diagram/mermaid";
import { svg } from "./diagram/svg";

const FORMATS = { svg, mermaid };

command("diagram", async () => {
  const { values } = parseArgs({ options: { format: { type: "string" }, output: { type: "string" }, json: { type: "boolean", default: false } } });
  const { format = "svg", output, json } = values;
  if (format !== "svg" && format !== "mermaid") throw new Error(`--format takes svg or mermaid, not "${format}"`);
  if (json && values.format !== undefined) throw new Error("--json writes the graph itself: leave --format out");
  const { file, cluster } = chosenCluster({ quiet: true });
  const graph = graphOf(cluster);
  const text = json ? `${JSON.stringify({ file, ...graph }, null, 2)}\n` : FORMATS[format](graph);
  if (output === undefined) process.stdout.write(text);
  else write(output, text);
  return 0;
});

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
