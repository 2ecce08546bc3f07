import { basename, join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { hintLine } from "../../cluster/problem";
import { run as runProgram } from "../process";
import { terraformEnvironment } from "./environment";
import { prepareFolder } from "./folder";

export interface TerraformResult {
  /** 0 for success; 2 for changes, where `-detailed-exitcode` asks for it. */
  readonly exitCode: number;
  readonly output: string;
  readonly error: string;
}

/** The script that users of the plain CDKTF CLI put in Terraform's place, so that no output is lost. */
const DRAIN_PTY = "drain-pty.sh";

/** The name of the program, from the variable that the CDKTF CLI reads too. */
export function terraformBinary(): string {
  const { TERRAFORM_BINARY_NAME, CONSUL_CDKTF_TERRAFORM } = process.env;
  const named =
    TERRAFORM_BINARY_NAME && basename(TERRAFORM_BINARY_NAME) === DRAIN_PTY
      ? CONSUL_CDKTF_TERRAFORM
      : TERRAFORM_BINARY_NAME;
  return named || "terraform";
}

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
  await prepareFolder(folder);
  const attempt = () => besideOthers(() => run(folder, args, signal));
  const first = await attempt();
  if (first.exitCode === 0 || !ASKS_FOR_INIT.test(first.error)) return first;
  const { exitCode, error } = await alone(() => run(folder, ["init", "-input=false"], signal));
  if (exitCode !== 0)
    throw new Error(`${terraformBinary()} init fails in ${folder}\n${error}${initHint(folder, error)}`);
  return attempt();
}

/** `Terraform v1.11.4`, `OpenTofu v1.9.0` */
export async function terraformVersion(): Promise<string> {
  const { output } = await run(".", ["version"]);
  return /^(Terraform|OpenTofu) v\S+/m.exec(output)?.[0] ?? "unknown";
}

/** Terraform offers to move the state by itself, which would move one stack's alone. */
const initHint = (folder: string, error: string): string =>
  /migrat|configuration changed/i.test(error)
    ? `\n${hintLine(`the backend is another than before. If npm run state -- migrate has moved the Terraform states: rm -r ${join(folder, ".terraform")}. Otherwise write the former backend into the cluster file, and migrate first`)}`
    : "";

/**
 * Many errors ask for it, and name the command: no backend, another backend, no provider, another version of it. The one
 * of a provider that is not there does not name it to programs.
 */
const ASKS_FOR_INIT = /\b(terraform|tofu) init\b|Required plugins are not installed/;

/** The end of all that has been told to run alone. */
let lastAlone: Promise<unknown> = Promise.resolve();
const running = new Set<Promise<unknown>>();

/** Runs Terraform beside others, when nothing runs alone. */
async function besideOthers(work: () => Promise<TerraformResult>): Promise<TerraformResult> {
  for (let seen: unknown; seen !== lastAlone; ) {
    seen = lastAlone;
    await lastAlone;
  }
  const result = work();
  const ended: Promise<unknown> = result.catch(() => undefined).then(() => running.delete(ended));
  running.add(ended);
  return result;
}

/**
 * Runs an `init` while no other Terraform runs. All folders share the plugin cache, in which it replaces a provider that
 * no lock file names yet: for a moment the provider is not there (seen).
 */
function alone(work: () => Promise<TerraformResult>): Promise<TerraformResult> {
  const result = lastAlone.then(async () => {
    await Promise.all(running);
    return work();
  });
  lastAlone = result.catch(() => undefined);
  return result;
}

async function run(folder: string, args: readonly string[], signal?: AbortSignal): Promise<TerraformResult> {
  const env = terraformEnvironment();
  try {
    const { exitCode, output, error } = await runProgram(terraformBinary(), args, { cwd: folder, env, signal });
    return { exitCode, output, error: stripVTControlCharacters(error).trim() };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    throw new Error(`there is no ${terraformBinary()} on PATH; install Terraform 1.4 or newer`);
  }
}
