import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CONTAINER_VARIABLES, PATHS } from "../consul/contract";
import { SECRET_FILES } from "../consul/secrets";
import type { Clock } from "./clock";
import { retried } from "./delivery";
import type { Docker, DockerResult } from "./docker";
import { allow, deny, type Log, type Outcome } from "./outcome";
import { SIGNAL_AGENT } from "./reload";
import type { DeliverSecretsRequest } from "./request";
import { tarArchive } from "./tar";

/**
 * What the agent's container runs: it installs the files of the archive on standard input that differ in the folder $1,
 * and has Consul read them again. Certificates, the CA and tokens count from then on (agent.reloadConfigInternal,
 * hashicorp/consul); the gossip key counts in new containers only. It prints the names of the files. $2 is /proc.
 *
 * A client agent that starts waits for a certificate, up to ten minutes between two tries, and ignores the signal
 * (command/agent/agent.go). If no server had a certificate that it trusts, it would wait forever. Nobody can use it yet:
 * it does not listen, for which curl's exit code is 7. So it ends, and Docker starts it again, with the new files.
 */
export const INSTALL_SCRIPT = `set -eu
umask 077
${SIGNAL_AGENT}
is_started() {
  curl -s -m 5 -o /dev/null "\${${CONTAINER_VARIABLES.httpAddress}:-http://127.0.0.1:8500}" || [ $? -ne 7 ]
}
new=$(mktemp -d "$1/new.XXXXXX")
trap 'rm -rf "$new"' EXIT
tar -x -f - -C "$new"
changed=
for file in "$new"/*; do
  name=\${file##*/}
  cmp -s "$file" "$1/$name" && continue
  chown root:consul "$file"
  chmod 440 "$file"
  mv "$file" "$1/$name"
  changed="$changed $name"
done
[ -n "$changed" ] || exit 0
signal_agent "$2" HUP
echo "$changed"
[ -e "$1/${SECRET_FILES.certificate}" ] || is_started || signal_agent "$2" TERM`;

/**
 * Delivers the secrets that have changed since a running agent's container was created. They go by standard input,
 * because arguments are visible in the list of processes.
 */
export async function deliverSecrets(
  request: DeliverSecretsRequest,
  docker: Docker,
  clock: Clock,
  log: Log,
): Promise<Outcome> {
  const { seconds } = request;
  const { container } = request.target;
  const delivered = await retried({ container, seconds }, () => deliver(request, docker), clock, log);
  if (!delivered.ok)
    return deny(
      `its secrets cannot be delivered: ${delivered.error}`,
      "check that its container runs, and that the secrets are complete: npm run secrets -- check",
    );
  const names = delivered.output.trim();
  return allow(names === "" ? "has these secrets already" : `has new secrets: ${names}`);
}

async function deliver({ target, folder, files }: DeliverSecretsRequest, docker: Docker): Promise<DockerResult> {
  const contents: { name: string; content: Buffer }[] = [];
  for (const name of files) {
    try {
      contents.push({ name, content: readFileSync(join(folder, name)) });
    } catch (error) {
      return { ok: false, output: "", error: (error as Error).message };
    }
  }
  const script = ["/bin/sh", "-c", INSTALL_SCRIPT, "sh", PATHS.secrets, "/proc"];
  return docker.run(["exec", "-i", target.container, ...script], { input: tarArchive(contents) });
}
