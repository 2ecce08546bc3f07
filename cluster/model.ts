import type { Role } from "../consul/ports";
import type { Autopilot, BackendEntry, Settings } from "./file/schema";
import type { KeyPath, Locate, Problem } from "./problem";
import type { Backups } from "./resolve/backups";
import type { Daemon } from "./resolve/daemon";
import type { Definitions } from "./resolve/definitions";
import type { RegistratorDescription } from "./resolve/registrator";
import type { Security } from "./resolve/security";

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
  readonly maxParallelClients: number;
  readonly autopilot: Autopilot;
  readonly definitions: Definitions;
  /** Seconds to wait for all servers to be voters. */
  readonly readyTimeout?: number;
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
