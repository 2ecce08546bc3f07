import { KNOWN_CONSUL } from "./known-consul";

/**
 * Every problem that the product reports, by its code. An operator looks a code up in docs/errors.md, which is made
 * from this file; a program decides by codes, never by the text of a message. A code never changes its meaning.
 */

/**
 * `error` ends the command; `warning` is printed and the command goes on; `notice` is worth knowing, and nothing is
 * wrong.
 */
export type Severity = "error" | "warning" | "notice";

interface Entry {
  readonly severity: Severity;
  readonly about: string;
}

/** A cluster file can list all warnings and the `ignorable` errors under `ignore:`. */
interface FileEntry extends Entry {
  readonly ignorable?: true;
}

/**
 * `npm run diff` and `npm run deploy` compare the file with the Terraform state; `--allow CODE` allows an `allowable`
 * problem for one deploy.
 */
interface DeployEntry extends Entry {
  readonly allowable?: true;
}

const clusterFile = {
  // The file itself
  "file-unreadable": { severity: "error", about: "the cluster file cannot be read" },
  "file-too-big": { severity: "error", about: "the cluster file is larger than 4 MiB" },
  "file-empty": { severity: "error", about: "the cluster file has no content" },
  "yaml-syntax": { severity: "error", about: "the cluster file is not valid YAML 1.2" },
  "yaml-aliases": { severity: "error", about: "an alias has no anchor, contains itself, or aliases expand too far" },
  // Its schema
  "unknown-key": { severity: "error", about: "the schema does not have this key here" },
  "renamed-key": { severity: "error", about: "this key or value has a new name" },
  "missing-key": { severity: "error", about: "a required key is missing" },
  "invalid-value": { severity: "error", about: "a value has the wrong type or format, or contradicts another value" },
  // Names and addresses
  "invalid-name": { severity: "error", about: "Consul, DNS, Docker or Terraform does not accept this name" },
  "duplicate-name": { severity: "error", about: "two agents have the same name or node name" },
  "duplicate-container": { severity: "error", about: "two containers on one Docker daemon have the same name" },
  "duplicate-volume": { severity: "error", about: "two agents share a data volume or folder" },
  "colliding-ids": { severity: "error", about: "two resources would have the same Terraform id or address" },
  "duplicate-address": { severity: "error", about: "two hosts or two agents have the same address" },
  "unknown-host": { severity: "error", about: "an agent runs on a host that the file does not list" },
  "invalid-address": { severity: "error", about: "the other agents cannot reach this address" },
  "mixed-families": { severity: "error", about: "one cluster has both IPv4 and IPv6 addresses" },
  "bridge-hosts": { severity: "error", about: "a bridge network cannot span several Docker daemons" },
  "duplicate-daemon": { severity: "error", about: "two hosts have the same Docker daemon" },
  // Quorum
  "no-server-left": { severity: "error", about: "every server is decommissioned" },
  "two-servers": {
    severity: "error",
    ignorable: true,
    about: "with two servers, the loss of either stops the cluster",
  },
  "even-servers": {
    severity: "warning",
    about: "an even number of servers tolerates no more failures than one server fewer",
  },
  "bootstrap-expect": { severity: "error", about: "this bootstrap_expect elects no leader, or could elect two" },
  "join-needed": { severity: "error", about: "a cluster with more than three servers needs `join:`" },
  "unknown-join": { severity: "error", about: "a name under `join:` is neither in the file nor an address" },
  "join-nobody": {
    severity: "error",
    ignorable: true,
    about: "every server that an agent joins is decommissioned or no longer there",
  },
  "self-join": { severity: "error", about: "an agent has only itself to join" },
  // What runs on a host
  "port-clash": { severity: "error", about: "two listeners on one host have the same port" },
  "owned-setting": {
    severity: "error",
    about: "a Consul key or flag has a key of its own in the cluster file, or contradicts it",
  },
  "secret-in-config": { severity: "error", about: "a secret would end up in the Terraform state" },
  "shared-state": { severity: "error", about: "several stacks would share one Terraform state" },
  // Services, checks and definitions
  "unknown-consul-key": {
    severity: "warning",
    about: `${KNOWN_CONSUL}, the newest version whose keys are known here, does not have this key or flag`,
  },
  "no-effect": { severity: "warning", about: "Consul ignores a setting, or the product overrides it" },
  "unworkable-setting": {
    severity: "warning",
    about: "a setting does not work in the agent's container, or needs another setting",
  },
  "check-kind": { severity: "error", about: "a check has no kind, or has two" },
  "script-checks-disabled": { severity: "error", about: "a check runs a script on an agent that does not allow it" },
  "duplicate-service": { severity: "error", about: "two services or two checks of one agent have the same id" },
  "undeclared-service": { severity: "error", about: "a check refers to a service that is not declared" },
  "service-name": { severity: "warning", about: "DNS cannot serve this service name" },
  "unknown-kind": { severity: "error", about: `${KNOWN_CONSUL} does not have this kind of config entry` },
  "newer-kind": {
    severity: "warning",
    about: `${KNOWN_CONSUL} does not have this kind of config entry, and all servers' images are newer`,
  },
  "duplicate-definition": {
    severity: "error",
    about: "two config entries, intentions or prepared queries have the same name",
  },
  "reserved-key": { severity: "error", about: "the KV key belongs to the product" },
  "too-much": { severity: "error", about: "the definitions are larger than a deploy can pass on" },
  // Security
  "unknown-policy": { severity: "error", about: "a token refers to an ACL policy that does not exist" },
  "script-checks": { severity: "warning", about: "services can run scripts in a secured cluster" },
  "image-by-tag": { severity: "warning", about: "an image of a secured cluster is not pinned by its digest" },
  // Exposure
  "plain-tcp": { severity: "warning", about: "a Docker daemon is reached without TLS" },
  "open-http": { severity: "warning", about: "the HTTP API is open to the network without ACLs" },
  "open-grpc": { severity: "warning", about: "gRPC without TLS is open to the network in a secured cluster" },
  "unreachable-metrics": {
    severity: "warning",
    about: "only programs on an agent's own host, or in its bridge network, can scrape its metrics",
  },
  "unsuitable-image": { severity: "warning", about: "an image does not have what an agent's container needs" },
  "big-group": { severity: "warning", about: "a stack has more than 25 hosts" },
} as const satisfies Record<string, FileEntry>;

