import { execFile, type SpawnOptions, type StdioOptions } from "node:child_process";
import { homedir } from "node:os";
import { resolve } from "node:path";
import { type Daemon, dockerArguments } from "../../cluster/resolve/daemon";

export interface DockerResult {
  readonly ok: boolean;
  readonly output: string;
  readonly error: string;
}

/** The docker CLI that reaches a daemon, as Terraform's questions do: the operator's DOCKER_* variables do not redirect it. */
export function dockerCommand(
  daemon: Daemon,
  args: readonly string[],
  stdio: StdioOptions,
): [string, string[], SpawnOptions] {
  const certs = daemon.certs && resolve(daemon.certs.replace(/^~(?=\/|$)/, homedir()));
  const { DOCKER_HOST, DOCKER_CONTEXT, DOCKER_TLS_VERIFY, DOCKER_CERT_PATH, ...env } = process.env;
  return ["docker", [...dockerArguments(daemon, certs), ...args], { env, stdio }];
}

/**
 * Runs the docker CLI against a daemon.
 * @param seconds after which a daemon that does not answer counts as gone
 */
export function docker(daemon: Daemon, args: readonly string[], seconds = 5): Promise<DockerResult> {
  const [program, words, { env }] = dockerCommand(daemon, args, "pipe");
  return new Promise((done) => {
    // Asked to end, the docker CLI waits some seconds more for its ssh; killed, it takes that along.
    const limits = { timeout: seconds * 1000, killSignal: "SIGKILL", maxBuffer: 64 * 1024 * 1024 } as const;
    execFile(program, words, { env, ...limits }, (failure, stdout, stderr) => {
      const error = failure?.killed ? `no answer within ${seconds} s` : stderr.trim() || failure?.message || "";
      done({ ok: !failure, output: stdout, error });
    });
  });
}
