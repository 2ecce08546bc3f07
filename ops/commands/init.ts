import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { shellWord } from "../../cluster/chosen-file";
import { parseCluster } from "../../cluster/file/load";
import type { Cluster } from "../../cluster/model";
import { describeProblem } from "../../cluster/problem";
import { locationLines } from "../project/locations";
import { askAtTerminal } from "../project/questions";
import {
  CLUSTER_FILE,
  FILE_NAMES,
  FIRST_COMMANDS,
  type NamedAddress,
  type ProjectSettings,
  projectFiles,
} from "../project/template";
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
  refuseExisting(root);
  const settings = given.servers.length > 0 ? given : await askAtTerminal(given, terminal);
  const files = projectFiles(settings);
  const cluster = parseCluster(files[CLUSTER_FILE], CLUSTER_FILE);
  for (const warning of cluster.warnings) terminal.log(describeProblem(warning));
  mkdirSync(root, { recursive: true });
  for (const [name, content] of Object.entries(files)) writeFileSync(join(root, name), content, { flag: "wx" });
  terminal.print(nextSteps(folder, cluster));
  return 0;
}

function refuseExisting(root: string): void {
  const existing = FILE_NAMES.map((name) => join(root, name)).filter((file) => existsSync(file));
  if (existing.length === 0) return;
  const shown = existing.map((file) => relative(process.cwd(), file) || file);
  throw new Error(
    `nothing was written: ${shown.join(", ")} ${existing.length === 1 ? "exists" : "exist"} already; choose an empty folder: init FOLDER`,
  );
}

const nextSteps = (folder: string, cluster: Cluster): string =>
  [
    `made ${FILE_NAMES.join(", ")}`,
    "",
    "Next:",
    ...(resolve(folder) === process.cwd() ? [] : [`  cd ${shellWord(folder)}`]),
    ...FIRST_COMMANDS.map((command) => `  ${command}`),
    "",
    "Files that commands will write. Keep copies of them, but not in the repository:",
    ...locationLines(cluster),
  ].join("\n");
