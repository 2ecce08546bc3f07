import type { Cluster } from "../../cluster/model";
import { inspectContainers } from "../docker/container";
import { declaredContainers } from "../inspect/declared-containers";
import { type HealthProblem, healthProblem } from "../inspect/health-problem";
import { type Inspection, PARALLEL_HOSTS } from "../inspect/inspection";
import { mayBelongTo, ownerOf } from "../inspect/ownership";
import { parallel } from "../parallel";
import { containerIds, type StateResource } from "../terraform/state";
import type { Stack } from "../terraform/synth";

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
  const recorded = containerIds(resources);
  // Then nothing shows that this cluster was ever deployed.
  if (recorded.size === 0) return [];
  // Those of agents are inspected already: a host without others is not asked.
  const ofAgents = new Set(cluster.agents.map(({ host, container }) => `${host.name}/${container}`));
  const sidecars = declaredContainers(cluster, stacks).filter(({ host, name }) => !ofAgents.has(`${host}/${name}`));
  const reachable = hosts.filter(({ why }) => why === undefined).map(({ host }) => host);
  const found = await parallel(reachable, PARALLEL_HOSTS, async ({ name: host, daemon }) => {
    const names = sidecars.filter((container) => container.host === host).map(({ name }) => name);
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
