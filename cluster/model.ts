import type { DnsSettings } from "../consul/agent-config";
import type { ConsulConfig } from "../consul/config";
import type { Endpoints } from "../consul/endpoints";
import type { EffectivePorts, PortName, Ports, Role } from "../consul/ports";
import type { SecuredStage, Stage } from "../consul/security";
import type {
  Autopilot,
  BackendEntry,
  Check,
  ParsedClusterFile,
  PolicyName,
  RegistratorSettings,
  Rules,
  Service,
  Settings,
  Thresholds,
} from "./file/schema";
import type { KeyPath, Locate, Problem, Violation } from "./problem";

/** A validated cluster. Names are resolved, settings merged, defaults applied; lists are in the order of names. */
export interface Cluster {
  /** The cluster's name, with which the names of its stacks begin. */
  readonly name: string;
  /** The name of Consul's datacenter. */
  readonly datacenter: string;
  /** The network of all agents: `host` for their hosts' own, or `bridge`. */
  readonly network: Network;
  /** The bridge network's subnet. */
  readonly subnet: string;
  /** The registry that Docker Hub's images are pulled from. Undefined for Docker Hub itself. */
  readonly mirror?: string;
  /** Registries that need credentials. */
  readonly registries: readonly string[];
  /** Further images that every host pulls. */
  readonly images: readonly string[];
  /** The Docker hosts. */
  readonly hosts: readonly HostDescription[];
  /** Servers and client agents. */
  readonly agents: readonly AgentDescription[];
  /** One for each host that runs registrator. */
  readonly registrators: readonly RegistratorDescription[];
  /** Docker's logging, for containers that are no agents. */
  readonly log: Log;
  /** How many servers the first bootstrap waits for. @unit servers */
  readonly bootstrapExpect: number;
  /** How many client agents a deploy replaces in parallel. @unit client agents */
  readonly maxParallelClients: number;
  /** The settings of Consul's autopilot. */
  readonly autopilot: Autopilot;
  /** Keys, config entries, intentions and prepared queries. */
  readonly definitions: Definitions;
  /** How long a deploy waits until all servers are voters. @unit seconds */
  readonly readyTimeout: number;
  /** What is enforced: `off`, `permissive`, `outgoing` or `strict`. */
  readonly stage: Stage;
  /** The folder of secrets, ACL policies and tokens. Undefined at stage `off`. */
  readonly security?: Security;
  /** When snapshots are taken. Undefined without scheduled backups. */
  readonly backups?: Backups;
  /** The metrics that agents export. Undefined if they export none. */
  readonly metrics?: Metrics;
  /**
   * The folder beside the project's checkout for secrets, local Terraform states and backups, unless the file names
   * other paths. Relative to the project. Undefined if they are in the project.
   */
  readonly privateFolder?: string;
  /** Where the Terraform state is stored. Undefined for a file of the project. */
  readonly backend?: BackendEntry;
  /** Problems that do not prevent a deploy. */
  readonly warnings: readonly Problem[];
  /** Finds the location of a key in the cluster file. */
  readonly locate: Locate;
}

export type Network = "host" | "bridge";
export type Log = NonNullable<Settings["log"]>;

export interface HostDescription {
  readonly name: string;
  readonly address: string;
  readonly daemon: Daemon;
  readonly group?: string;
}

/** A Docker daemon, as the Terraform provider and the docker CLI connect to it. */
export interface Daemon {
  /** How the daemon is reached. `plain` is TCP without TLS. */
  readonly kind: "unix" | "ssh" | "tls" | "plain";
  /** The URL, as `docker -H` takes it. */
  readonly url: string;
  /** Only of `tls`: the folder of ca.pem, cert.pem and key.pem; absolute, `~/...`, or relative to the project. */
  readonly certs?: string;
}

export interface AgentDescription extends AgentSettings {
  readonly name: string;
  readonly host: HostDescription;
  readonly join: readonly JoinTarget[];
  /** The agent leaves the cluster with the next deploy. */
  readonly decommission: boolean;
  /**
   * The agent's own settings, merged into the cluster's and without defaults: as ConsulServer and ConsulClient take
   * them.
   */
  readonly fileSettings: Settings;
  /** The agent's location in the cluster file. */
  readonly path: KeyPath;
}

