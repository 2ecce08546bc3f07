import type { Cluster } from "../../cluster/model";
import { inspectContainers } from "../docker/container";
import { declaredContainers } from "../inspect/declared-containers";
import { type HealthProblem, healthProblem } from "../inspect/health-problem";
import type { Inspection } from "../inspect/inspection";
import { mayBelongTo, ownerOf } from "../inspect/ownership";
import { parallel } from "../parallel";
import type { StateResource } from "../terraform/state";
import type { Stack } from "../terraform/synth";

/** Each takes a docker CLI and an ssh connection. */
const PARALLEL_HOSTS = 32;

/**
 * Containers beside agents, of registrator and of backups, that no Terraform state has: a deploy that was killed has not
 * recorded them, and a further one would fail at their names. They keep nothing in themselves.
 */
export async function unrecordedSidecars(
  cluster: Cluster,
  stacks: readonly Stack[],
  resources: readonly StateResource[],
  { hosts }: Inspection,
): Promise<HealthProblem[]> {
  const recorded = new Set(
    resources.filter(({ type }) => type === "docker_container").map(({ attributes }) => attributes.id),
  );
  // Then nothing shows that this cluster was ever deployed.
  if (recorded.size === 0) return [];
  const declared = declaredContainers(cluster, stacks);
  const reachable = hosts.filter(({ why }) => why === undefined).map(({ host }) => host);
  const found = await parallel(reachable, PARALLEL_HOSTS, async ({ name: host, daemon }) => {
    const names = declared.filter((container) => container.host === host).map(({ name }) => name);
    const containers = await inspectContainers(daemon, names);
    return containers.flatMap((container): HealthProblem[] => {
      const owner = ownerOf(container);
      const isSidecar = owner?.role === "registrator" || owner?.role === "backups";
      if (!isSidecar || recorded.has(container.Id) || !mayBelongTo(owner, { cluster: cluster.name })) return [];
      const name = container.Name.slice(1);
      return [
        healthProblem({
          code: "container-unrecorded",
          host,
          message: `container ${name} is not in the Terraform state: a deploy was killed before it recorded it`,
          hint: `docker rm --force ${name}`,
          fix: "remove",
          container: name,
        }),
      ];
    });
  });
  return found.flat();
}