const deploy = {
  "line-deleted": {
    severity: "error",
    allowable: true,
    about: "an agent is no longer in the file, and its container still exists",
  },
  "host-moved": { severity: "error", allowable: true, about: "an agent is on another host than its container" },
  "agent-elsewhere": {
    severity: "error",
    allowable: true,
    about: "a deploy would create an agent's container, and the agent runs elsewhere, or may",
  },
  "container-exists": {
    severity: "error",
    about: "a deploy would create containers under names that other containers of their hosts have",
  },
  "daemon-unsuitable": { severity: "error", about: "a Docker daemon refuses the containers that the file describes" },
  "daemon-contradicts": {
    severity: "warning",
    about: "a Docker daemon cannot apply a setting of the file, or its defaults contradict it",
  },
  "log-options-kept": {
    severity: "warning",
    about: "agents' logs have options that the file does not set: defaults of their daemons, or options that it had",
  },
  "files-in-checkout": {
    severity: "warning",
    about: "before the first deploy: secrets, the Terraform state or snapshots are in a git checkout",
  },
  "network-replaced": {
    severity: "error",
    allowable: true,
    about: "a bridge network with several agents would be replaced, for which all of them have to be stopped",
  },
  "stack-moved": { severity: "error", about: "an agent is in another stack than its container" },
  "stack-gone": {
    severity: "error",
    allowable: true,
    about: "a group is no longer in the file, and its stack still has resources",
  },
  "host-gone": { severity: "error", about: "a host is no longer in the file, and its stack still has its resources" },
  "secrets-stale": {
    severity: "error",
    allowable: true,
    about: "the cluster has secrets that this secrets folder never had: the folder is an older copy, or another one",
  },
  "state-of-other-cluster": {
    severity: "error",
    allowable: true,
    about: "the Terraform state has the containers of another cluster",
  },
} as const satisfies Record<string, DeployEntry>;

