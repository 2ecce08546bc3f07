import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The program of a project's own CDKTF CLI, or of CDK Terrain's. @throws Error if it has neither */
export function cdktfCli(project = process.cwd()): string {
  const found = programOf("cdktf", project) ?? programOf("cdktn", project);
  if (found === undefined) throw new Error("this project has no CDKTF CLI; npm install --save-dev cdktf-cli");
  return found;
}

/** A CLI's program, in the npm package that a project has installed. */
function programOf(name: "cdktf" | "cdktn", project: string): string | undefined {
  try {
    const manifest = require.resolve(`${name}-cli/package.json`, { paths: [project] });
    const { bin } = JSON.parse(readFileSync(manifest, "utf8")) as { bin: Readonly<Record<string, string>> };
    return bin[name] && join(dirname(manifest), bin[name]);
  } catch {
    return undefined;
  }
}
