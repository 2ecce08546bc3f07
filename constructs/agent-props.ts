import type { Check, Service, Settings } from "../cluster/file/schema";
import type { ConsulConfig } from "../consul/config";
import type { AgentSecurity } from "./agent-security";
import type { IDockerHost } from "./docker-host-base";
import type { JoinAddress } from "./join-address";

/**
 * A service, in the format of Consul's configuration files and with Consul's names. docs/cluster-file.md has its keys,
 * at `services[]`.
 */
export type ConsulService = Service;
/**
 * A check, in the format of Consul's configuration files and with Consul's names. docs/cluster-file.md has its keys, at
 * `checks[]`.
 */
export type ConsulCheck = Check;

/** Ports that an agent listens on; -1 is off. */
export interface AgentPorts {
  /** DNS, by TCP and UDP. @default 8600 */
  readonly dns?: number;
  /** HTTP API and UI. It cannot be off, because the health check and the readiness check use it. @default 8500 */
  readonly http?: number;
  /** HTTPS API. @default 8501 with security, -1 without */
  readonly https?: number;
  /** gRPC without TLS. @default -1 */
  readonly grpc?: number;
  /** gRPC with TLS. @default 8503 for servers, -1 for client agents */
  readonly grpcTls?: number;
  /** Gossip in the datacenter, by TCP and UDP. @default 8301 */
  readonly serfLan?: number;
  /** Gossip between the servers of several datacenters, by TCP and UDP. @default 8302 */
  readonly serfWan?: number;
  /** RPC between agents and servers. @default 8300 */
  readonly server?: number;
}

/** Ports of the host at which the ports of an agent in a bridge network are published. Ports without one are not. */
export interface PublishedPorts {
  /** DNS, by TCP and UDP. @default none */
  readonly dns?: number;
  /** HTTP API and UI. @default none */
  readonly http?: number;
  /** HTTPS API. @default none */
  readonly https?: number;
  /** gRPC without TLS. @default none */
  readonly grpc?: number;
  /** gRPC with TLS. @default none */
  readonly grpcTls?: number;
}

/** An agent's DNS. Durations are in Go's notation: `0s`, `10s`, `1h30m`. */
export interface AgentDns {
  /** DNS servers for names outside Consul's domain: IP addresses, or address:port. @default none */
  readonly recursors?: readonly string[];
  /** Whether every server answers, also while the cluster has no leader. @default true */
  readonly allowStale?: boolean;
  /** How old such an answer may be. @unit duration @default "87600h" */
  readonly maxStale?: string;
  /** How long resolvers cache the address of a node. @unit duration @default "0s" */
  readonly nodeTtl?: string;
  /**
   * How long resolvers cache the addresses of a service, by its name; a `*` at the end is a wildcard.
   * @unit duration
   * @default "0s"
   */
  readonly serviceTtl?: Readonly<Record<string, string>>;
  /** Whether answers omit services whose checks are in state warning, not only critical. @default false */
  readonly onlyPassing?: boolean;
  /** Whether a UDP answer that is not complete is marked as truncated. @default false */
  readonly enableTruncate?: boolean;
}

/** Docker's logging of a container. */
export interface ContainerLog {
  /** Docker's log driver: `json-file`, `journald` and others. */
  readonly driver: string;
  /** Options of the driver. @default none */
  readonly options?: Readonly<Record<string, string>>;
}

/** Limits of a container. */
export interface ContainerResources {
  /** The most memory that the container takes, without additional swap. @unit MiB @default no limit */
  readonly memory?: number;
  /** The most CPU time that the container takes, for example 1.5. @unit CPUs @default no limit */
  readonly cpus?: number;
  /** The numbers of the CPUs that the container runs on, for example `0-1,3`. @default all */
  readonly cpuset?: string;
}