const secrets = {
  // The folder
  "secrets-folder-missing": { severity: "error", about: "the folder of the cluster's secrets does not exist" },
  "secrets-folder-unusable": {
    severity: "error",
    about: "the folder of the cluster's secrets cannot be created, read or linked",
  },
  "secrets-folder-mixed": { severity: "error", about: "the folder contains files that are not secrets of a cluster" },
  "secrets-of-another-cluster": { severity: "error", about: "the folder contains the secrets of another cluster" },
  "secrets-imported": {
    severity: "error",
    about: "the folder is an imported copy, and a secret that is created in it would exist nowhere else",
  },
  "secrets-locked": {
    severity: "error",
    about: "another run of `npm run secrets` is changing the folder, or has imported it for another checkout",
  },
  "secrets-permissions": { severity: "error", about: "other users than the owner can read or write a file of secrets" },
  // Its files
  "secret-missing": { severity: "error", about: "a file of secrets is missing" },
  "secret-unreadable": { severity: "error", about: "a file of secrets cannot be read" },
  "secret-invalid": { severity: "error", about: "the content of a file of secrets is not valid" },
  "secret-outdated": { severity: "error", about: "a file of secrets differs from what its sources would give" },
  "secret-orphaned": { severity: "warning", about: "a file of secrets belongs to nothing in the cluster file" },
  // Certificates and keys
  "certificate-expired": { severity: "error", about: "a certificate has expired" },
  "certificate-not-yet-valid": { severity: "error", about: "a certificate is not valid yet" },
  "certificate-expiring": { severity: "warning", about: "a certificate expires soon" },
  "certificate-untrusted": { severity: "error", about: "no CA of ca.pem signed a certificate" },
  "certificate-names": { severity: "error", about: "a certificate lacks a name or an address of its agent" },
  "certificate-usage": { severity: "error", about: "the extended key usage of a certificate does not allow its use" },
  "certificate-not-ca": { severity: "error", about: "a certificate in ca.pem is not a CA's" },
  "key-mismatch": { severity: "error", about: "a private key does not belong to its certificate" },
  "key-encrypted": { severity: "error", about: "a private key is encrypted with a passphrase" },
  "key-invalid": { severity: "error", about: "a file has no private key in PEM" },
  "old-ca-trusted": { severity: "warning", about: "a CA that has been replaced is still trusted" },
  // Tokens
  "token-missing": { severity: "error", about: "a token is missing" },
  "token-invalid": { severity: "error", about: "the SecretID of a token is not a UUID" },
  "token-duplicate": { severity: "error", about: "two tokens have the same SecretID" },
  "token-unused": { severity: "warning", about: "nothing in the cluster file uses a token" },
  "old-tokens-accepted": { severity: "warning", about: "tokens that have been replaced are still accepted" },
} as const satisfies Record<string, Entry>;

