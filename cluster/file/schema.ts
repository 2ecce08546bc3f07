import { z } from "zod";
import { DEFAULT_SUBNET } from "../../consul/address";
import type { PortName } from "../../consul/ports";
import { ignorableCodes } from "../catalogue";
import { configEntry, intentions, kv, preparedQuery } from "./definition-schema";
import { check, service } from "./service-schema";
import { duration, port, text } from "./value-schema";

/**
 * The cluster file's form. Everything that one key alone can be wrong about is said here; what needs
 * two keys to see is in checks/. cluster.schema.json and docs/cluster-file.md are made from it.
 */

/** Consul serves node names by DNS, and Terraform makes ids of them: lower-case RFC 1123 labels fit both. */
export const LABEL = /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/;
/** Names become keys of JavaScript objects, where this word is taken. */
const FREE_WORD = /^(?!constructor$)/;
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
/** What does not fit these is an `invalid-name`, rather than an `invalid-value`. */
export const NAME_PATTERNS: ReadonlySet<string> = new Set([LABEL, FREE_WORD, DOCKER_NAME].map(String));

/** A colon would end the folder in Docker's own notation; `/` itself, `.` and `..` would be the host's whole disk. */
const DATA = /^(?:[a-zA-Z0-9][a-zA-Z0-9_.-]+|(?:\/+(?!\.{1,2}(?:\/|$))[^:/]+)+\/*)$/;
const PLACE =
  "a volume's name (two or more letters, digits, `_`, `.` and `-`), or an absolute folder other than /, without colons";

/** Distribution's reference grammar, without its length rules: [registry/]path[:tag][@digest]. */
const IMAGE =
  /^(?:[a-zA-Z0-9.-]+(?::\d+)?\/|\[[0-9a-f:]+\](?::\d+)?\/)?[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*)*(?::\w[\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$/;
const image = text.regex(IMAGE, "an image is [registry/]name[:tag][@sha256:digest], its name in lower case");

/** -1 is Consul's own word for "do not listen". */
const portOrOff = z.union([port, z.literal(-1)], "a port is a whole number from 1 to 65535, or -1 for off");

/** The ports that an agent listens on, by Consul's names for them, with Consul's defaults. */
const ports = z
  .strictObject({
    dns: portOrOff.optional().describe("DNS, TCP and UDP. Default 8600; -1 is off."),
    http: port
      .optional()
      .describe("HTTP API and UI. Default 8500. The health check and the gate ask here: it cannot be off."),
    https: portOrOff.optional().describe("HTTPS API. Default 8501 with security, -1 (off) without."),
    grpc: portOrOff.optional().describe("Plain gRPC. Default -1 (off)."),
    grpc_tls: portOrOff.optional().describe("gRPC with TLS. Default 8503 on servers, -1 (off) on clients."),
    serf_lan: port.optional().describe("Gossip within the datacenter, TCP and UDP. Default 8301."),
    serf_wan: portOrOff
      .optional()
      .describe("Gossip between datacenters' servers, TCP and UDP. Default 8302; -1 is off."),
    server: port.optional().describe("RPC between agents and servers. Default 8300."),
  } satisfies Record<PortName, z.ZodType>)
  .describe("Ports, by Consul's names.");

const publish = z
  .strictObject({
    dns: port.optional(),
    http: port.optional(),
    https: port.optional(),
    grpc: port.optional(),
    grpc_tls: port.optional(),
  })
  .describe("Ports of the host on which a bridged agent's ports are published, at the host's address. Default none.");

const log = z
  .strictObject({
    driver: text.describe("Docker's log driver."),
    options: z.record(z.string(), z.string()).optional().describe("The driver's options, as strings."),
  })
  .describe("Docker's logging. Default json-file, rotated at 10m, 3 files kept.");

/** As Go writes it; unlike autopilot's, DNS's may be 0, which is for none. */
const SPAN_RULE = "a duration is a number and a unit, as Go writes it: 0s, 10s, 1h30m";
const span = z.string(SPAN_RULE).regex(/^(\d{1,6}(\.\d{1,3})?(ms|s|m|h))+$/, SPAN_RULE);

/** Keys and defaults: developer.hashicorp.com/consul/docs/reference/agent/configuration-file/dns. `recursors` stands beside dns_config there. */
const dns = z
  .strictObject({
    recursors: z
      .array(text)
      .optional()
      .describe("DNS servers for names outside Consul's domain: an IP address, or address:port. Default none."),
    allow_stale: z.boolean().optional().describe("Let any server answer, also while there is no leader. Default true."),
    max_stale: span.optional().describe("How far such an answer may be behind the leader. Default 87600h."),
    node_ttl: span.optional().describe("How long resolvers may keep a node's address. Default 0s."),
    service_ttl: z
      .record(text, span)
      .optional()
      .describe("The same for services, by name; `*` at the end stands for any. Default 0s."),
    only_passing: z
      .boolean()
      .optional()
      .describe("Leave out services with a check in state warning too. Default false."),
    enable_truncate: z
      .boolean()
      .optional()
      .describe("Say of an answer by UDP when it is not complete, so that resolvers ask again by TCP. Default false."),
  })
  .describe("DNS, by Consul's names; an agent's keys replace the cluster's. Its port is `ports.dns`.");

const resources = z
  .strictObject({
    memory: z.int().min(6).optional().describe("Memory limit in MiB; swap is not added to it. Default none."),
    cpus: z.number().positive().optional().describe("CPU limit, in CPUs: 1.5. Default none."),
    cpuset: z
      .string()
      .regex(/^\d+(-\d+)?(,\d+(-\d+)?)*$/, "CPUs are numbers and ranges, with commas between them: 0-1,3")
      .optional()
      .describe("CPUs to run on: 0-1,3. Default all."),
  })
  .describe("Limits that Docker puts on the container.");

const SUBNET = /^((25[0-5]|2[0-4]\d|1?\d?\d)\.){3}0\/24$/;

const flags = (example: string) =>
  z.array(
    z.string().regex(/^--?[a-zA-Z][^\0\r\n]*$/, `a flag is one or two hyphens and a word, on one line: ${example}`),
  );

const free = z.record(z.string(), z.json());

/** What can be said once for the whole cluster, and again for one agent, which then has the last word. */
const settings = {
  image: image.optional().describe("The official Alpine image, by tag or digest. Default hashicorp/consul:1.22.2."),
  bind_addr: text
    .optional()
    .describe(
      "Address that the agent binds to (-bind). Default the host's address; in a bridge network Consul's own choice.",
    ),
  advertise_addr: text
    .optional()
    .describe("Address that the agent tells others (-advertise). Default the bind address."),
  client_addr: text
    .optional()
    .describe(
      "Addresses of HTTP, DNS and gRPC (-client), separated by spaces. Default 127.0.0.1; in a bridge network 0.0.0.0.",
    ),
  ports: ports.optional(),
  publish: publish.optional(),
  ui: z.boolean().optional().describe("Serve the web UI (-ui). Default true."),
  restart: z
    .enum(["always", "unless-stopped", "on-failure", "no"])
    .optional()
    .describe("Docker's restart policy. Default always."),
  log: log.optional(),
  resources: resources.optional(),
  dns: dns.optional(),
  ready_timeout: z
    .int()
    .min(1)
    .optional()
    .describe("Seconds that a deploy waits until an agent is ready. Default 120."),
  labels: z
    .record(text, z.string())
    .optional()
    .describe("Labels of the container; an agent's are added to the cluster's."),
  config: free
    .optional()
    .describe("Any Consul configuration keys, merged last; an agent's are merged into the cluster's."),
  flags: flags("-log-json")
    .optional()
    .describe("Further flags of `consul agent`, put last; an agent's follow the cluster's."),
  services: z
    .array(service)
    .optional()
    .describe("Services that the agent registers; an agent's are added to the cluster's. A change restarts nothing."),
  checks: z
    .array(check)
    .optional()
    .describe("Checks of the agent's node, or of a service by `service_id`; an agent's are added to the cluster's."),
};

const agentNames = {
  name: label("name").describe("The agent's name: its node, container and host name, unless those are given."),
  host: z.string().optional().describe("The host it runs on. Default the host of the same name."),
  node: label("node name").optional().describe("Consul's node name (-node). Default the name."),
  container: dockerName.optional().describe("The container's name. Default the name."),
  hostname: label("host name").optional().describe("The container's host name. Default the name."),
  data: text
    .regex(DATA, `data is ${PLACE}`)
    .optional()
    .describe(
      "Where data is kept: a volume's name, or a folder of the host if it begins with a slash. Default a volume, <container>-data.",
    ),
  join: z.array(text).optional().describe("Whom this agent joins, instead of the cluster's `join`."),
  decommission: z
    .boolean()
    .default(false)
    .describe(
      "The agent is to leave for good: the next deploy asks for it, takes it out of the cluster and removes its container. Then delete it here.",
    ),
};

const agent = z.union(
  [label("name"), z.strictObject({ ...agentNames, ...settings })],
  "an agent is a name, or a mapping with `name:`",
);

/** Ways to a Docker daemon. The plain one has a name of its own, so that nobody gets it by leaving something out. */
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
        url: daemonUrl.describe("The daemon's address; {address} and {host} stand for the host's."),
        certs: text
          .optional()
          .describe("Folder of ca.pem, cert.pem and key.pem for tcp://, relative to the project. Default ~/.docker."),
      }),
    ],
    "a daemon is a URL, or a mapping with `url:`",
  )
  .describe(
    "How the Docker daemon is reached: unix://, ssh://, tcp:// (TLS) or tcp+insecure://; {address} and {host} stand for the host's.",
  );

