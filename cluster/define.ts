import { byName } from "../consul/sort";
import { type ClusterFile, clusterSchema } from "./file/schema";
import { schemaViolations } from "./file/schema-errors";
import { schemaMessage } from "./file/schema-messages";
import type { Cluster } from "./model";
import { ClusterError, type Locate, located, locateInProgram } from "./problem";
import { backupsOf } from "./resolve/backups";
import { definitionsOf } from "./resolve/definitions";
import { registratorsOf } from "./resolve/registrator";
import { resolveCluster } from "./resolve/resolve";
import { securityOf } from "./resolve/security";
import { checkCluster } from "./validate";

/**
 * Checks a cluster and resolves what it leaves open.
 * @throws ClusterError with every problem found
 */
export function defineCluster(file: ClusterFile, locate: Locate = locateInProgram): Cluster {
  const parsed = clusterSchema.safeParse(file, { reportInput: true, error: schemaMessage });
  if (!parsed.success)
    throw new ClusterError(schemaViolations(parsed.error).map((violation) => located(violation, locate)));
  const draft = resolveCluster(parsed.data);
  const ignored: readonly string[] = parsed.data.ignore;
  const problems = [...draft.violations, ...checkCluster(draft)]
    .filter(({ code }) => !ignored.includes(code))
    .map((violation) => located(violation, locate));
  const errors = problems.filter(({ severity }) => severity === "error");
  if (errors.length > 0) throw new ClusterError(errors);
  const { bootstrapExpect } = draft;
  const [sortedHosts, sortedAgents] = [[...draft.hosts].sort(byName), [...draft.agents].sort(byName)];
  const { name, datacenter, network, subnet, mirror, ready_timeout, log, backend } = parsed.data;
  return {
    name,
    datacenter,
    network,
    subnet,
    mirror,
    readyTimeout: ready_timeout,
    log,
    backend,
    security: securityOf(parsed.data),
    backups: parsed.data.backups && backupsOf(parsed.data.backups),
    registries: [...new Set(parsed.data.registries)].sort(),
    images: [...new Set(parsed.data.images)].sort(),
    hosts: sortedHosts,
    agents: sortedAgents,
    registrators: registratorsOf(parsed.data, sortedHosts, sortedAgents),
    bootstrapExpect,
    maxParallelClients: parsed.data.max_parallel_clients,
    autopilot: { min_quorum: bootstrapExpect, ...parsed.data.autopilot },
    definitions: definitionsOf(parsed.data),
    warnings: problems,
    locate,
  };
}
