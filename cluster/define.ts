import { byName } from "../consul/sort";
import { type ClusterFile, clusterSchema } from "./file/schema";
import { schemaProblems } from "./file/schema-errors";
import { schemaMessage } from "./file/schema-messages";
import type { Cluster } from "./model";
import { ClusterError, catalogue, keyPathLocation, type Locate } from "./problem";
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
export function defineCluster(file: ClusterFile, locate: Locate = keyPathLocation): Cluster {
  const parsed = clusterSchema.safeParse(file, { reportInput: true, error: schemaMessage });
  if (!parsed.success) throw new ClusterError(schemaProblems(parsed.error), locate);
  const draft = resolveCluster(parsed.data);
  const problems = [...draft.problems, ...checkCluster(draft)].filter(({ code }) => !parsed.data.accept.includes(code));
  const errors = problems.filter(({ code }) => catalogue[code].severity === "error");
  if (errors.length > 0) throw new ClusterError(errors, locate);
  const { bootstrapExpect } = draft;
  const [sortedHosts, sortedAgents] = [[...draft.hosts].sort(byName), [...draft.agents].sort(byName)];
  const { name, datacenter, network, subnet, mirror, wait, log, backend } = parsed.data;
  return {
    name,
    datacenter,
    network,
    subnet,
    mirror,
    wait,
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
    maxParallelClients: parsed.data.clients_at_a_time,
    autopilot: { min_quorum: bootstrapExpect, ...parsed.data.autopilot },
    definitions: definitionsOf(parsed.data),
    warnings: problems,
    locate,
  };
}