/** Keys, units and what they do: registrator's flags (github.com/fayrus/registrator, docs/configuration.md). */
const registratorMapping = z.strictObject({
  image: image.optional().describe("Its image, by tag or digest. Default fayrus/registrator:v9.2.0."),
  container: dockerName.optional().describe("The container's name. Default registrator."),
  ip: text.optional().describe("Address that services are registered with (-ip). Default the host's address."),
  internal: z
    .boolean()
    .optional()
    .describe(
      "Register containers' own addresses and ports, not those published at the host (-internal). Default false.",
    ),
  resync: z
    .int()
    .min(0)
    .optional()
    .describe("Seconds from one comparison of containers and services to the next (-resync); 0 is never. Default 60."),
  cleanup: z
    .boolean()
    .optional()
    .describe(
      "Remove services of containers that are gone (-cleanup). Default true, or false where deregister is on-success.",
    ),
  deregister: z
    .enum(["always", "on-success"])
    .optional()
    .describe("Which exits of a container end its services (-deregister). Default always."),
  retry_attempts: z
    .int()
    .min(-1)
    .optional()
    .describe("Further tries to reach the agent at its start (-retry-attempts); -1 is for ever. Default -1."),
  retry_interval: z.int().min(1).optional().describe("Milliseconds between them (-retry-interval). Default 2000."),
  tags: z
    .array(text.regex(/^[^,]+$/, "a tag has no comma: registrator would take it for two"))
    .optional()
    .describe("Tags of all services (-tags)."),
  socket: text
    .regex(/^\/[^:]+$/, "a socket is an absolute path, without colons")
    .optional()
    .describe("The daemon's socket on the host. Default that of `daemon: unix://...`, or /var/run/docker.sock."),
  flags: flags("-explicit").optional().describe("Further flags of registrator; a host's follow the cluster's."),
});
const registrator = z.union([z.literal(["on", "off"]), registratorMapping], "registrator is on, off, or a mapping");

