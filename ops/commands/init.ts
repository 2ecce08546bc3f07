import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { parseCluster } from "../../cluster/file/load";
import { describeProblem } from "../../cluster/problem";
import { askForSettings } from "../project/questions";
import { CLUSTER_FILE, type NamedAddress, type ProjectSettings, projectFiles } from "../project/template";
import type { Terminal } from "../terminal/terminal";

export interface InitOptions {
  readonly folder: string;
  readonly name: string;
  readonly server: readonly NamedAddress[];
  readonly client: readonly NamedAddress[];
  readonly daemon: string;
  /** CDK Terrain in the place of CDKTF. */
  readonly cdktn: boolean;
}

/**
 * Makes a project: a folder with a cluster file of one's own, and the product as a dependency. Without servers it asks at
 * the terminal.
 * @throws Error if a file exists, or the cluster would have errors; nothing is written then
 */
export async function init({ folder, ...options }: InitOptions, terminal: Terminal): Promise<number> {
  const root = resolve(folder);
  const given: ProjectSettings = { ...options, servers: options.server, clients: options.client };
  refuseExisting(root, Object.keys(projectFiles(given)));
  const settings = given.servers.length > 0 ? given : await askForSettings(given, terminal);
  const files = projectFiles(settings);
  for (const warning of parseCluster(files[CLUSTER_FILE] as string, CLUSTER_FILE).warnings)
    terminal.log(describeProblem(warning));
  mkdirSync(root, { recursive: true });
  for (const [name, content] of Object.entries(files)) writeFileSync(join(root, name), content, { flag: "wx" });
  terminal.print(nextSteps(folder, Object.keys(files)));
  return 0;
}

function refuseExisting(root: string, names: readonly string[]): void {
  const existing = names.map((name) => join(root, name)).filter((file) => existsSync(file));
  if (existing.length === 0) return;
  const shown = existing.map((file) => relative(process.cwd(), file) || file);
  throw new Error(`nothing was written: ${shown.join(", ")} exists already; choose an empty folder: init FOLDER`);
}

const nextSteps = (folder: string, names: readonly string[]): string =>
  [
    `made ${names.join(", ")}`,
    "",
    "Next:",
    ...(resolve(folder) === process.cwd() ? [] : [`  cd ${folder}`]),
    "  npm install",
    "  npm run secrets -- init   # tokens, certificates and keys, into secrets/",
    "  npm run diff              # what a deploy would do",
    "  npm run deploy",
  ].join("\n");
