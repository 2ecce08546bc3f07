/**
 * Names that parts of the product share, which may be of different versions: a container keeps what it was created with
 * until it is replaced, and two deploys of different versions can run at the same time. A changed name replaces
 * containers, or loses what has the old one. Formats: docs/protocol.md. Files of secrets: secrets.ts.
 */

import { SECRET_FILES } from "./secrets";

// Terraform's ids. They consist of names in the cluster file, never of positions. Names of agents and hosts have no
// underscore, so no agent has one of the ids below.

/** A stack depends on its hosts' `group` alone. A container that moved between stacks would be created twice. */
export const stackName = (cluster: string, group: string | undefined): string =>
  group === undefined ? cluster : `${cluster}-${group}`;

/** A host, and the alias of the provider of its daemon: `consul-server1_host`. */
export const hostId = (host: string): string => `${host}_host`;
/** The host of a provider's alias. */
export const hostOfAlias = (alias: string): string => alias.replace(/_host$/, "");

/** The part of an id that identifies an image under `images:`: its reference, with hyphens for what Terraform does not allow. */
export const imageId = (image: string): string => image.replace(/[^a-zA-Z0-9]+/g, "-");

export const registratorId = (host: string): string => `${host}_registrator`;

/** The part of an id that identifies a server's scheduled backups. */
export const BACKUPS_ID = "backups";
export const backupsId = (server: string): string => `${server}_${BACKUPS_ID}`;

/** The step that delivers an agent's secrets. */
export const secretsId = (agent: string): string => `${agent}_secrets`;
/** The step that delivers an agent's declared services and checks. */
export const servicesId = (agent: string): string => `${agent}_services`;

/** A cluster's own step: `consul_acl`. Also the local of a stack that holds a script. */
export const stepId = (name: string): string => `consul_${name}`;

/** The output of the cluster's own stack that lists all its stacks, if there are several. */
export const STACKS_OUTPUT = "consul_stacks";
/** CDKTF's name for a stack's JSON, in the stack's folder. */
export const STACK_JSON = "cdk.tf.json";

// Containers and volumes.

/** An agent's data, unless the cluster file names another volume. */
export const dataVolume = (container: string): string => `${container}-data`;
/** The services and checks that were delivered to an agent. */
export const declaredVolume = (container: string): string => `${container}-declared`;
/** The container that takes scheduled snapshots beside a server, and the volume that it stores them in by default. */
export const backupsContainer = (container: string): string => `${container}-backups`;

/**
 * Labels of every container that a deploy creates: they say what it is without a Terraform state.
 * `docker ps --filter label=consul-cdktf.cluster=NAME` lists a cluster's.
 */
export const OWN_LABELS = {
  /** The cluster's name. A container of a stack of one's own does not have it. */
  cluster: "consul-cdktf.cluster",
  /** The name in the cluster file of the agent that it runs, or that it belongs to. */
  agent: "consul-cdktf.agent",
  role: "consul-cdktf.role",
} as const;
/** What a container is. */
export type ContainerRole = "server" | "client" | "registrator" | "backups";
/** Labels of this prefix are the product's own. */
export const LABEL_PREFIX = "consul-cdktf.";

/** Registrator would register Consul's own ports as services. */
export const REGISTRATOR_IGNORES = { SERVICE_IGNORE: "true" } as const;

/** Seconds from SIGTERM to SIGKILL. Consul gives its agents 15 s to finish, and Docker's default is 10 s. */
export const STOP_TIMEOUT_SECONDS = 30;

/** The label of adoption's short-lived containers, by which a later run finds one that a killed command left. */
export const ADOPTION_LABEL = `${LABEL_PREFIX}data-place`;

/** A file in a client agent's data: the agent was ready once. */
export const READY_MARK = "was-in";

/** Paths in containers. */
export const PATHS = {
  data: "/consul/data",
  /** Consul's own: who can write it may create a management token. */
  aclBootstrapReset: "/consul/data/acl-bootstrap-reset",
  agentConfig: "/consul/config/agent.json",
  /** Docker's health check. `docker inspect` identifies a container of the product by it. */
  health: "/consul/health.sh",
  leaveLeadership: "/consul/leave-leadership.sh",
  ownSecrets: "/consul/own-secrets.sh",
  secrets: "/consul/secrets",
  /** The folder of declared services and checks: on a volume, so that the agent's next container has them too. */
  declared: "/consul/declared",
  declaredServices: "/consul/declared/services.json",
  /** The file before its rename. */
  newDeclaredServices: "/consul/declared/services.new",
  /** A copy of what the agent has accepted. */
  acceptedServices: "/consul/declared/services.read",
  backupsScript: "/consul/backups.sh",
  /** Scheduled snapshots. */
  backups: "/consul/backups",
  /** A snapshot before its verification; the container's name follows. */
  unfinishedBackup: "/consul/backups/.unfinished",
  registratorSocket: "/tmp/docker.sock",
  registratorToken: "/registrator.token",
  readToken: "/read-token.sh",
} as const;

