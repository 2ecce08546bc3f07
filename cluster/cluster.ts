import { type Backups, backupsOf } from "./backups";
import { checkCluster } from "./checks";
import type { Daemon } from "./daemon";
import { type Definitions, definitionsOf } from "./definitions";
import { formProblems } from "./form";
import { inPlainWords } from "./form-words";
import { byName } from "./order";
import type { Role } from "./ports";
import { ClusterError, catalogue, type KeyPath, keyPathPlace, type Locate, type Problem } from "./problem";
import { type RegistratorDescription, registratorsOf } from "./registrator";
import { resolveCluster } from "./resolve";
import { type Autopilot, type BackendEntry, type ClusterFile, clusterSchema, type Settings } from "./schema";
import { type Security, securityOf } from "./security";

/** A cluster that has been checked: names resolved, settings merged, everything in the order of names. */
export interface Cluster {
  readonly name: string;
  readonly datacenter: string;
  readonly network: "host" | "bridge";
  /** Of the bridge network. */
  readonly subnet: string;
  readonly mirror?: string;
  readonly registries: readonly string[];
  readonly images: readonly string[];
  readonly hosts: readonly HostDescription[];
  readonly agents: readonly AgentDescription[];
  /** Of the hosts that run one. */
  readonly registrators: readonly RegistratorDescription[];
  /** Docker's logging, for what is no agent. */
  readonly log?: Settings["log"];
  readonly bootstrapExpect: number;
  /** How many clients are replaced at the same time. */
  readonly clientsAtATime: number;
  readonly autopilot: Autopilot;
  readonly definitions: Definitions;
  /** Seconds to wait for all servers to be voters. */
  readonly wait?: number;
  /** Undefined for a cluster without. */
  readonly security?: Security;
  /** Undefined for a cluster that saves nothing by itself. */
  readonly backups?: Backups;
  readonly backend?: BackendEntry;
  readonly warnings: readonly Problem[];
  readonly locate: Locate;
}

export interface HostDescription {
  readonly name: string;
  readonly address: string;
  readonly daemon: Daemon;
  readonly group?: string;
}

export interface AgentDescription {
  readonly role: Role;
  readonly name: string;
  readonly host: HostDescription;
  readonly node: string;
  readonly container: string;
  readonly hostname: string;
  /** A volume's name, or a folder of the host if it begins with a slash. */
  readonly data: string;
  readonly join: readonly JoinTarget[];
  /** Where others reach its gossip: an IP address, or a container's name in its bridge network. */
  readonly gossip: { readonly address: string; readonly port: number };
  /** It is to leave for good. */
  readonly decommission: boolean;
  readonly settings: Settings;
  /** Where it is in the cluster file. */
  readonly path: KeyPath;
}

/** Whom to join: an agent of this cluster, or an address, at the cluster's port. */
export type JoinTarget = { readonly agent: string } | { readonly address: string; readonly port: number };

/**
 * Checks a cluster and resolves what it leaves open.
 * @throws ClusterError with every problem found
 */
export function defineCluster(file: ClusterFile, locate: Locate = keyPathPlace): Cluster {
  const parsed = clusterSchema.safeParse(file, { reportInput: true, error: inPlainWords });
  if (!parsed.success) throw new ClusterError(formProblems(parsed.error), locate);
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
    clientsAtATime: parsed.data.clients_at_a_time,
    autopilot: { min_quorum: bootstrapExpect, ...parsed.data.autopilot },
    definitions: definitionsOf(parsed.data),
    warnings: problems,
    locate,
  };
}
