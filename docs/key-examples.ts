import type { ClusterFile } from "../cluster/file/schema";

/** A cluster file, or a part of one, as TypeScript takes it. */
export type Part = Readonly<Record<string, unknown>>;

/** An example of a key: docs/cluster-file.md shows it, and what its deploy would do to EXAMPLE_CLUSTER. */
export interface KeyExample {
  readonly value: unknown;
  /** Keys beside it, with which the value makes sense. They are in the file before, too. */
  readonly beside?: Part;
  /** The key's value before. @default the key is absent */
  readonly before?: unknown;
  /** All keys of the section before, in place of those above. */
  readonly instead?: Part;
  /** Further keys of the whole file, before and after. */
  readonly file?: Part;
  /** What a change does, where the two files are not two states of one cluster. @default what their JSON tells */
  readonly effect?: string;
}

/** A section of docs/cluster-file.md. */
export interface KeySection {
  /** The file with these keys in the section. */
  readonly place: (keys: Part) => Part;
  readonly examples: Readonly<Record<string, KeyExample>>;
}

/** The cluster in whose file each key is written. */
export const EXAMPLE_CLUSTER: ClusterFile = {
  name: "payments",
  daemon: "ssh://root@{address}",
  hosts: { node1: "10.0.0.11", node2: "10.0.0.12", node3: "10.0.0.13", web1: "10.0.0.21" },
  servers: ["node1", "node2", "node3"],
  clients: ["web1"],
};

const HOSTS = EXAMPLE_CLUSTER.hosts;
const FIVE_HOSTS = { ...HOSTS, node4: "10.0.0.14", node5: "10.0.0.15" };
const FIVE_SERVERS = ["node1", "node2", "node3", "node4", "node5"];
/** A cluster of one server, whose address can be written as a number. */
const ONE_SERVER: Part = { hosts: { node1: "10.0.0.11" }, servers: ["node1"], clients: [] };
const BRIDGE: Part = {
  network: "bridge",
  daemon: "unix:///var/run/docker.sock",
  hosts: { local: "127.0.0.1" },
  servers: [{ name: "node1", host: "local" }],
  clients: [],
  join: ["node1"],
};
const HTTP_CHECK = "http://127.0.0.1:8080/health";
const QUERY = { name: "near-shop", service: { service: "shop" } };
const CATALOG = 'node_prefix "" { policy = "read" }';
const READ = 'service "shop" { policy = "read" }';
const WRITE = 'service "shop" { policy = "write" }';

const SECURITY = "[three deploys](security.md#turning-security-on-in-a-running-cluster), each of all agents";
const MOVED = "[another agent](membership.md#a-server-on-another-machine)";
const GROUP = "[the host moves to another stack](layouts.md#moving-a-host-to-another-group)";

const topLevel: KeySection["place"] = (keys) => keys;
const below =
  (key: string): KeySection["place"] =>
  (keys) => ({ [key]: keys });

const check = (value: unknown): KeyExample => ({
  value,
  beside: { name: "health", http: HTTP_CHECK, interval: "10s" },
});
/** A check has one kind. */
const kindOfCheck = (value: unknown, beside: Part = { interval: "10s" }): KeyExample => ({
  value,
  beside: { name: "health", ...beside },
  instead: { name: "health", ttl: "30m" },
});
const script = (value: unknown, beside: Part = {}): KeyExample => ({
  ...kindOfCheck(value, { interval: "10s", ...beside }),
  file: { config: { enable_local_script_checks: true } },
});
const service = (value: unknown): KeyExample => ({ value, beside: { name: "shop" } });
const query = (value: unknown): KeyExample => ({ value, beside: QUERY.service });
/** `npm run metrics` reads them. */
const rule = (value: unknown): KeyExample => ({ value, effect: "nothing; `npm run metrics` writes other rules" });
const backend = (value: unknown): KeyExample => ({ value, instead: { local: {} } });
/** A part of a file with a value further below. */
const withValue = (part: Part, [word = "", ...words]: readonly string[], value: unknown): Part => ({
  ...part,
  [word]: words.length === 0 ? value : withValue((part[word] ?? {}) as Part, words, value),
});
/** A file with backends' arguments, each by its whole name: `s3.bucket`. */
const backendArguments: KeySection["place"] = (keys) => ({
  backend: Object.entries(keys).reduce<Part>((part, [name, value]) => withValue(part, name.split("."), value), {}),
});
const S3: Part = { "s3.bucket": "terraform", "s3.region": "eu-central-1" };
const CLOUD: Part = { "cloud.organization": "example" };
const GCS: Part = { "gcs.bucket": "terraform" };
const AZURE: Part = { "azurerm.storage_account_name": "example", "azurerm.container_name": "terraform" };
const OSS: Part = { "oss.bucket": "terraform" };
const COS: Part = { "cos.bucket": "terraform-1250000000" };

