import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Where each CI looks for its pipeline in a project. */
const LOCATIONS = { github: ".github/workflows/consul.yml", gitlab: ".gitlab-ci.yml" } as const;

export type Pipeline = keyof typeof LOCATIONS;
export const PIPELINES = Object.keys(LOCATIONS) as readonly Pipeline[];

/** The steps, which both pipelines run, and every other CI can. */
const STEPS = "pipeline.sh";

/** A pipeline's files, by their paths in a project. */
export const pipelineFiles = (pipeline: Pipeline): Readonly<Record<string, string>> => ({
  [STEPS]: template(STEPS),
  [LOCATIONS[pipeline]]: template(`${pipeline}.yml`),
});

const template = (name: string): string => readFileSync(join(__dirname, "pipeline", name), "utf8");

/** The files of these that have another content in the folder. */
export const otherFiles = (root: string, files: Readonly<Record<string, string>>): string[] =>
  Object.keys(files).filter(
    (name) => existsSync(join(root, name)) && readFileSync(join(root, name), "utf8") !== files[name],
  );

/** Writes files that do not exist yet. @returns their names */
export function writeNew(root: string, files: Readonly<Record<string, string>>): string[] {
  const created = Object.keys(files).filter((name) => !existsSync(join(root, name)));
  for (const name of created) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), files[name] as string, { flag: "wx" });
  }
  return created;
}
