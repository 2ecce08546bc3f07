import type { Clock } from "./clock";
import { retried } from "./delivery";
import type { Docker, DockerResult } from "./docker";
import { allow, deny, type Log, type Outcome } from "./outcome";
import type { DeliverTokenRequest } from "./request";

/**
 * Delivers registrator's token and restarts it, because it reads the token at its start only: when its container is new,
 * whose first start may have come before the cluster knew the token, and when the token has been replaced. By
 * `docker cp`, which needs no program in the container: registrator's image has no shell.
 */
export async function deliverToken(
  request: DeliverTokenRequest,
  docker: Docker,
  clock: Clock,
  log: Log,
): Promise<Outcome> {
  const { target, seconds, file, path } = request;
  const { container } = target;
  const deliver = async (): Promise<DockerResult> => {
    const copy = await docker.run(["cp", file, `${container}:${path}`]);
    return copy.ok ? docker.run(["restart", "-t", "5", container]) : copy;
  };
  const delivered = await retried({ container, seconds }, deliver, clock, log);
  return delivered.ok
    ? allow("has its token")
    : deny(
        `its token cannot be delivered: ${delivered.error}`,
        "check that its container exists, and its Docker daemon",
      );
}