const host = z.union(
  [
    text,
    z.strictObject({
      address: text.describe("The host's IP address, as other hosts reach it."),
      daemon: daemon.optional(),
      registrator: registrator
        .optional()
        .describe("Whether this host runs registrator, with which settings of its own: on, off, or a mapping."),
      group: label("group")
        .optional()
        .describe("Put the host into the stack <cluster>-<group>. Default the stack <cluster>."),
    }),
  ],
  "a host is an address, or a mapping with `address:`",
);

/** Keys and defaults: developer.hashicorp.com/consul/docs/reference/agent/configuration-file/general, autopilot. */
const autopilot = z
  .strictObject({
    cleanup_dead_servers: z
      .boolean()
      .optional()
      .describe("Remove a server that is down when a new one joins. Default true."),
    last_contact_threshold: duration
      .optional()
      .describe("A server without contact to the leader for longer is unhealthy. Default 200ms."),
    max_trailing_logs: z
      .int()
      .min(1)
      .optional()
      .describe("A server further behind the leader, in raft entries, is unhealthy. Default 250."),
    min_quorum: z
      .int()
      .min(1)
      .optional()
      .describe("Servers below which none that is down is removed. Default bootstrap_expect."),
    server_stabilization_time: duration
      .optional()
      .describe("How long a new server has to be healthy before it votes. Default 10s."),
  })
  .describe(
    "Consul's autopilot. A change is applied to the running cluster, and restarts nothing; a key that is taken out keeps its last value there.",
  );

