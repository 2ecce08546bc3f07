/**
 * What a provisioner asks of the rollout's program: JSON in one environment variable. The constructs write it, and
 * commands make the same requests themselves. Paths are absolute, or relative to the stack's folder. This file imports
 * nothing.
 */

/** It changes when a program of another version would misunderstand the request. */
export const REQUEST_VERSION = 1;

/** The environment variable of the request. */
export const REQUEST_VARIABLE = "CONSUL_CDKTF_REQUEST";

export type Role = "server" | "client";
export type Stage = "off" | "permissive" | "outgoing" | "strict";

/** A container, and how its daemon is reached. */
export interface ExecTarget {
  /** Its daemon, as `docker -H` takes it: `ssh://root@10.0.0.11`. */
  readonly daemon: string;
  /** Of a daemon with TLS: the folder of its certificates, as other paths; or `~/...`. @default none */
  readonly certs?: string;
  /** The container's name. */
  readonly container: string;
  /** The URL of the agent's HTTP API in the container. @default what the container itself says */
  readonly api?: string;
}

interface Step {
  /** Seconds to wait for success. */
  readonly seconds: number;
}

/** A step that one of the cluster's servers answers. The next one is asked if a server does not know the answer. */
interface ServersStep extends Step {
  readonly servers: readonly ExecTarget[];
}

/** Waits until a started agent is ready, and releases its lock or slot. */
export interface ReadinessRequest extends Step {
  readonly step: "readiness";
  readonly target: ExecTarget;
  /** The agent's Terraform id. */
  readonly owner: string;
  readonly role: Role;
  readonly node: string;
  /** How many servers the first bootstrap needs. */
  readonly expect: number;
}

/** Delivers the services and checks that are declared on an agent. */
export interface ServicesRequest extends Step {
  readonly step: "services";
  readonly target: ExecTarget;
  readonly role: Role;
  readonly node: string;
  /** A configuration file of Consul's, as text. */
  readonly declared: string;
}

/** Delivers an agent's secrets to its container. */
export interface DeliverSecretsRequest extends Step {
  readonly step: "deliver-secrets";
  readonly target: ExecTarget;
  /** The folder of the agent's secrets. */
  readonly folder: string;
  /** Their names in it. */
  readonly files: readonly string[];
}

/** Delivers registrator's token to its container, and restarts it. */
export interface DeliverTokenRequest extends Step {
  readonly step: "deliver-token";
  readonly target: ExecTarget;
  /** The file with the token. */
  readonly file: string;
  /** Its path in the container. */
  readonly path: string;
}

/** Waits until all servers are voters. */
export interface VotersRequest extends ServersStep {
  readonly step: "voters";
  readonly nodes: readonly string[];
}

/** Writes autopilot's settings. */
export interface AutopilotRequest extends ServersStep {
  readonly step: "autopilot";
  /** By the API's names. Settings that are not named stay. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** ACL policies and tokens, without SecretIDs. */
export interface DeclaredAcls {
  readonly datacenter: string;
  /** Rules by policy name. */
  readonly policies: Readonly<Record<string, string>>;
  /** Policies by token name. */
  readonly tokens: Readonly<Record<string, readonly string[]>>;
  /** The services that a node's agent registers because the cluster file declares them. */
  readonly services: Readonly<Record<string, readonly string[]>>;
}

/** Creates, updates and deletes ACL policies and tokens. */
export interface AclRequest extends ServersStep {
  readonly step: "acl";
  readonly acls: DeclaredAcls;
  /** The file with the SecretIDs. */
  readonly secrets: string;
}

/** Objects in the API's format. */
export interface DeclaredObjects {
  /** Texts by key. */
  readonly kv: Readonly<Record<string, string>>;
  /** By `kind/name`. */
  readonly config_entries: Readonly<Record<string, unknown>>;
  /** By name. */
  readonly prepared_queries: Readonly<Record<string, unknown>>;
}

/** Creates, updates and deletes keys, config entries and prepared queries. */
export interface DefinitionsRequest extends ServersStep {
  readonly step: "definitions";
  readonly objects: DeclaredObjects;
  /** The file with the SecretIDs; without security none. */
  readonly secrets?: string;
}

/** Makes the gossip key of the servers' secrets the cluster's only one. */
export interface GossipRequest extends ServersStep {
  readonly step: "gossip";
}

/** The check before an agent's container is stopped for good, or replaced. */
interface StopRequest extends Step {
  /** The container that runs: its successor may have another name. */
  readonly target: ExecTarget;
  readonly role: Role;
  /** The agent's Terraform id, which the deploy lock and the rollout slot are acquired under. */
  readonly owner: string;
  /** Consul's node name, as the container that runs has it. */
  readonly node: string;
  /** The cluster's other servers. They are asked if this agent does not know. */
  readonly servers: readonly ExecTarget[];
  /** For a server: how many servers the cluster is to have. For a client agent: how many are replaced in parallel. */
  readonly limit: number;
}

export interface ReplaceRequest extends StopRequest {
  readonly step: "pre-stop";
  /** The next container. */
  readonly next: {
    readonly image: string;
    /** The agent's whole configuration. Undefined if it is too large for a variable; then it is not validated. */
    readonly config?: Readonly<Record<string, unknown>>;
    /** The network that it joins. */
    readonly network: string;
    readonly stage: Stage;
  };
}

/** The agent leaves the cluster, after the check. */
export interface DecommissionRequest extends StopRequest {
  readonly step: "decommission";
}

/** The maintenance of an agent's host begins. No provisioner asks for it: `npm run maintain` does. */
export interface BeginMaintenanceRequest extends StopRequest {
  readonly step: "begin-maintenance";
  /** Now, in seconds since 1970. */
  readonly since: number;
  /** Why, for Consul's maintenance mode. */
  readonly reason: string;
}

/** It ends, when the agent is ready again. */
export interface EndMaintenanceRequest extends Omit<ReadinessRequest, "step"> {
  readonly step: "end-maintenance";
}

/** What a step of a deploy asks of the rollout's program: an object whose `step` names what it does. */
export type StepRequest =
  | ReadinessRequest
  | ServicesRequest
  | DeliverSecretsRequest
  | DeliverTokenRequest
  | VotersRequest
  | AutopilotRequest
  | AclRequest
  | DefinitionsRequest
  | GossipRequest
  | ReplaceRequest
  | DecommissionRequest
  | BeginMaintenanceRequest
  | EndMaintenanceRequest;

export type RolloutRequest = StepRequest & { readonly version: typeof REQUEST_VERSION };
