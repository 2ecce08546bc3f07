import { z } from "zod";
import { LABEL_PREFIX } from "../../consul/contract";
import { DEFAULT_PORTS, type PortName, SERVER_GRPC_TLS } from "../../consul/ports";
import { ignorableCodes } from "../catalogue";
import { bootstrapServers, DEFAULTS, secretsFolder } from "../resolve/defaults";
import { configEntry, intentions, kv, preparedQuery } from "./definition-schema";
import { check, service } from "./service-schema";
import { duration, port, text } from "./value-schema";

/**
 * The schema of the cluster file. It checks each key by itself; validate/ has the rules that concern several keys.
 * cluster.schema.json and docs/cluster-file.md are generated from it. A description ends with the default, if there is
 * one: "Default x."
 */

/** Consul serves node names by DNS, and Terraform ids contain them: lower-case RFC 1123 labels are valid for both. */
export const LABEL = /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/;
/** Names become keys of JavaScript objects, which have this key already. */
const FREE_WORD = /^(?!constructor$)/;
const FREE_LABEL = new RegExp(`^(?!${LABEL_PREFIX.replace(".", "\\.")})`);
const label = (what: string) =>
  z
    .string()
    .regex(
      LABEL,
      `a ${what} is 1 to 63 lower-case letters, digits and hyphens, begins with a letter and does not end with a hyphen`,
    )
    .regex(FREE_WORD, `choose another ${what}: \`constructor\` is a reserved word of JavaScript's objects`);

/** Docker's rule for container and volume names (moby, daemon/names). */
const DOCKER_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;
const dockerName = text.regex(
  DOCKER_NAME,
  "a Docker name is two or more letters, digits, `_`, `.` and `-`, and begins with a letter or digit",
);
/** The product's own labels say whose a container is. */
const labelName = text.regex(
  FREE_LABEL,
  `labels that begin with \`${LABEL_PREFIX}\` are the product's own; choose another name`,
);
/** A value that does not match one of these is an `invalid-name`, not an `invalid-value`. */
export const NAME_PATTERNS: ReadonlySet<string> = new Set([LABEL, FREE_WORD, DOCKER_NAME].map(String));

