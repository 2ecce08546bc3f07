import { existsSync, readdirSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { shellWord } from "../../cluster/chosen-file";
import { parseCluster } from "../../cluster/file/load";
import type { Cluster } from "../../cluster/model";
import { describeProblem } from "../../cluster/problem";
import { locationLines, locationsOf } from "../project/locations";
import { otherFiles, type Pipeline, pipelineFiles, writeNew } from "../project/pipeline";
import { askAtTerminal } from "../project/questions";
import {
  CLUSTER_FILE,
  FILE_NAMES,
  FIRST_COMMANDS,
  type NamedAddress,
  type ProjectSettings,
  projectFiles,
} from "../project/template";
import { privateFolderBeside } from "../project/work-tree";
import type { Terminal } from "../terminal/terminal";

export interface InitOptions {
  readonly folder: string;
  readonly name: string;
  readonly server: readonly NamedAddress[];
  readonly client: readonly NamedAddress[];
  readonly daemon: string;
  /** CDK Terrain in the place of CDKTF. */
  readonly cdktn: boolean;
  /** The CI whose pipeline is written. In a folder that has a project, only the pipeline is. */
  readonly pipeline?: Pipeline;
}

/** A folder with this file has a project. */
const PROJECT_FILE = "cdktf.json";

/**
 * Makes a project: a folder with a cluster file of one's own, and the product as a dependency. Without servers it asks at
 * the terminal.
 * @throws Error if a file exists, or the cluster would have errors; nothing is written then
 */
export async function init({ folder, pipeline, ...options }: InitOptions, terminal: Terminal): Promise<number> {
  const root = resolve(folder);
  const given: ProjectSettings = {
    ...options,
    privateFolder: privateFolderBeside(root, options.name),
    servers: options.server,
    clients: options.client,
  };
  if (pipeline !== undefined && existsSync(join(root, PROJECT_FILE))) {
    terminal.print(addPipeline(root, pipeline, given));
    return 0;
  }
  const ofPipeline = pipeline === undefined ? {} : pipelineFiles(pipeline);
  refuseExisting(root, [...FILE_NAMES, ...Object.keys(ofPipeline)]);
  const settings = given.servers.length > 0 ? given : await askAtTerminal(given, terminal);
  const files = { ...projectFiles(settings), ...ofPipeline };
  const cluster = parseCluster(files[CLUSTER_FILE], CLUSTER_FILE);
  for (const warning of cluster.warnings) terminal.log(describeProblem(warning));
  terminal.print(nextSteps(folder, writeNew(root, files), cluster));
  warnOfUsed(resolve(root, settings.privateFolder), settings, terminal);
  return 0;
}

/** Another project may have the private folder already. */
function warnOfUsed(path: string, { privateFolder }: ProjectSettings, { log }: Terminal): void {
  if (!existsSync(path) || readdirSync(path).length === 0) return;
  log(`${path} has files already. If they are another project's, write another folder into ${CLUSTER_FILE}:`);
  log(`  private_folder: ${privateFolder}-2`);
}

/** @returns what was done */
function addPipeline(root: string, pipeline: Pipeline, { servers, clients }: ProjectSettings): string {
  if (servers.length + clients.length > 0)
    throw new Error(
      `nothing was written: ${shown(root, PROJECT_FILE)} exists already, so only a pipeline can be added; add hosts to its cluster file`,
    );
  const files = pipelineFiles(pipeline);
  const others = otherFiles(root, files).map((name) => shown(root, name));
  if (others.length > 0)
    throw new Error(
      `nothing was written: ${others.join(", ")} ${others.length === 1 ? "exists" : "exist"} already with another content; move away what is there, repeat this, and merge both`,
    );
  const created = writeNew(root, files);
  return created.length === 0
    ? `nothing to do: ${Object.keys(files).join(", ")} exist already`
    : `made ${created.join(", ")}\n${PIPELINE_NEXT}`;
}

/** The file's name as it can be typed here. */
const shown = (root: string, name: string): string => relative(process.cwd(), join(root, name)) || name;

const PIPELINE_NEXT = "The pipeline's file names the secrets that its CI has to store.";

function refuseExisting(root: string, names: readonly string[]): void {
  const existing = names.filter((name) => existsSync(join(root, name))).map((name) => shown(root, name));
  if (existing.length === 0) return;
  throw new Error(
    `nothing was written: ${existing.join(", ")} ${existing.length === 1 ? "exists" : "exist"} already; choose an empty folder: init FOLDER`,
  );
}

const nextSteps = (folder: string, created: readonly string[], cluster: Cluster): string =>
  [
    `made ${created.join(", ")}`,
    "",
    "Next:",
    ...(resolve(folder) === process.cwd() ? [] : [`  cd ${shellWord(folder)}`]),
    ...FIRST_COMMANDS.map((command) => `  ${command}`),
    "",
    "Files that commands will write. Keep copies of them, but not in the repository:",
    ...locationLines(locationsOf(cluster, false, folder)),
  ].join("\n");
