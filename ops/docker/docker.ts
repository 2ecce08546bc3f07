import type { SpawnOptions, StdioOptions } from "node:child_process";
import { homedir } from "node:os";
import { resolve } from "node:path";
import type { Daemon } from "../../cluster/model";
import { dockerArguments } from "../../consul/docker-arguments";
import { dockerEnvironment } from "../../rollout/environment";
import { run } from "../process";

export interface DockerResult {
  readonly ok: boolean;
  readonly output: string;
  /** Why it failed. */
  readonly error: string;
}

/**
 * The docker CLI's command line for a daemon. Like Terraform's provisioners, it ignores the operator's DOCKER_*
 * variables.
 */
export function dockerCommand(
  daemon: Daemon,
  args: readonly string[],
  stdio: StdioOptions,
): [string, string[], SpawnOptions] {
  const certs = daemon.certs && resolve(daemon.certs.replace(/^~(?=\/|$)/, homedir()));
  const env = dockerEnvironment(process.env);
  return ["docker", [...dockerArguments(daemon.url, certs), ...args], { env, stdio }];
}

/**
 * Runs the docker CLI against a daemon.
 * @param seconds after which the daemon counts as unreachable. The CLI is then killed, and its ssh ends with it: asked
 *   to end, it would wait some seconds for the ssh.
 */
export async function docker(
  daemon: Daemon,
  args: readonly string[],
  seconds = 5,
  stdio: StdioOptions = "pipe",
): Promise<DockerResult> {
  const [program, words, options] = dockerCommand(daemon, args, stdio);
  try {
    const { exitCode, output, error, timedOut } = await run(program, words, { ...options, seconds });
    const reason = timedOut ? `no answer within ${seconds} s` : error.trim() || `exit code ${exitCode}`;
    return { ok: exitCode === 0, output, error: exitCode === 0 ? error.trim() : reason };
  } catch (error) {
    return { ok: false, output: "", error: (error as Error).message };
  }
}