/** In Docker's notation a colon ends the folder. `/`, `.` and `..` would be the host's whole disk. */
const DATA = /^(?:[a-zA-Z0-9][a-zA-Z0-9_.-]+|(?:\/+(?!\.{1,2}(?:\/|$))[^:/]+)+\/*)$/;
const VOLUME_OR_FOLDER =
  "a volume's name (two or more letters, digits, `_`, `.` and `-`), or an absolute folder other than /, without colons";

/**
 * The reference grammar of Docker's registry (distribution/reference), without its length rules:
 * [registry/]path[:tag][@digest].
 */
const IMAGE =
  /^(?:[a-zA-Z0-9.-]+(?::\d+)?\/|\[[0-9a-f:]+\](?::\d+)?\/)?[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*)*(?::\w[\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$/;
const image = text.regex(IMAGE, "an image is [registry/]name[:tag][@sha256:digest], its name in lower case");

/** Consul's configuration uses -1 for a port that it does not listen on. */
const portOrOff = z.union([port, z.literal(-1)], "a port is a whole number from 1 to 65535, or -1 for off");

/** The ports that an agent listens on, by Consul's names. */
const ports = z
  .strictObject({
    dns: portOrOff.optional().describe(`DNS, by TCP and UDP; -1 is off. Default ${DEFAULT_PORTS.dns}.`),
    http: port
      .optional()
      .describe(
        `HTTP API and UI. It cannot be off, because the health check and the readiness check use it. Default ${DEFAULT_PORTS.http}.`,
      ),
    https: portOrOff
      .optional()
      .describe(`HTTPS API; -1 is off. Default ${DEFAULTS.httpsPort} with security, -1 without.`),
    grpc: portOrOff.optional().describe(`gRPC without TLS; -1 is off. Default ${DEFAULT_PORTS.grpc}.`),
    grpc_tls: portOrOff
      .optional()
      .describe(`gRPC with TLS; -1 is off. Default ${SERVER_GRPC_TLS} on servers, -1 on client agents.`),
    serf_lan: port.optional().describe(`Gossip in the datacenter, by TCP and UDP. Default ${DEFAULT_PORTS.serf_lan}.`),
    serf_wan: portOrOff
      .optional()
      .describe(
        `Gossip between the servers of several datacenters, by TCP and UDP; -1 is off. Default ${DEFAULT_PORTS.serf_wan}.`,
      ),
    server: port.optional().describe(`RPC between agents and servers. Default ${DEFAULT_PORTS.server}.`),
  } satisfies Record<PortName, z.ZodType>)
  .describe("Ports of the agent, by Consul's names.");

const publish = z
  .strictObject({
    dns: port.optional().describe("The host's port for DNS, by TCP and UDP. Default none."),
    http: port.optional().describe("The host's port for the HTTP API and the UI. Default none."),
    https: port.optional().describe("The host's port for the HTTPS API. Default none."),
    grpc: port.optional().describe("The host's port for gRPC without TLS. Default none."),
    grpc_tls: port.optional().describe("The host's port for gRPC with TLS. Default none."),
  })
  .describe(
    "In a bridge network: ports of the host at which the agent's ports are published, at the host's address. Default none.",
  );

const log = z
  .strictObject({
    driver: text.describe("Docker's log driver."),
    options: z.record(z.string(), z.string()).optional().describe("Options of the driver, as strings."),
  })
  .describe(
    `Docker's logging. Default ${DEFAULTS.log.driver}, with ${DEFAULTS.log.options["max-file"]} files of ${DEFAULTS.log.options["max-size"]}.`,
  );

/** In Go's notation. Consul accepts 0 for durations of DNS, but not for autopilot's. */
const SPAN_RULE = "a duration is a number and a unit, as Go writes it: 0s, 10s, 1h30m";
const span = z.string(SPAN_RULE).regex(/^(\d{1,6}(\.\d{1,3})?(ms|s|m|h))+$/, SPAN_RULE);

/**
 * Keys and defaults: developer.hashicorp.com/consul/docs/reference/agent/configuration-file/dns. There, `recursors` is
 * not in dns_config.
 */
const dns = z
  .strictObject({
    recursors: z
      .array(text)
      .optional()
      .describe("DNS servers for names outside Consul's domain: IP addresses, or address:port. Default none."),
    allow_stale: z
      .boolean()
      .optional()
      .describe("Whether every server answers, also while the cluster has no leader. Default true."),
    max_stale: span.optional().describe("How old such an answer may be. Default 87600h."),
    node_ttl: span.optional().describe("How long resolvers cache the address of a node. Default 0s."),
    service_ttl: z
      .record(text, span)
      .optional()
      .describe(
        "How long resolvers cache the addresses of a service, by its name; a `*` at the end is a wildcard. Default 0s.",
      ),
    only_passing: z
      .boolean()
      .optional()
      .describe("Whether answers omit services whose checks are in state warning, not only critical. Default false."),
    enable_truncate: z
      .boolean()
      .optional()
      .describe(
        "Whether a UDP answer that is not complete is marked as truncated, so that resolvers repeat the query by TCP. Default false.",
      ),
  })
  .describe("DNS, by Consul's names. An agent's keys replace the cluster's. The port is `ports.dns`.");

const resources = z
  .strictObject({
    memory: z.int().min(6).optional().describe("Memory limit in MiB, without additional swap. Default none."),
    cpus: z.number().positive().optional().describe("CPU limit in CPUs, for example 1.5. Default none."),
    cpuset: z
      .string()
      .regex(/^\d+(-\d+)?(,\d+(-\d+)?)*$/, "CPUs are numbers and ranges, with commas between them: 0-1,3")
      .optional()
      .describe("CPUs that the container runs on, for example 0-1,3. Default all."),
  })
  .describe("Limits of the container.");

const SUBNET = /^((25[0-5]|2[0-4]\d|1?\d?\d)\.){3}0\/24$/;

const flags = (example: string) =>
  z.array(
    z.string().regex(/^--?[a-zA-Z][^\0\r\n]*$/, `a flag is one or two hyphens and a word, on one line: ${example}`),
  );

/** A path that is the same for every operator, because the Terraform state has the paths of secrets. */
const privateFolder = z
  .string()
  .regex(
    /^(?![/~])/,
    "a private folder is relative to the project: the provider compares the paths of secrets, so the home of another operator would replace every container. Write ../NAME-private",
  )
  .regex(
    /^(?:[/~].*|(?:\.\.\/)+(?!\.{1,2}(?:\/|$))[\w.-]+(?:\/(?!\.{1,2}(?:\/|$))[\w.-]+)*\/?)$/,
    "a private folder is beside the project's folder or further up, of letters, digits, `_`, `.` and `-`: in the checkout `git clean -fdx` would remove it. Write ../NAME-private",
  );

const free = z.record(z.string(), z.json());

/**
 * Settings of agents: of all agents at the top of the file, and of one agent in its own mapping, which takes
 * precedence.
 */
const settings = {
  image: image
    .optional()
    .describe(
      `Consul's image, by tag or digest: the official one, which is based on Alpine. Default ${DEFAULTS.image}.`,
    ),
  bind_addr: text
    .optional()
    .describe(
      "The address that the agent binds to (-bind); {address} stands for the host's. In a bridge network Consul chooses it. Default the host's address.",
    ),
  advertise_addr: text
    .optional()
    .describe(
      "The address that the agent advertises to other agents (-advertise); {address} stands for the host's. Default the bind address, or the host's if that is 0.0.0.0 or ::.",
    ),
  client_addr: text
    .optional()
    .describe(
      `The addresses of HTTP, DNS and gRPC (-client), separated by spaces: IP addresses, {address} for the host's, and templates of Consul's. Default ${DEFAULTS.clientAddr.host}, or ${DEFAULTS.clientAddr.bridge} in a bridge network.`,
    ),
  ports: ports.optional(),
  publish: publish.optional(),
  ui: z.boolean().optional().describe(`Whether the agent serves the web UI (-ui). Default ${DEFAULTS.ui}.`),
  restart: z
    .enum(["always", "unless-stopped", "on-failure", "no"])
    .optional()
    .describe(`Docker's restart policy. Default ${DEFAULTS.restart}.`),
  log: log.optional(),
  resources: resources.optional(),
  dns: dns.optional(),
  ready_timeout: z
    .int()
    .min(1)
    .optional()
    .describe(`How many seconds a deploy waits until an agent is ready. Default ${DEFAULTS.readyTimeout}.`),
  labels: z
    .record(labelName, z.string())
    .optional()
    .describe("Labels of the container. An agent's are added to the cluster's."),
  config: free
    .optional()
    .describe("Any keys of Consul's configuration, merged last. An agent's are merged into the cluster's."),
  flags: flags("-log-json")
    .optional()
    .describe("Further flags of `consul agent`, which come last. An agent's follow the cluster's."),
  services: z
    .array(service)
    .optional()
    .describe("Services that the agent registers. An agent's are added to the cluster's. A change restarts nothing."),
  checks: z
    .array(check)
    .optional()
    .describe(
      "Checks of the agent's node, or of a service by `service_id`. An agent's are added to the cluster's. A change restarts nothing.",
    ),
};

const agentNames = {
  name: label("name").describe(
    "The agent's name, which is also its node name, container name and host name unless those are set.",
  ),
  host: z.string().optional().describe("The host that the agent runs on. Default the host with the agent's name."),
  node: label("node name").optional().describe("Consul's node name (-node). Default the name."),
  container: dockerName.optional().describe("The container's name. Default the name."),
  hostname: label("host name").optional().describe("The container's host name. Default the name."),
  data: text
    .regex(DATA, `data is ${VOLUME_OR_FOLDER}`)
    .optional()
    .describe(
      "The agent's data: a volume's name, or a folder of the host if it begins with a slash. Default the volume <container>-data.",
    ),
  join: z
    .array(text)
    .optional()
    .describe("The servers, hosts or addresses that this agent joins. Default the cluster's `join`."),
  decommission: z
    .boolean()
    .optional()
    .describe(
      "Decommissions the agent: the next deploy takes it out of the cluster and removes its container. Then delete its line. Default false.",
    ),
};

export const agentMapping = z.strictObject({ ...agentNames, ...settings });
const agent = z.union([label("name"), agentMapping], "an agent is a name, or a mapping with `name:`");

/** URLs of Docker daemons. A daemon without TLS has a scheme of its own, so that TLS cannot be left out by mistake. */
export const DAEMON = /^(unix:\/\/\/\S+|ssh:\/\/[^\s/]+|tcp:\/\/[^\s/]+:\d+|tcp\+insecure:\/\/[^\s/]+:\d+)$/;
const daemonUrl = z
  .string()
  .regex(
    DAEMON,
    "a daemon is unix:///path, ssh://[user@]host[:port], tcp://host:port (with TLS) or tcp+insecure://host:port (without)",
  );
const daemon = z
  .union(
    [
      daemonUrl,
      z.strictObject({
        url: daemonUrl.describe("The URL. {address} and {host} stand for the host's address and name."),
        certs: text
          .optional()
          .describe(
            `The folder of ca.pem, cert.pem and key.pem for tcp://, relative to the project. Default ${DEFAULTS.daemonCerts}.`,
          ),
      }),
    ],
    "a daemon is a URL, or a mapping with `url:`",
  )
  .describe(
    "The URL of the hosts' Docker daemons: unix://, ssh://, tcp:// (with TLS) or tcp+insecure://. {address} and {host} stand for the host's address and name. Default none; required, unless each host has its own.",
  );

/** Keys and units are those of registrator's flags (github.com/fayrus/registrator/blob/master/docs/configuration.md). */
export const registratorMapping = z.strictObject({
  image: image.optional().describe(`Registrator's image, by tag or digest. Default ${DEFAULTS.registrator.image}.`),
  container: dockerName.optional().describe(`The container's name. Default ${DEFAULTS.registrator.container}.`),
  ip: text.optional().describe("The address that services are registered with (-ip). Default the host's address."),
  internal: z
    .boolean()
    .optional()
    .describe(
      `Whether services are registered with the containers' own addresses and ports, not with the published ones (-internal). Default ${DEFAULTS.registrator.internal}.`,
    ),
  resync: z
    .int()
    .min(0)
    .optional()
    .describe(
      `How many seconds pass between two comparisons of containers with services (-resync); 0 is never. Default ${DEFAULTS.registrator.resync}.`,
    ),
  cleanup: z
    .boolean()
    .optional()
    .describe(
      "Whether services of removed containers are deregistered (-cleanup). Default true, or false if `deregister` is on-success.",
    ),
  deregister: z
    .enum(["always", "on-success"])
    .optional()
    .describe(
      `After which exits of a container its services are deregistered (-deregister). Default ${DEFAULTS.registrator.deregister}.`,
    ),
  retry_attempts: z
    .int()
    .min(-1)
    .optional()
    .describe(
      `How often registrator retries to reach the agent at its start (-retry-attempts); -1 is without limit. Default ${DEFAULTS.registrator.retryAttempts}.`,
    ),
  retry_interval: z
    .int()
    .min(1)
    .optional()
    .describe("How many milliseconds pass between two attempts (-retry-interval). Default 2000."),
  tags: z
    .array(text.regex(/^[^,]+$/, "a tag has no comma: registrator would take it for two"))
    .optional()
    .describe("Tags of all services (-tags). Default none."),
  socket: text
    .regex(/^\/[^:]+$/, "a socket is an absolute path, without colons")
    .optional()
    .describe(
      `The Docker daemon's socket on the host. Default the one of \`daemon: unix://...\`, or ${DEFAULTS.daemonSocket}.`,
    ),
  flags: flags("-explicit").optional().describe("Further flags of registrator. A host's follow the cluster's."),
});
const registrator = z.union([z.literal(["on", "off"]), registratorMapping], "registrator is on, off, or a mapping");

export const hostMapping = z.strictObject({
  address: text.describe("The host's IP address, at which other hosts reach it."),
  daemon: daemon
    .optional()
    .describe("The Docker daemon of this host: a URL, or a mapping. Default the cluster's `daemon`."),
  registrator: registrator
    .optional()
    .describe(
      "Whether this host runs registrator: on, off, or a mapping with settings of its own. Default the cluster's `registrator`.",
    ),
  group: label("group")
    .optional()
    .describe("Puts the host into the stack <cluster>-<group>. Default the stack <cluster>."),
});
const host = z.union([text, hostMapping], "a host is an address, or a mapping with `address:`");

/** Keys and defaults: developer.hashicorp.com/consul/docs/reference/agent/configuration-file/general, autopilot. */
const autopilot = z
  .strictObject({
    cleanup_dead_servers: z
      .boolean()
      .optional()
      .describe("Whether a failed server is removed when a new server joins. Default true."),
    last_contact_threshold: duration
      .optional()
      .describe("After how long without contact to the leader a server is unhealthy. Default 200ms."),
    max_trailing_logs: z
      .int()
      .min(1)
      .optional()
      .describe("How many Raft entries a server may be behind the leader before it is unhealthy. Default 250."),
    min_quorum: z
      .int()
      .min(1)
      .optional()
      .describe("With this many servers or fewer, no failed server is removed. Default bootstrap_expect."),
    server_stabilization_time: duration
      .optional()
      .describe("How long a new server has to be healthy before it becomes a voter. Default 10s."),
  })
  .describe(
    "Consul's autopilot. A deploy applies changes to the running cluster and restarts nothing. A key that is removed from the file keeps its last value.",
  );

/** Whole seconds, because a shell script counts them. */
const PERIOD_RULE = "a period is hours, minutes and seconds above 0, as Go writes them: 1h, 30m, 1h30m";
const PERIOD = /^(?=.*[1-9])(\d{1,5}h)?(\d{1,5}m)?(\d{1,6}s)?$/;

export const backups = z
  .strictObject({
    every: z
      .string(PERIOD_RULE)
      .regex(PERIOD, PERIOD_RULE)
      .optional()
      .describe(`How much time passes between two snapshots. Default ${DEFAULTS.backups.every}.`),
    keep: z
      .int()
      .min(1)
      .optional()
      .describe(`How many snapshots each server's host keeps. Default ${DEFAULTS.backups.keep}.`),
    to: text
      .regex(DATA, `\`to\` is ${VOLUME_OR_FOLDER}`)
      .optional()
      .describe(
        "Where snapshots are stored: a volume's name, or a folder of the hosts if it begins with a slash. Default the volume <container>-backups.",
      ),
    image: image.optional().describe("The image of the container that takes snapshots. Default the server's image."),
  })
  .describe(
    "Scheduled snapshots of the cluster, by a container beside each server; {} turns them on with all defaults. Default none.",
  );

const M = DEFAULTS.metrics.thresholds;
const ratio = z.number().positive();
const thresholds = z
  .strictObject({
    last_contact: ratio
      .optional()
      .describe(`Milliseconds since a follower's last answer to the leader, on average. Default ${M.last_contact}.`),
    commit_time: ratio
      .optional()
      .describe(`Milliseconds of a commit below which it is never slow. Default ${M.commit_time}.`),
    commit_time_ratio: ratio
      .optional()
      .describe(`How many times as long as in the hour before a commit may take. Default ${M.commit_time_ratio}.`),
    saturation: ratio
      .max(1)
      .optional()
      .describe(`The part of their time that Raft's threads may be busy. Default ${M.saturation}.`),
    memory: ratio
      .max(1)
      .optional()
      .describe(`The part of \`resources.memory\` that an agent may use. Default ${M.memory}.`),
    leader_changes: z
      .int()
      .min(1)
      .optional()
      .describe(`How often the leader may change in 15 minutes. Default ${M.leader_changes}.`),
    certificate_days: ratio
      .optional()
      .describe(`Days before a certificate expires that a ticket is due. Default ${M.certificate_days}.`),
    urgent_certificate_days: ratio
      .optional()
      .describe(`Days before a certificate expires that somebody is paged. Default ${M.urgent_certificate_days}.`),
    lock_minutes: z
      .int()
      .min(1)
      .optional()
      .describe(`Minutes that a deploy may hold its lock. Default ${M.lock_minutes}.`),
    status_minutes: z
      .int()
      .min(1)
      .optional()
      .describe(`Minutes since the last \`status --prometheus\`. Default ${M.status_minutes}.`),
    maintenance_minutes: z
      .int()
      .min(1)
      .optional()
      .describe(`Minutes that a host may be in maintenance. Default ${M.maintenance_minutes}.`),
    backup_intervals: z
      .number()
      .min(1)
      .optional()
      .describe(`How many times \`backups.every\` the newest snapshot may be old. Default ${M.backup_intervals}.`),
  })
  .describe("When alerts fire.");

export const metricsMapping = z.strictObject({
  runbooks: text
    .optional()
    .describe(
      `The URL of a copy of docs/metrics.md, to which alerts link. Default ${DEFAULTS.metrics.runbooks}, the page of this version.`,
    ),
  thresholds: thresholds.optional(),
});
const metrics = z.union([z.literal(["on", "off"]), metricsMapping], "metrics is on, off, or a mapping");

/** A backend whose objects have a folder and a name. */
const folderInBucket = (prefix: string) =>
  z.looseObject({
    bucket: text.describe("The bucket."),
    prefix: text
      .optional()
      .describe(`The folder in the bucket. Default ${prefix}, or Terraform's own if \`key\` has {stack}.`),
    key: text.optional().describe("The object in the folder. Default terraform.tfstate."),
  });

export const backendSchema = z
  .strictObject({
    local: z
      .strictObject({
        path: text
          .optional()
          .describe(
            `The file, relative to the project. Default ${DEFAULTS.backend.local}, in \`private_folder\` if there is one.`,
          ),
      })
      .optional()
      .describe(
        `A file, relative to the project. Default ${DEFAULTS.backend.local}, in \`private_folder\` if there is one.`,
      ),
    s3: z
      .looseObject({
        bucket: text.describe("The bucket."),
        key: text.optional().describe(`The object. Default ${DEFAULTS.backend.s3}.`),
      })
      .optional()
      .describe(`Amazon S3, or a service with its API. Default key ${DEFAULTS.backend.s3}.`),
    http: z
      .looseObject({ address: text.describe("The URL of a stack's state, with {stack} in it.") })
      .optional()
      .describe("A server of its own protocol. {stack} in the addresses stands for the stack's name."),
    pg: z
      .looseObject({ schema_name: text.optional().describe(`The schema. Default ${DEFAULTS.backend.pg}.`) })
      .optional()
      .describe(
        `PostgreSQL. The environment variable PG_CONN_STR has the connection. Default schema ${DEFAULTS.backend.pg}.`,
      ),
    cloud: z
      .looseObject({
        organization: text.describe("The organization."),
        hostname: text.optional().describe("The host of Terraform Enterprise. Default app.terraform.io."),
        workspaces: z
          .strictObject({
            name: text.optional().describe(`The workspace of a stack. Default ${DEFAULTS.backend.cloud}.`),
            project: text
              .optional()
              .describe("The project in which workspaces are created. Default the organization's."),
          })
          .optional()
          .describe("The workspaces, one for each stack."),
      })
      .optional()
      .describe(
        `HCP Terraform or Terraform Enterprise, for the Terraform state and its locks. Default workspace ${DEFAULTS.backend.cloud}.`,
      ),
    gcs: z
      .looseObject({
        bucket: text.describe("The bucket."),
        prefix: text.optional().describe(`The folder in the bucket. Default ${DEFAULTS.backend.gcs}.`),
      })
      .optional()
      .describe(`Google Cloud Storage. Default prefix ${DEFAULTS.backend.gcs}.`),
    azurerm: z
      .looseObject({
        storage_account_name: text.describe("The storage account."),
        container_name: text.describe("The container in the storage account."),
        key: text.optional().describe(`The blob. Default ${DEFAULTS.backend.azurerm}.`),
      })
      .optional()
      .describe(`Azure Blob Storage. Default key ${DEFAULTS.backend.azurerm}.`),
    oss: folderInBucket(DEFAULTS.backend.oss)
      .optional()
      .describe(`Alibaba Cloud OSS. It locks with a tablestore_table. Default prefix ${DEFAULTS.backend.oss}.`),
    cos: folderInBucket(DEFAULTS.backend.cos)
      .optional()
      .describe(`Tencent Cloud COS. Default prefix ${DEFAULTS.backend.cos}.`),
    kubernetes: z
      .looseObject({
        secret_suffix: text
          .optional()
          .describe(`The end of the secret's name. Default ${DEFAULTS.backend.kubernetes}.`),
      })
      .optional()
      .describe(`A secret of Kubernetes. Default secret_suffix ${DEFAULTS.backend.kubernetes}.`),
  })
  .describe("Where the Terraform state is stored: one backend, with its own arguments. Default local.");

const aclName = z
  .string()
  .regex(/^[a-zA-Z0-9_-]{1,128}$/, "a name of an ACL policy or token is up to 128 letters, digits, `_` and `-`");
const rules = text.describe("ACL rules of Consul, in HCL.");
const token = z.strictObject({
  policies: z
    .array(aclName)
    .min(1)
    .optional()
    .describe("The names of the token's policies. Default the policy with the token's name."),
});

export const securityMapping = z.strictObject({
  stage: z
    .enum(["permissive", "outgoing", "strict"])
    .optional()
    .describe(
      `What is enforced. To turn security on in a running cluster, deploy permissive, then outgoing, then strict. Default ${DEFAULTS.stage}.`,
    ),
  secrets: text
    .regex(
      /^\/?[\w.-]+(\/[\w.-]+)*\/?$/,
      "a folder relative to the project, or absolute, of letters, digits, `_`, `.` and `-`",
    )
    .optional()
    .describe(
      `The folder of the cluster's secrets, relative to the project or absolute. Default ${secretsFolder("<name>")}, in \`private_folder\` if there is one.`,
    ),
  policies: z
    .record(aclName, rules)
    .optional()
    .describe("ACL policies of your own: rules of Consul, by the policy's name. Default none."),
  tokens: z
    .record(aclName, token)
    .optional()
    .describe(
      "ACL tokens of your own, by name. The product has policies for `registrator` and `snapshots`. Default none.",
    ),
});
const security = z
  .union([z.literal(["on", "off"]), securityMapping], "security is on, off, or a mapping")
  .describe(`TLS, gossip encryption and ACLs: on, off, or a mapping. Default ${DEFAULTS.security}.`);

export const clusterSchema = z
  .strictObject({
    name: label("cluster name").describe("The cluster's name, with which the names of its stacks begin."),
    datacenter: label("datacenter")
      .default(DEFAULTS.datacenter)
      .describe(`Consul's datacenter. Default ${DEFAULTS.datacenter}.`),
    private_folder: privateFolder
      .optional()
      .describe(
        "The folder for secrets, local Terraform states and backups, relative to the project and out of its git checkout: ../NAME-private. `security.secrets` and `backend.local.path` take precedence. Default the project's folder.",
      ),
    security: security.default(DEFAULTS.security),
    network: z
      .enum(["host", "bridge"])
      .default(DEFAULTS.network)
      .describe(
        `host: the host's own network. bridge: a Docker network, for a cluster on one host. Default ${DEFAULTS.network}.`,
      ),
    subnet: z
      .string()
      .regex(SUBNET, `a subnet is an IPv4 network of 256 addresses: ${DEFAULTS.subnet}`)
      .default(DEFAULTS.subnet)
      .describe(
        `The subnet of the bridge network, in which each agent has an address of its own. Default ${DEFAULTS.subnet}.`,
      ),
    daemon: daemon.optional(),
    hosts: z.record(label("host name"), host).describe("The Docker hosts, by name: an address, or a mapping."),
    servers: z
      .array(agent)
      .min(1)
      .describe("The server agents: names, or mappings for agents with settings of their own."),
    clients: z.array(agent).default([]).describe("The client agents: names, or mappings. Default none."),
    max_parallel_clients: z
      .int()
      .min(1)
      .default(DEFAULTS.maxParallelClients)
      .describe(
        `How many client agents a deploy replaces in parallel. Servers are replaced one at a time. Default ${DEFAULTS.maxParallelClients}.`,
      ),
    autopilot: autopilot.optional(),
    registrator: registrator
      .default("off")
      .describe(
        "Whether every host with an agent runs registrator, which registers the host's containers as services: on, off, or a mapping. Default off.",
      ),
    backups: backups.optional(),
    metrics: metrics
      .default("off")
      .describe(
        "Whether agents export metrics for Prometheus, and when alerts fire: on, off, or a mapping. With security, HTTPS then listens at the hosts' addresses too. Default off.",
      ),
    kv: kv.optional(),
    config_entries: z
      .array(configEntry)
      .optional()
      .describe("Config entries, by Consul's names. A deploy does not change other entries. Default none."),
    intentions: intentions.optional(),
    prepared_queries: z
      .array(preparedQuery)
      .optional()
      .describe("Prepared queries, by the API's names in snake_case. Default none."),
    bootstrap_expect: z
      .int()
      .min(1)
      .optional()
      .describe(
        `How many servers the first bootstrap waits for. Default ${[1, 3, 5, 7].map(bootstrapServers).join(", ")} for 1, 3, 5, 7 servers.`,
      ),
    join: z
      .array(text)
      .optional()
      .describe(
        `The servers, hosts or addresses (with or without a port) that agents join. It is required with more than ${DEFAULTS.joinAllUpTo} servers. Default all servers.`,
      ),
    mirror: z
      .string()
      .regex(
        /^(\[[0-9a-fA-F:]+\]|[a-zA-Z0-9.-]+)(:\d+)?(\/[a-z0-9._-]+)*$/,
        "a mirror is host[:port][/path]; if it needs credentials, list it under `registries:` too, and log in with `docker login`",
      )
      .optional()
      .describe("The registry from which hosts pull Docker Hub's images: host[:port][/path]. Default Docker Hub."),
    registries: z
      .array(text)
      .default([])
      .describe(
        "Registries that need credentials, which Terraform takes from the operator's docker config or environment. Default none.",
      ),
    images: z.array(image).default([]).describe("Further images that every host pulls. Default none."),
    backend: backendSchema.optional(),
    ignore: z
      .array(z.enum(ignorableCodes))
      .default([])
      .describe("Codes of warnings to silence, and of risks to take. Default none."),
    ...settings,
  })
  .describe("A Consul cluster on Docker hosts.");

/**
 * The cluster file as it is written, and as `defineCluster` takes it in TypeScript. docs/cluster-file.md has every key
 * with its type and default.
 */
export type ClusterFile = z.input<typeof clusterSchema>;
/** The same, with the defaults of the cluster's own keys. */
export type ParsedClusterFile = z.output<typeof clusterSchema>;
export type AgentEntry = Exclude<ParsedClusterFile["servers"][number], string>;
export type Settings = Pick<ParsedClusterFile, keyof typeof settings>;
export type DaemonEntry = NonNullable<ParsedClusterFile["daemon"]>;
export type Autopilot = z.output<typeof autopilot>;
export type BackupsEntry = z.output<typeof backups>;
export type Thresholds = Required<z.output<typeof thresholds>>;
export type BackendEntry = NonNullable<ParsedClusterFile["backend"]>;
export type SecurityEntry = z.output<typeof security>;
export type RegistratorEntry = z.output<typeof registrator>;
export type RegistratorSettings = z.output<typeof registratorMapping>;
export type TokenEntry = z.output<typeof token>;
export type Rules = z.output<typeof rules>;
export type PolicyName = z.output<typeof aclName>;
export type Service = z.output<typeof service>;
export type Check = z.output<typeof check>;