/** Keys of Consul's KV store. */
export const KV_PREFIX = "consul-cdktf/";
export const KV = {
  /** The deploy lock. Its value is the owner: the Terraform id of the server that is being replaced. */
  lock: `${KV_PREFIX}replacing`,
  /** The rollout slots of client agents, one key for each owner. */
  slots: `${KV_PREFIX}clients/`,
  /** What deploys have created and may therefore delete. */
  definitions: `${KV_PREFIX}definitions`,
} as const;

export const NODE_META = {
  /** The agent's stage of security. */
  security: "cdktf-security",
} as const;

/** The stages of security, as agents announce them in their node metadata and as scripts compare them. */
export const STAGE_ON_THE_WIRE = {
  off: "off",
  permissive: "accept",
  outgoing: "use",
  strict: "require",
} as const;

/** The description of an ACL policy or token that the product created begins with this. */
export const ACL_DESCRIPTION = "consul-cdktf: ";

/** The reason of a node's maintenance mode that `maintain` has turned on begins with this. */
export const MAINTENANCE_NOTES = "consul-cdktf: ";

/** Environment variables of containers. */
export const CONTAINER_VARIABLES = {
  /** The API's URL, for the container's scripts and the CLI, if it is not Consul's default. */
  httpAddress: "CONSUL_HTTP_ADDR",
  /** A file with a token, for the CLI and registrator. */
  tokenFile: "CONSUL_HTTP_TOKEN_FILE",
  /** The token, for programs that read no file. It is only in the environment of a process, never in the container's. */
  token: "CONSUL_HTTP_TOKEN",
  /** The image's entrypoint then grants the capability that ports below 1024 need. */
  privilegedPorts: "CONSUL_ALLOW_PRIVILEGED_PORTS",
  /** The image's own: the data folder. */
  dataFolder: "CONSUL_DATA_DIR",
} as const;

/** Environment variables of those who run Terraform. */
export const USER_VARIABLES = {
  clusterFile: "CLUSTER",
  /** Stop containers without a pre-stop check. */
  allowQuorumLoss: "CONSUL_ALLOW_QUORUM_LOSS",
  /** Allow any version of Consul. */
  allowDowngrade: "CONSUL_ALLOW_DOWNGRADE",
  /** A line of `npm run secrets -- export`. */
  secrets: "CONSUL_SECRETS",
  terraform: "TERRAFORM_BINARY_NAME",
  /** Terraform's program, if the other variable names this project's wrapper script. */
  wrappedTerraform: "CONSUL_CDKTF_TERRAFORM",
} as const;

/**
 * Set by `deploy` and `destroy` in Terraform's environment: a file with their process id. While the file is there, and
 * the process runs, agents may be stopped. Plain `cdktf deploy` sets no such variable.
 */
export const DEPLOY_VARIABLE = "CONSUL_CDKTF_DEPLOY";

/**
 * Names in shell text: of the scripts, and of the texts that the rollout's program runs in containers. A test compares
 * them with those, in both directions.
 */
export const USED_BY_SCRIPTS: readonly string[] = [
  PATHS.data,
  `${PATHS.data}/${READY_MARK}`,
  PATHS.aclBootstrapReset,
  PATHS.secrets,
  PATHS.declared,
  PATHS.declaredServices,
  PATHS.acceptedServices,
  PATHS.backups,
  PATHS.backupsScript,
  PATHS.unfinishedBackup,
  KV.lock,
  KV.slots,
  KV.definitions,
  KV_PREFIX,
  ACL_DESCRIPTION,
  NODE_META.security,
  CONTAINER_VARIABLES.httpAddress,
  CONTAINER_VARIABLES.tokenFile,
  CONTAINER_VARIABLES.token,
  CONTAINER_VARIABLES.dataFolder,
  USER_VARIABLES.allowQuorumLoss,
  USER_VARIABLES.allowDowngrade,
  USER_VARIABLES.wrappedTerraform,
  USER_VARIABLES.secrets,
  DEPLOY_VARIABLE,
  ...[
    SECRET_FILES.ca,
    SECRET_FILES.certificate,
    SECRET_FILES.key,
    SECRET_FILES.managementHeader,
    SECRET_FILES.rolloutHeader,
    SECRET_FILES.backupsHeader,
  ].map((file) => `${PATHS.secrets}/${file}`),
];
