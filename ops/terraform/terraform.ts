import { mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { run as runProgram } from "../process";

export interface TerraformResult {
  /** 0 for success; 2 for changes, where `-detailed-exitcode` asks for it. */
  readonly exitCode: number;
  readonly output: string;
  readonly error: string;
}

/** Runs Terraform for the CDKTF CLI, which would lose the end of its output. */
const DRAIN_PTY = join(__dirname, "drain-pty.sh");

/** The name of the program, from the variable that the CDKTF CLI reads too. */
export function terraformBinary(): string {
  const { TERRAFORM_BINARY_NAME, CONSUL_CDKTF_TERRAFORM } = process.env;
  const named =
    TERRAFORM_BINARY_NAME && basename(TERRAFORM_BINARY_NAME) === basename(DRAIN_PTY)
      ? CONSUL_CDKTF_TERRAFORM
      : TERRAFORM_BINARY_NAME;
  return named || "terraform";
}

/** Variables with which the CDKTF CLI runs that program and loses nothing of its output. */
export const wholeOutput = (): NodeJS.ProcessEnv => ({
  TERRAFORM_BINARY_NAME: DRAIN_PTY,
  CONSUL_CDKTF_TERRAFORM: terraformBinary(),
});

/**
 * Runs Terraform in a stack's folder, and initializes the folder first if necessary. It prints nothing.
 * @param signal ends it
 * @throws when there is no Terraform, or the folder cannot be initialized
 */
export async function terraform(
  folder: string,
  args: readonly string[],
  signal?: AbortSignal,
): Promise<TerraformResult> {
  const first = await run(folder, args, signal);
  // Many errors ask for it, and all name the command: no backend, another backend, no provider, another version of it.
  if (first.exitCode === 0 || !/\b(terraform|tofu) init\b/.test(first.error)) return first;
  const { exitCode, error } = await initialize(folder, signal);
  if (exitCode !== 0) throw new Error(`${terraformBinary()} init fails in ${folder}\n${error}`);
  return run(folder, args, signal);
}

let initialized: Promise<unknown> = Promise.resolve();

/** One at a time, because all folders share the plugin cache, which is not safe for concurrent use. */
function initialize(folder: string, signal?: AbortSignal): Promise<TerraformResult> {
  const after = initialized.then(() => run(folder, ["init", "-input=false"], signal));
  initialized = after.catch(() => undefined);
  return after;
}

async function run(folder: string, args: readonly string[], signal?: AbortSignal): Promise<TerraformResult> {
  const env = { ...process.env, TF_IN_AUTOMATION: "1", CHECKPOINT_DISABLE: "1", ...pluginCache() };
  try {
    const { exitCode, output, error } = await runProgram(terraformBinary(), args, { cwd: folder, env, signal });
    return { exitCode, output, error: stripVTControlCharacters(error).trim() };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    throw new Error(`there is no ${terraformBinary()} on PATH; install Terraform 1.4 or newer`);
  }
}

/** The CDKTF CLI's plugin cache: each stack's folder then has a link to the provider, not a copy. */
function pluginCache(): NodeJS.ProcessEnv {
  if (process.env.CDKTF_DISABLE_PLUGIN_CACHE_ENV) return {};
  const folder = process.env.TF_PLUGIN_CACHE_DIR || join(homedir(), ".terraform.d", "plugin-cache");
  mkdirSync(folder, { recursive: true });
  return { TF_PLUGIN_CACHE_DIR: folder };
}
