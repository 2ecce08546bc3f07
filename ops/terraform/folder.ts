import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import type { BackendType } from "../../cluster/resolve/state-backend";
import { refuseVariables } from "../../cluster/terraform-variables";
import { STACK_JSON } from "../../consul/contract";
import { type CloudBlock, ensureWorkspace } from "./cloud-workspace";

/** Where Terraform notes a workspace that was selected in a folder. For HCP Terraform it is the stack's own. */
const SELECTED = join(".terraform", "environment");
/** Where Terraform notes the backend that a folder was initialized for. */
const INITIALIZED = join(".terraform", "terraform.tfstate");

/** Whether Terraform has been initialized in a folder. */
export const isInitialized = (folder: string): boolean => existsSync(join(folder, INITIALIZED));

/** After the states have moved: Terraform would ask what to do about the former backend. */
export function forgetBackend(folder: string): void {
  for (const file of [SELECTED, INITIALIZED]) rmSync(join(folder, file), { force: true });
}

/**
 * Makes sure that a stack's folder leads to the stack's own Terraform state, before any Terraform runs in it. For HCP
 * Terraform, a workspace that is missing is created.
 * @throws for variables that are rejected with the stack's backend, and for another workspace
 */
export async function prepareFolder(folder: string): Promise<void> {
  const { backend, cloud } = backendIn(folder);
  const type = cloud === undefined ? (Object.keys(backend ?? {})[0] as BackendType | undefined) : "cloud";
  refuseVariables(process.env, type);
  if (cloud !== undefined) return ensureWorkspace(cloud);
  refuseSelectedWorkspace(folder);
  if (type === "local") makePrivate(folder, backend?.local as { readonly path?: string });
}

/**
 * Makes the folder of a local Terraform state that is out of the project, for this user alone. Terraform would make one
 * that others can read.
 */
function makePrivate(folder: string, { path }: { readonly path?: string }): void {
  if (path === undefined || isAbsolute(path)) return;
  const parent = dirname(resolve(folder, path));
  if (relative(".", parent).startsWith("..")) mkdirSync(parent, { recursive: true, mode: 0o700 });
}

/**
 * Arguments of the backend that a folder was initialized with, and that its JSON does not have: they come from
 * `-backend-config`. Terraform copies them into plan files.
 */
export function argumentsOfInit(folder: string): string[] {
  const file = join(folder, INITIALIZED);
  const { backend: written } = backendIn(folder);
  if (written === undefined || !existsSync(file)) return [];
  const { backend } = JSON.parse(readFileSync(file, "utf8")) as Initialized;
  const known = Object.values(written).flatMap((given) => Object.keys(given as object));
  return Object.entries(backend?.config ?? {}).flatMap(([name, value]) =>
    value === null || known.includes(name) ? [] : [name],
  );
}

interface Initialized {
  readonly backend?: { readonly config?: Readonly<Record<string, unknown>> | null };
}

interface TerraformBlock {
  readonly backend?: Readonly<Record<string, unknown>>;
  readonly cloud?: CloudBlock;
}

function backendIn(folder: string): TerraformBlock {
  const file = join(folder, STACK_JSON);
  if (!existsSync(file)) return {};
  return (JSON.parse(readFileSync(file, "utf8")) as { terraform?: TerraformBlock }).terraform ?? {};
}

function refuseSelectedWorkspace(folder: string): void {
  const file = join(folder, SELECTED);
  const selected = existsSync(file) ? readFileSync(file, "utf8").trim() : "";
  if (selected === "" || selected === "default") return;
  throw new Error(
    `the workspace "${selected}" is selected in ${folder}: it is another Terraform state of the same containers
    hint: rm -r ${join(folder, ".terraform")}; Terraform installs its content again`,
  );
}
