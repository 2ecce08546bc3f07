import { execFile } from "node:child_process";
import { homedir } from "node:os";
import { resolve } from "node:path";
import { type Daemon, dockerArguments } from "../cluster/daemon";

export interface DockerResult {
  readonly ok: boolean;
  readonly output: string;
  readonly error: string;
}

/**
 * Runs the docker CLI against a daemon, as Terraform's questions do: the operator's DOCKER_* variables do not redirect it.
 * @param seconds after which a daemon that does not answer counts as gone
 */
export function docker(daemon: Daemon, args: readonly string[], seconds = 5): Promise<DockerResult> {
  const certs = daemon.certs && resolve(daemon.certs.replace(/^~(?=\/|$)/, homedir()));
  const { DOCKER_HOST, DOCKER_CONTEXT, DOCKER_TLS_VERIFY, DOCKER_CERT_PATH, ...env } = process.env;
  return new Promise((done) => {
    execFile(
      "docker",
      [...dockerArguments(daemon, certs), ...args],
      { env, timeout: seconds * 1000, maxBuffer: 64 * 1024 * 1024 },
      (failure, stdout, stderr) => {
        const error = failure?.killed ? `no answer within ${seconds} s` : stderr.trim() || failure?.message || "";
        done({ ok: !failure, output: stdout, error });
      },
    );
  });
}