const health = {
  // Hosts and containers
  "host-unreachable": { severity: "error", about: "the Docker daemon of a host is unreachable" },
  "container-missing": { severity: "error", about: "an agent has no container" },
  "container-stopped": { severity: "error", about: "an agent's container does not run" },
  "container-paused": { severity: "error", about: "an agent's container is paused" },
  "container-restarting": { severity: "error", about: "an agent's container restarts again and again" },
  "container-tainted": {
    severity: "error",
    about: "Terraform has marked an agent's container as tainted, and the agent is not ready",
  },
  "healthy-container-tainted": {
    severity: "error",
    about:
      "Terraform has marked an agent's container as tainted, and the agent is ready: the next deploy would replace it",
  },
  "container-unrecorded": {
    severity: "error",
    about:
      "a container of the cluster is not in the Terraform state. A deploy was killed before it recorded it, or the state is another cluster's",
  },
  "container-unmanaged": { severity: "error", about: "an agent's container was not created by Terraform" },
  "container-foreign": {
    severity: "error",
    about: "a container has an agent's name, and its data is elsewhere than the agent's",
  },
  "container-orphaned": {
    severity: "error",
    about: "a container of an earlier deploy is in no Terraform state",
  },
  "restart-policy-changed": {
    severity: "error",
    about: "the restart policy of a container is not the one that was deployed",
  },
  "files-changed": { severity: "error", about: "files in a container are not the ones that were deployed" },
  "secrets-not-deployed": { severity: "error", about: "an agent's secrets have changed since the last deploy" },
  "secrets-changed": { severity: "error", about: "an agent's container has other secrets than were deployed" },
  "terraform-state-unsaved": {
    severity: "error",
    about: "a deploy could not store its Terraform state, and a file has it",
  },
  "terraform-state-lost": {
    severity: "error",
    about: "the Terraform state of a stack is empty, and its backup has containers that run",
  },
  // The agents and their cluster
  "agent-not-ready": { severity: "error", about: "an agent runs, and is not ready" },
  "agent-not-member": { severity: "error", about: "an agent is no alive member of its own cluster" },
  "agent-unreachable": { severity: "error", about: "an agent is ready, and the other agents cannot reach it" },
  "no-leader": { severity: "error", about: "the cluster has no leader" },
  "two-leaders": { severity: "error", about: "an agent follows another leader than most agents" },
  "server-unhealthy": { severity: "error", about: "the leader's autopilot reports a server as unhealthy" },
  "stale-lock": { severity: "error", about: "a deploy that no longer runs still holds a lock" },
  // Notices
  "terraform-state-unread": {
    severity: "notice",
    about: "the Terraform state could not be read, so nothing was compared with it",
  },
  "lock-held": {
    severity: "notice",
    about: "an agent holds the deploy lock or a rollout slot: a deploy is replacing it",
  },
  "host-in-maintenance": {
    severity: "notice",
    about: "a host is in maintenance, and a deploy of others may wait for it",
  },
  "agent-decommissioned": { severity: "notice", about: "the next deploy takes an agent out of the cluster" },
  "version-differs": { severity: "notice", about: "an agent runs another version of Consul than most agents" },
  "container-unhealthy": { severity: "notice", about: "Docker still reports a container as unhealthy" },
  "unknown-member": { severity: "notice", about: "a failed member of the cluster is not in the file" },
  "unknown-voter": { severity: "notice", about: "a server that votes is not in the file" },
  "check-failing": { severity: "notice", about: "a health check of a node or service fails" },
} as const satisfies Record<string, Entry>;

const adoption = {
  "adopt-setting-differs": {
    severity: "error",
    about: "a setting of the running agent is not what the cluster file says",
  },
  "adopt-gossip-encrypted": { severity: "error", about: "the running agent encrypts gossip, and the file does not" },
  "adopt-data-folder": { severity: "error", about: "the data folder is set in a file, where adoption cannot find it" },
  "adopt-unknown-server": { severity: "error", about: "the running cluster has a server that is not in the file" },
  "adopt-no-leader": { severity: "error", about: "the running cluster has no leader" },
  "adopt-other-cluster": { severity: "error", about: "the running agents belong to different clusters" },
  "adopt-container-name": { severity: "error", about: "the agent is a member, and its container has another name" },
  "adopt-not-running": { severity: "error", about: "the agent's container does not run" },
  "adopt-api-unreachable": { severity: "error", about: "the agent's API is unreachable" },
  "adopt-already-recorded": { severity: "error", about: "the Terraform state has another container for the agent" },
  "adopt-data-exists": { severity: "error", about: "the agent's new data volume or folder already has data" },
  "adopt-other-secrets": {
    severity: "error",
    about: "the agent's container has secrets that the secrets folder never had",
  },
  "adopt-version-differs": { severity: "error", about: "the agent's new image is another version of Consul" },
} as const satisfies Record<string, Entry>;

/** The areas of the product, in the order of docs/errors.md. */
export const areas = { clusterFile, deploy, secrets, health, adoption } as const;
export type Area = keyof typeof areas;

export const catalogue = { ...clusterFile, ...deploy, ...secrets, ...health, ...adoption } as const;
export type ProblemCode = keyof typeof catalogue;
export type CodeOf<AreaName extends Area> = keyof (typeof areas)[AreaName];

/** The codes that a cluster file can list under `ignore:`. */
export const ignorableCodes = codesWhere(clusterFile, ({ severity, ignorable }) => severity === "warning" || ignorable);

/** The codes that `--allow` takes. */
export const allowableCodes = codesWhere(deploy, ({ allowable }) => allowable);

function codesWhere<Code extends string, Details>(
  entries: Readonly<Record<Code, Details>>,
  isMeant: (entry: Entry & { readonly ignorable?: true; readonly allowable?: true }) => boolean | undefined,
): Code[] {
  return (Object.keys(entries) as Code[]).filter((code) => isMeant(entries[code] as Entry & Details));
}