/** Whole seconds: a shell sleeps and counts by them. */
const PERIOD_RULE = "a period is hours, minutes and seconds above 0, as Go writes them: 1h, 30m, 1h30m";
const PERIOD = /^(?=.*[1-9])(\d{1,5}h)?(\d{1,5}m)?(\d{1,6}s)?$/;

const backups = z
  .strictObject({
    every: z
      .string(PERIOD_RULE)
      .regex(PERIOD, PERIOD_RULE)
      .default("1h")
      .describe("How often the leader's state is saved. Default 1h."),
    keep: z.int().min(1).default(24).describe("How many are kept on each server's host. Default 24."),
    to: text
      .regex(DATA, `\`to\` is ${PLACE}`)
      .optional()
      .describe(
        "Where they are kept: a volume's name, or a folder of the hosts if it begins with a slash. Default a volume, <container>-backups.",
      ),
    image: image.optional().describe("Image of the container that saves. Default the server's own."),
  })
  .describe(
    "Snapshots of the cluster's state on a schedule, in a container beside each server. Default none; {} for the defaults.",
  );

const backend = z
  .strictObject({
    local: z
      .strictObject({ path: text.optional() })
      .optional()
      .describe("A file of the project. Default terraform.{stack}.tfstate."),
    s3: z
      .looseObject({ bucket: text, key: text.optional() })
      .optional()
      .describe("Key by default consul/{stack}.tfstate."),
    http: z.looseObject({ address: text }).optional().describe("{stack} in the addresses stands for the stack's name."),
    pg: z
      .looseObject({ schema_name: text.optional() })
      .optional()
      .describe("Schema by default {stack}; the connection by PG_CONN_STR."),
    cloud: z
      .looseObject({
        organization: text,
        hostname: text.optional(),
        workspaces: z.strictObject({ name: text.optional(), project: text.optional() }).optional(),
      })
      .optional()
      .describe("HCP Terraform or Terraform Enterprise, for state and locks. Workspace by default {stack}."),
  })
  .describe("Where Terraform keeps its state: one backend with its own arguments. Default local.");

const aclName = z
  .string()
  .regex(/^[a-zA-Z0-9_-]{1,128}$/, "a name of an ACL policy or token is up to 128 letters, digits, `_` and `-`");
const rules = text.describe("Consul's ACL rules, in HCL.");
const token = z.strictObject({
  policies: z
    .array(aclName)
    .min(1)
    .optional()
    .describe("Names of its policies. Default the policy of the token's own name."),
});

const security = z
  .union(
    [
      z.literal(["on", "off"]),
      z.strictObject({
        stage: z
          .enum(["permissive", "outgoing", "strict"])
          .optional()
          .describe(
            "What is enforced. To turn security on in a running cluster: permissive, then outgoing, then strict, one deploy each. Default strict.",
          ),
        secrets: text
          .regex(
            /^\/?[\w.-]+(\/[\w.-]+)*\/?$/,
            "a folder relative to the project, or absolute, of letters, digits, `_`, `.` and `-`",
          )
          .optional()
          .describe("Folder of the cluster's secrets, relative to the project or absolute. Default secrets/<name>."),
        policies: z
          .record(aclName, rules)
          .optional()
          .describe("ACL policies of your own: Consul's rules, by the policy's name."),
        tokens: z
          .record(aclName, token)
          .optional()
          .describe("ACL tokens of your own, by name. `registrator` and `snapshots` have policies already."),
      }),
    ],
    "security is on, off, or a mapping",
  )
  .describe("TLS, gossip encryption and ACLs: on, off, or a mapping. Default on.");