/** An agent's settings, with every default applied. */
export interface AgentSettings {
  readonly role: Role;
  readonly datacenter: string;
  /** Consul's node name. */
  readonly node: string;
  /** The container's name. */
  readonly container: string;
  /** The container's host name. */
  readonly hostname: string;
  /** A volume's name, or a folder of the host if it begins with a slash. */
  readonly data: string;
  readonly image: string;
  /** Undefined in a bridge network, where Consul binds to the container's own address. */
  readonly bindAddr?: string;
  /** Undefined if it is the bind address. */
  readonly advertiseAddr?: string;
  readonly clientAddresses: readonly string[];
  /** All ports; -1 is off. */
  readonly ports: EffectivePorts;
  /** The ports that the agent's configuration states: they differ from Consul's defaults, or the file has them. */
  readonly configuredPorts: Ports;
  /** Ports of the host at which a bridged agent's ports are published. */
  readonly publish: Readonly<Partial<Record<PortName, number>>>;
  readonly endpoints: Endpoints;
  /** Where other agents reach its gossip: an IP address, or the container's name in its bridge network. */
  readonly gossip: { readonly address: string; readonly port: number };
  readonly stage: Stage;
  /** Whether plain HTTP listens on loopback only. */
  readonly httpsOnly: boolean;
  /** Whether the agent exports its metrics for Prometheus. */
  readonly metrics: boolean;
  /** The addresses of HTTPS. Undefined if they are the client addresses. */
  readonly httpsAddresses?: readonly string[];
  readonly ui: boolean;
  readonly restart: NonNullable<Settings["restart"]>;
  readonly log: Log;
  readonly resources: NonNullable<Settings["resources"]>;
  readonly dns: DnsSettings;
  /** How long a deploy waits until the agent is ready, in seconds. */
  readonly readyTimeout: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly config: ConsulConfig;
  readonly flags: readonly string[];
  readonly services: readonly Service[];
  readonly checks: readonly Check[];
}

/** What an agent joins: an agent of this cluster, or an address at the cluster's gossip port. */
export type JoinTarget = { readonly agent: string } | { readonly address: string; readonly port: number };

/** A host's registrator, which registers the host's containers as services with one of the host's agents. */
export interface RegistratorDescription {
  readonly host: HostDescription;
  /** The agent's name. */
  readonly agent: string;
  /** The host's own settings, merged into the cluster's and without defaults: as Registrator takes them. */
  readonly fileSettings: RegistratorSettings;
}

/** The security of a cluster that has any. */
export interface Security {
  readonly stage: SecuredStage;
  /** The folder of the cluster's secrets, relative to the project or absolute. Synth does not read it. */
  readonly secrets: string;
  /** The cluster's own ACL policies: Consul's rules, by the policy's name. */
  readonly policies: Readonly<Record<PolicyName, Rules>>;
  /** The cluster's own ACL tokens, by name, each with the names of its policies. */
  readonly tokens: Readonly<Record<string, { readonly policies: readonly string[] }>>;
}

/** Scheduled backups. */
export interface Backups {
  /** Seconds from one snapshot to the next. */
  readonly every: number;
  /** How many snapshots each server's host keeps. */
  readonly keep: number;
  /**
   * A volume's name, or a folder of the hosts if it begins with a slash. Undefined for a volume with the container's
   * name.
   */
  readonly to?: string;
  /** Undefined for each server's own image. */
  readonly image?: string;
}

/** Metrics, and when their alerts fire. */
export interface Metrics {
  /** The URL of docs/metrics.md, which alerts link to. */
  readonly runbooks: string;
  readonly thresholds: Thresholds;
}

/** What the cluster's KV store and catalog get once for all agents, as Consul's API takes it. */
export interface Definitions {
  /** Texts by key. */
  readonly kv: Readonly<Record<string, string>>;
  /** By `kind/name`. */
  readonly config_entries: Readonly<Record<string, ConsulConfig>>;
  /** By name. */
  readonly prepared_queries: Readonly<Record<string, unknown>>;
}

/** A stack of a cluster. */
export interface StackDescription {
  readonly name: string;
  /** The stacks that are deployed before it. */
  readonly dependencies: readonly string[];
}

/** A cluster that has yet to be validated: the file, and what it resolves to. */
export interface Draft {
  readonly file: ParsedClusterFile;
  readonly hosts: readonly HostDescription[];
  readonly agents: readonly AgentDescription[];
  readonly bootstrapExpect: number;
  readonly stage: Stage;
  readonly security?: Security;
  /** Names that did not resolve. */
  readonly violations: readonly Violation[];
}