/** Examples of all keys, in the order of docs/cluster-file.md. */
export const KEY_SECTIONS: Readonly<Record<string, KeySection>> = {
  "The cluster": {
    place: topLevel,
    examples: {
      name: { value: "payments", effect: "another cluster" },
      datacenter: {
        value: "berlin",
        effect: "not while the cluster runs: agents of two datacenters do not join each other",
      },
      private_folder: { value: "../payments-private" },
      security: { value: "off", effect: SECURITY },
      network: { value: "bridge", file: BRIDGE, effect: "another cluster" },
      subnet: { value: "172.30.90.0/24", file: BRIDGE },
      daemon: { value: "ssh://admin@{address}", before: "ssh://root@{address}" },
      hosts: { value: FIVE_HOSTS, before: HOSTS },
      servers: {
        value: FIVE_SERVERS,
        before: ["node1", "node2", "node3"],
        file: { hosts: FIVE_HOSTS, join: ["node1", "node2", "node3"] },
      },
      clients: { value: ["web1", "node4"], before: ["web1"], file: { hosts: FIVE_HOSTS } },
      max_parallel_clients: { value: 5 },
      autopilot: { value: { server_stabilization_time: "30s" } },
      registrator: { value: "on" },
      backups: { value: { every: "1h", keep: 24 } },
      metrics: { value: "on" },
      kv: { value: { "shop/greeting": "hello" } },
      config_entries: { value: [{ kind: "service-defaults", name: "shop", protocol: "http" }] },
      intentions: { value: { shop: { web: "allow", "*": "deny" } } },
      prepared_queries: { value: [QUERY] },
      bootstrap_expect: { value: 2 },
      join: { value: ["node1", "node2"] },
      mirror: { value: "registry.example.com:5000" },
      registries: { value: ["registry.example.com:5000"] },
      images: { value: ["nginx:1.27"] },
      backend: { value: { s3: { bucket: "terraform", region: "eu-central-1" } } },
      ignore: { value: ["image-by-tag"] },
    },
  },
  "Settings of agents": {
    place: topLevel,
    examples: {
      image: { value: "registry.example.com/consul:1.22.7" },
      bind_addr: { value: "0.0.0.0" },
      advertise_addr: { value: "10.1.0.11", file: ONE_SERVER },
      client_addr: { value: "127.0.0.1 {address}" },
      ports: { value: { dns: 53 } },
      publish: { value: { https: 8501 }, file: BRIDGE },
      ui: { value: false },
      restart: { value: "unless-stopped" },
      log: { value: { driver: "journald" } },
      resources: { value: { memory: 512 } },
      dns: { value: { recursors: ["10.0.0.2"] } },
      ready_timeout: { value: 300 },
      labels: { value: { team: "payments" } },
      config: { value: { log_level: "debug" } },
      flags: { value: ["-log-json"] },
      services: { value: [{ name: "shop", port: 8080 }] },
      checks: { value: [{ name: "disk", ttl: "1h" }] },
    },
  },
  "hosts.<name>": {
    place: (keys) => ({ hosts: { ...HOSTS, web1: { address: "10.0.0.21", ...keys } } }),
    examples: {
      address: { value: "10.0.0.31", before: "10.0.0.21" },
      daemon: { value: "unix:///var/run/docker.sock" },
      registrator: { value: "on" },
      group: { value: "web", effect: GROUP },
    },
  },
  "servers[], clients[]": {
    place: (keys) => ({ clients: [{ name: "web1", host: "web1", ...keys }] }),
    examples: {
      name: { value: "web1", effect: MOVED },
      host: { value: "web1", effect: MOVED },
      node: { value: "shop-1" },
      container: { value: "consul" },
      hostname: { value: "shop-1" },
      data: { value: "/srv/consul" },
      join: { value: ["node1"] },
      decommission: { value: true, effect: "the agent leaves, and its container is removed" },
    },
  },
  daemon: {
    place: (keys) => ({ daemon: { url: "tcp://{address}:2376", ...keys } }),
    examples: {
      url: { value: "tcp://{address}:2377", before: "tcp://{address}:2376" },
      certs: { value: "secrets/docker" },
    },
  },
  security: {
    place: below("security"),
    examples: {
      stage: { value: "outgoing", before: "permissive" },
      secrets: { value: "secrets/shared" },
      policies: { value: { shop: WRITE }, before: { shop: READ }, beside: { tokens: { shop: {} } } },
      tokens: { value: { shop: {} }, beside: { policies: { shop: WRITE } } },
    },
  },
  "security.tokens.<name>": {
    place: (keys) => ({ security: { policies: { shop: WRITE, catalog: CATALOG }, tokens: { shop: keys } } }),
    examples: { policies: { value: ["shop", "catalog"] } },
  },
  ports: {
    place: below("ports"),
    examples: {
      dns: { value: 53 },
      http: { value: 9500 },
      https: { value: 9501 },
      grpc: { value: 8502 },
      grpc_tls: { value: 9503 },
      serf_lan: { value: 9301 },
      serf_wan: { value: -1 },
      server: { value: 9300 },
    },
  },
  publish: {
    place: (keys) => ({ ...BRIDGE, publish: keys }),
    examples: {
      dns: { value: 53 },
      http: { value: 8500, file: { security: "off" } },
      https: { value: 8501 },
      grpc: { value: 8502, file: { ports: { grpc: 8502 } } },
      grpc_tls: { value: 8503 },
    },
  },
  log: {
    place: below("log"),
    examples: {
      driver: { value: "journald", before: "json-file" },
      options: { value: { "max-size": "50m" }, beside: { driver: "json-file" } },
    },
  },
  resources: {
    place: below("resources"),
    examples: {
      memory: { value: 512 },
      cpus: { value: 1.5 },
      cpuset: { value: "0-1" },
    },
  },
  dns: {
    place: below("dns"),
    examples: {
      recursors: { value: ["10.0.0.2"] },
      allow_stale: { value: false },
      max_stale: { value: "10s" },
      node_ttl: { value: "30s" },
      service_ttl: { value: { "*": "5s" } },
      only_passing: { value: true },
      enable_truncate: { value: true },
    },
  },
  "services[]": {
    place: (keys) => ({ services: [{ name: "shop", ...keys }] }),
    examples: {
      name: { value: "basket", before: "shop" },
      id: service("shop-1"),
      kind: service("connect-proxy"),
      address: service("10.0.0.31"),
      port: service(8080),
      socket_path: service("/run/shop.sock"),
      tags: service(["v2"]),
      meta: service({ version: "2" }),
      weights: service({ passing: 10, warning: 1 }),
      tagged_addresses: service({ wan: { address: "198.51.100.7", port: 80 } }),
      enable_tag_override: service(true),
      check: service({ http: HTTP_CHECK, interval: "10s" }),
      checks: service([{ tcp: "127.0.0.1:8080", interval: "10s" }]),
      connect: service({ native: true }),
      proxy: service({ destination_service_name: "shop" }),
    },
  },
  "services[].weights": {
    place: (keys) => ({ services: [{ name: "shop", weights: keys }] }),
    examples: { passing: { value: 10 }, warning: { value: 0 } },
  },
  "services[].tagged_addresses.<name>": {
    place: (keys) => ({ services: [{ name: "shop", tagged_addresses: { wan: keys } }] }),
    examples: {
      address: { value: "198.51.100.8", before: "198.51.100.7" },
      port: { value: 80, beside: { address: "198.51.100.7" } },
    },
  },
  "checks[]": {
    place: (keys) => ({ services: [{ name: "shop", port: 8080 }], checks: [keys] }),
    examples: {
      id: check("shop-health"),
      name: { value: "health", beside: { http: HTTP_CHECK, interval: "10s" }, before: "shop" },
      notes: check("called by the load balancer"),
      service_id: check("shop"),
      http: kindOfCheck(HTTP_CHECK),
      method: check("HEAD"),
      header: check({ Accept: ["text/plain"] }),
      body: check("ping"),
      tcp: kindOfCheck("127.0.0.1:8080"),
      udp: kindOfCheck("127.0.0.1:8125"),
      grpc: kindOfCheck("127.0.0.1:9000"),
      grpc_use_tls: { value: true, beside: { name: "health", grpc: "127.0.0.1:9000", interval: "10s" } },
      h2ping: kindOfCheck("127.0.0.1:8443"),
      os_service: kindOfCheck("nginx"),
      args: script(["/usr/local/bin/check", "-v"]),
      docker_container_id: script("shop", { args: ["/check"] }),
      shell: script("/bin/sh", { args: ["/check"], docker_container_id: "shop" }),
      ttl: { value: "1h", beside: { name: "health" }, before: "30m" },
      alias_service: kindOfCheck("shop", {}),
      alias_node: kindOfCheck("node1", {}),
      interval: { value: "30s", beside: { name: "health", http: HTTP_CHECK }, before: "10s" },
      timeout: check("2s"),
      status: check("passing"),
      deregister_critical_service_after: check("72h"),
      failures_before_critical: check(3),
      failures_before_warning: check(2),
      success_before_passing: check(2),
      tls_server_name: check("shop.example.com"),
      tls_skip_verify: check(true),
    },
  },
  registrator: {
    place: below("registrator"),
    examples: {
      image: { value: "fayrus/registrator:v9.1.0" },
      container: { value: "consul-registrator" },
      ip: { value: "10.0.0.31" },
      internal: { value: true },
      resync: { value: 300 },
      cleanup: { value: false },
      deregister: { value: "on-success" },
      retry_attempts: { value: 10 },
      retry_interval: { value: 5000 },
      tags: { value: ["docker"] },
      socket: { value: "/run/docker.sock" },
      flags: { value: ["-explicit"] },
    },
  },
  autopilot: {
    place: below("autopilot"),
    examples: {
      cleanup_dead_servers: { value: false },
      last_contact_threshold: { value: "500ms" },
      max_trailing_logs: { value: 500 },
      min_quorum: { value: 2 },
      server_stabilization_time: { value: "30s" },
    },
  },
  backups: {
    place: below("backups"),
    examples: {
      every: { value: "6h" },
      keep: { value: 48 },
      to: { value: "/srv/snapshots" },
      image: { value: "hashicorp/consul:1.22.2" },
    },
  },
  metrics: {
    place: below("metrics"),
    examples: {
      runbooks: rule("https://wiki.example.com/consul"),
      thresholds: rule({ lock_minutes: 20 }),
    },
  },
  "metrics.thresholds": {
    place: (keys) => ({ metrics: { thresholds: keys } }),
    examples: {
      last_contact: rule(300),
      commit_time: rule(50),
      commit_time_ratio: rule(5),
      saturation: rule(0.8),
      memory: rule(0.8),
      leader_changes: rule(5),
      certificate_days: rule(20),
      urgent_certificate_days: rule(3),
      lock_minutes: rule(20),
      status_minutes: rule(30),
      maintenance_minutes: rule(240),
      backup_intervals: rule(3),
    },
  },
  "config_entries[]": {
    place: (keys) => ({ config_entries: [{ kind: "service-defaults", name: "shop", ...keys }] }),
    examples: {
      kind: { value: "service-router", before: "service-defaults" },
      name: { value: "basket", before: "shop" },
    },
  },
  "prepared_queries[]": {
    place: (keys) => ({ prepared_queries: [{ ...QUERY, ...keys }] }),
    examples: {
      name: { value: "far-shop", before: "near-shop" },
      service: { value: { service: "shop", only_passing: true }, before: { service: "shop" } },
      dns: { value: { ttl: "10s" } },
      template: { value: { type: "name_prefix_match" } },
    },
  },
  "prepared_queries[].service": {
    place: (keys) => ({ prepared_queries: [{ name: "near-shop", service: keys }] }),
    examples: {
      service: { value: "basket", before: "shop" },
      only_passing: query(true),
      near: query("_agent"),
      tags: query(["v2", "!canary"]),
      node_meta: query({ rack: "a" }),
      service_meta: query({ version: "2" }),
      connect: query(true),
      ignore_check_ids: query(["nightly"]),
      failover: query({ nearest_n: 2 }),
      peer: query("west"),
      sameness_group: query("shops"),
    },
  },
  "prepared_queries[].service.failover": {
    place: (keys) => ({ prepared_queries: [{ name: "near-shop", service: { service: "shop", failover: keys } }] }),
    examples: {
      nearest_n: { value: 2 },
      datacenters: { value: ["west", "east"] },
      targets: { value: [{ peer: "west" }, { datacenter: "east" }] },
    },
  },
  "prepared_queries[].service.failover.targets[]": {
    place: (keys) => ({
      prepared_queries: [{ name: "near-shop", service: { service: "shop", failover: { targets: [keys] } } }],
    }),
    examples: { peer: { value: "west" }, datacenter: { value: "east" } },
  },
  "prepared_queries[].dns": {
    place: (keys) => ({ prepared_queries: [{ ...QUERY, dns: keys }] }),
    examples: { ttl: { value: "10s" } },
  },
  "prepared_queries[].template": {
    place: (keys) => ({ prepared_queries: [{ ...QUERY, template: keys }] }),
    examples: {
      type: { value: "name_prefix_match", effect: "applied" },
      regexp: { value: "^near-(.*)$", beside: { type: "name_prefix_match" } },
      remove_empty_tags: { value: true, beside: { type: "name_prefix_match" } },
    },
  },
  backend: {
    place: below("backend"),
    examples: {
      local: backend({ path: "states/{stack}.tfstate" }),
      s3: backend({ bucket: "terraform", region: "eu-central-1", use_lockfile: true }),
      http: backend({ address: "https://state.example.com/{stack}" }),
      pg: backend({ schema_name: "{stack}" }),
      cloud: backend({ organization: "example" }),
      gcs: backend({ bucket: "terraform" }),
      azurerm: backend({ storage_account_name: "example", container_name: "terraform" }),
      oss: backend({ bucket: "terraform" }),
      cos: backend({ bucket: "terraform-1250000000", region: "ap-guangzhou" }),
      kubernetes: backend({ secret_suffix: "{stack}" }),
    },
  },
  "Arguments of backends": {
    place: backendArguments,
    examples: {
      "local.path": { value: "states/{stack}.tfstate", beside: { local: {} } },
      "s3.bucket": { value: "terraform-states", beside: S3, before: "terraform" },
      "s3.key": { value: "payments/{stack}.tfstate", beside: S3 },
      "http.address": { value: "https://state.example.com/{stack}", before: "https://old.example.com/{stack}" },
      "pg.schema_name": { value: "payments_{stack}", beside: { pg: {} } },
      "cloud.organization": { value: "example", before: "former" },
      "cloud.hostname": { value: "terraform.example.com", beside: CLOUD },
      "cloud.workspaces.name": { value: "payments-{stack}", beside: CLOUD },
      "cloud.workspaces.project": { value: "consul", beside: CLOUD },
      "gcs.bucket": { value: "terraform-states", before: "terraform" },
      "gcs.prefix": { value: "payments/{stack}", beside: GCS },
      "azurerm.storage_account_name": { value: "other", beside: AZURE, before: "example" },
      "azurerm.container_name": { value: "states", beside: AZURE, before: "terraform" },
      "azurerm.key": { value: "payments/{stack}.tfstate", beside: AZURE },
      "oss.bucket": { value: "terraform-states", before: "terraform" },
      "oss.prefix": { value: "payments/{stack}", beside: OSS },
      "oss.key": { value: "{stack}.tfstate", beside: OSS },
      "cos.bucket": { value: "states-1250000000", before: "terraform-1250000000" },
      "cos.prefix": { value: "payments/{stack}", beside: COS },
      "cos.key": { value: "{stack}.tfstate", beside: COS },
      "kubernetes.secret_suffix": { value: "payments-{stack}", beside: { kubernetes: {} } },
    },
  },
};
