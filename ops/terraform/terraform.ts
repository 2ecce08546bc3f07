import { execFile } from "node:child_process";
import { mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import { stripVTControlCharacters } from "node:util";

export interface TerraformResult {
  /** 0 for success; 2 for changes, where `-detailed-exitcode` asks for it. */
  readonly status: number;
  readonly output: string;
  readonly error: string;
}

/** Stands for Terraform where the CDKTF CLI would lose its last words. */
const DRAIN_PTY = join(__dirname, "drain-pty.sh");

/** The program's name, as the CDKTF CLI takes it. */
export function terraformBinary(): string {
  const { TERRAFORM_BINARY_NAME, CONSUL_CDKTF_TERRAFORM } = process.env;
  const named =
    TERRAFORM_BINARY_NAME && basename(TERRAFORM_BINARY_NAME) === basename(DRAIN_PTY)
      ? CONSUL_CDKTF_TERRAFORM
      : TERRAFORM_BINARY_NAME;
  return named || "terraform";
}

/** With which the CDKTF CLI runs that program and loses nothing of what it says. */
export const wholeOutput = (): NodeJS.ProcessEnv => ({
  TERRAFORM_BINARY_NAME: DRAIN_PTY,
  CONSUL_CDKTF_TERRAFORM: terraformBinary(),
});

/**
 * Runs Terraform in a stack's folder, and initializes the folder first if it has to be. Quietly: what it says comes back.
 * @param signal ends it
 * @throws when Terraform is not there, or the folder cannot be initialized
 */
export async function terraform(
  folder: string,
  args: readonly string[],
  signal?: AbortSignal,
): Promise<TerraformResult> {
  const first = await run(folder, args, signal);
  // Its errors say so in many words, which all name the command: no backend, another backend, no provider, another version of it.
  if (first.status === 0 || !/\b(terraform|tofu) init\b/.test(first.error)) return first;
  const { status, error } = await initialize(folder, signal);
  if (status !== 0) throw new Error(`${terraformBinary()} init fails in ${folder}\n${error}`);
  return run(folder, args, signal);
}

let initialized: Promise<unknown> = Promise.resolve();

/** One after the other: the plugin cache, which all folders share, is not safe for more. */
function initialize(folder: string, signal?: AbortSignal): Promise<TerraformResult> {
  const after = initialized.then(() => run(folder, ["init", "-input=false"], signal));
  initialized = after.catch(() => undefined);
  return after;
}

function run(folder: string, args: readonly string[], signal?: AbortSignal): Promise<TerraformResult> {
  const env = { ...process.env, TF_IN_AUTOMATION: "1", CHECKPOINT_DISABLE: "1", ...pluginCache() };
  return new Promise((done, refuse) => {
    execFile(
      terraformBinary(),
      args,
      { cwd: folder, env, maxBuffer: MAX_OUTPUT, signal },
      (failure, stdout, stderr) => {
        if (failure && typeof failure.code === "string") {
          const why =
            failure.code === "ENOENT"
              ? `there is no ${terraformBinary()} on PATH; install Terraform 1.4 or newer`
              : failure.message;
          return refuse(new Error(why));
        }
        const status = failure ? Number(failure.code ?? 1) : 0;
        done({ status, output: stdout, error: stripVTControlCharacters(stderr).trim() });
      },
    );
  });
}

/** A plan of 1000 containers, each with its scripts, before and after. */
const MAX_OUTPUT = 1024 * 1024 * 1024;

/** The CDKTF CLI's own, so that each stack's folder has a link to the provider, not a copy. */
function pluginCache(): NodeJS.ProcessEnv {
  if (process.env.CDKTF_DISABLE_PLUGIN_CACHE_ENV) return {};
  const folder = process.env.TF_PLUGIN_CACHE_DIR || join(homedir(), ".terraform.d", "plugin-cache");
  mkdirSync(folder, { recursive: true });
  return { TF_PLUGIN_CACHE_DIR: folder };
}