/** A server that agents can join: a ConsulServer, or another's by `ConsulServer.fromAddress`. */
export interface IConsulServer {
  /** Agents join servers, never client agents. */
  readonly role: "server";
  /** The address at which agents join it. */
  readonly joinAddress: JoinAddress;
}

/** What a server and a client agent have in common. */
export interface ConsulAgentProps {
  /** The host that the agent runs on. */
  readonly host: IDockerHost;
  /** Servers to join at every start. `addJoin` adds more. @default none */
  readonly join?: readonly IConsulServer[];
  /** The name of Consul's datacenter, which all agents of a cluster share. @default "dc1" */
  readonly datacenter?: string;
  /** Consul's node name. @default the construct's id */
  readonly node?: string;
  /** The container's name. @default the construct's id */
  readonly container?: string;
  /** The container's host name. @default the construct's id */
  readonly hostname?: string;
  /**
   * Where the agent's data is: a volume's name, or a folder of the host if it begins with a slash.
   * @default the volume <container>-data
   */
  readonly data?: string;
  /**
   * Decommission the agent: the next deploy runs the pre-stop check, makes the agent leave the cluster, and removes its
   * container. Keep the construct until that deploy has run: Terraform runs no destroy-time provisioner of a resource
   * that the configuration no longer has. @default false
   */
  readonly decommission?: boolean;
  /** TLS, gossip encryption and ACLs. @default none: agents accept plain requests, and check no token */
  readonly security?: AgentSecurity;
  /** Consul's image, by tag or digest: the official one, which is based on Alpine. @default "hashicorp/consul:1.22.7" */
  readonly image?: string;
  /** The address that the agent binds to. @default the host's address; in a bridge network Consul chooses it */
  readonly bindAddr?: string;
  /** The address that the agent advertises to other agents. @default the bind address */
  readonly advertiseAddr?: string;
  /** The addresses of HTTP, DNS and gRPC, separated by spaces. @default "127.0.0.1", or "0.0.0.0" in a bridge network */
  readonly clientAddr?: string;
  /** Ports that the agent listens on. @default Consul's */
  readonly ports?: AgentPorts;
  /** In a bridge network: ports of the host at which the agent's ports are published. @default none */
  readonly publish?: PublishedPorts;
  /** Whether the agent serves the web UI. @default true */
  readonly ui?: boolean;
  /** Docker's restart policy. @default "always" */
  readonly restart?: "always" | "unless-stopped" | "on-failure" | "no";
  /** Docker's logging. @default json-file, with 3 files of 10m */
  readonly log?: ContainerLog;
  /** Limits of the container. @default none */
  readonly resources?: ContainerResources;
  /** How the agent answers DNS queries. The port is `ports.dns`. @default Consul's */
  readonly dns?: AgentDns;
  /** How long a deploy waits until the agent is ready. @unit seconds @default 120 */
  readonly readyTimeout?: number;
  /** Labels of the container. `addLabel` adds more. @default none */
  readonly labels?: Readonly<Record<string, string>>;
  /** Any keys of Consul's configuration, by Consul's names, merged last. @default none */
  readonly config?: ConsulConfig;
  /** Further flags of `consul agent`, which come last. @default none */
  readonly flags?: readonly string[];
  /**
   * Export the agent's metrics for Prometheus. With security, HTTPS then listens at the host's address too, and still
   * demands a client certificate. @default false
   */
  readonly metrics?: boolean;
  /**
   * Services that the agent registers, by Consul's names. `addService` adds more. A change restarts nothing.
   * @default none
   */
  readonly services?: readonly ConsulService[];
  /**
   * Checks of the node, or of a service by `service_id`, by Consul's names. `addCheck` adds more. A change restarts
   * nothing.
   * @default none
   */
  readonly checks?: readonly ConsulCheck[];
  /**
   * The settings of an agent of a cluster file, in place of those above.
   * @internal
   */
  readonly fileSettings?: Settings;
  /**
   * The name of the cluster file's cluster.
   * @internal
   */
  readonly cluster?: string;
}
