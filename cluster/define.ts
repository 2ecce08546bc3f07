import { byName } from "../consul/sort";
import { type ClusterFile, clusterSchema } from "./file/schema";
import { PARSING, schemaViolations } from "./file/schema-errors";
import { withFileKeys } from "./file/spellings";
import type { Cluster } from "./model";
import { ClusterError, type Locate, located, locateInProgram } from "./problem";
import { resolveBackups } from "./resolve/backups";
import { DEFAULTS } from "./resolve/defaults";
import { definitionsOf } from "./resolve/definitions";
import { metricsOf } from "./resolve/metrics";
import { privateFolderOf, withPrivatePath } from "./resolve/private-folder";
import { registratorsOf } from "./resolve/registrator";
import { resolveCluster } from "./resolve/resolve";
import { validate } from "./validate";

/**
 * Validates a cluster and resolves it: names, settings and defaults.
 * @param locate finds the location of a problem; without it, a location is the path of keys
 * @throws ClusterError with every problem
 * @example
 * ```ts
 * import { defineCluster } from "consul-cdktf";
 *
 * const cluster = defineCluster({
 *   name: "payments",
 *   daemon: "ssh://root@{address}",
 *   hosts: { node1: "10.0.0.11", web1: "10.0.0.21" },
 *   servers: ["node1"],
 *   clients: [{ name: "web1", ports: { dns: 53 } }],
 * });
 * for (const { code, message } of cluster.warnings) console.warn(code, message);
 * ```
 */
export function defineCluster(file: ClusterFile, locate: Locate = locateInProgram): Cluster {
  const parsed = clusterSchema.safeParse(withFileKeys(file), PARSING);
  if (!parsed.success)
    throw new ClusterError(schemaViolations(parsed.error).map((violation) => located(violation, locate)));
  const { name, datacenter, network, subnet, mirror, backend, backups, registries, images } = parsed.data;

  const draft = resolveCluster(parsed.data);
  const ignored: readonly string[] = parsed.data.ignore;
  const problems = [...draft.violations, ...validate(draft)]
    .filter(({ code }) => !ignored.includes(code))
    .map((violation) => located(violation, locate));
  const errors = problems.filter(({ severity }) => severity === "error");
  if (errors.length > 0) throw new ClusterError(errors);

  const { bootstrapExpect, stage, security } = draft;
  const privateFolder = privateFolderOf(parsed.data);
  const hosts = [...draft.hosts].sort(byName);
  const agents = [...draft.agents].sort(byName);
  return {
    name,
    datacenter,
    network,
    subnet,
    mirror,
    privateFolder,
    backend: withPrivatePath(backend, privateFolder),
    stage,
    security,
    hosts,
    agents,
    bootstrapExpect,
    readyTimeout: parsed.data.ready_timeout ?? DEFAULTS.readyTimeout,
    log: parsed.data.log ?? DEFAULTS.log,
    backups: backups && resolveBackups(backups),
    metrics: metricsOf(parsed.data),
    registries: [...new Set(registries)].sort(),
    images: [...new Set(images)].sort(),
    registrators: registratorsOf(parsed.data, hosts, agents),
    maxParallelClients: parsed.data.max_parallel_clients,
    autopilot: { min_quorum: bootstrapExpect, ...parsed.data.autopilot },
    definitions: definitionsOf(parsed.data),
    warnings: problems,
    locate,
  };
}