export const clusterSchema = z
  .strictObject({
    name: label("cluster name").describe("The cluster's name, of which the stacks' names are made."),
    datacenter: label("datacenter").default("dc1").describe("Consul's datacenter."),
    security: security.default("on"),
    network: z
      .enum(["host", "bridge"])
      .default("host")
      .describe("host: the host's own network. bridge: a network of the daemon's, for one host."),
    subnet: z
      .string()
      .regex(SUBNET, "a subnet is an IPv4 network of 256 addresses: 172.30.86.0/24")
      .default(DEFAULT_SUBNET)
      .describe(
        `Subnet of the bridge network, in which each agent has an address of its own. Default ${DEFAULT_SUBNET}.`,
      ),
    daemon: daemon.optional(),
    hosts: z.record(label("host name"), host).describe("Docker hosts by name: an address, or a mapping."),
    servers: z.array(agent).min(1).describe("Server agents: names, or mappings where one needs settings of its own."),
    clients: z.array(agent).default([]).describe("Client agents, like servers."),
    max_parallel_clients: z
      .int()
      .min(1)
      .default(1)
      .describe("How many clients a deploy replaces at the same time. Servers are replaced one at a time."),
    autopilot: autopilot.optional(),
    registrator: registrator
      .default("off")
      .describe(
        "A registrator on every host that has an agent, which registers the host's containers as services: on, off, or a mapping. Default off.",
      ),
    backups: backups.optional(),
    kv: kv.optional(),
    config_entries: z
      .array(configEntry)
      .optional()
      .describe("Config entries, by Consul's names; what else is there is left alone."),
    intentions: intentions.optional(),
    prepared_queries: z
      .array(preparedQuery)
      .optional()
      .describe("Prepared queries, by Consul's names in this file's spelling."),
    bootstrap_expect: z
      .int()
      .min(1)
      .optional()
      .describe("Servers to wait for at the first bootstrap. Default 1, 3, 3, 4 for 1, 3, 5, 7 servers."),
    join: z
      .array(text)
      .optional()
      .describe("Whom agents join: servers, hosts or addresses. Default all servers, up to three."),
    mirror: z
      .string()
      .regex(
        /^(\[[0-9a-fA-F:]+\]|[a-zA-Z0-9.-]+)(:\d+)?(\/[a-z0-9._-]+)*$/,
        "a mirror is host[:port][/path]; who needs credentials for it lists it under `registries:` too, and logs in with `docker login`",
      )
      .optional()
      .describe("Registry that Docker Hub's images are pulled from instead: host[:port][/path]."),
    registries: z
      .array(text)
      .default([])
      .describe("Registries that need credentials, taken from the operator's docker config or environment."),
    images: z.array(image).default([]).describe("Further images to pull on every host."),
    backend: backend.optional(),
    ignore: z
      .array(z.enum(ignorableCodes))
      .default([])
      .describe("Warnings to silence, and risks to take, by their code."),
    ...settings,
  })
  .describe("A Consul cluster on Docker hosts.");

/** The cluster file as written: also what `defineCluster` takes in TypeScript. */
export type ClusterFile = z.input<typeof clusterSchema>;
/** The same with defaults filled in. */
export type ParsedClusterFile = z.output<typeof clusterSchema>;
export type AgentEntry = Exclude<ParsedClusterFile["servers"][number], string>;
export type Settings = Pick<ParsedClusterFile, keyof typeof settings>;
export type DaemonEntry = NonNullable<ParsedClusterFile["daemon"]>;
export type Autopilot = z.output<typeof autopilot>;
export type BackupsEntry = z.output<typeof backups>;
export type BackendEntry = NonNullable<ParsedClusterFile["backend"]>;
export type SecurityEntry = z.output<typeof security>;
export type RegistratorEntry = z.output<typeof registrator>;
export type RegistratorSettings = z.output<typeof registratorMapping>;
export type TokenEntry = z.output<typeof token>;
export type Rules = z.output<typeof rules>;
export type PolicyName = z.output<typeof aclName>;
export type Service = z.output<typeof service>;
export type Check = z.output<typeof check>;
