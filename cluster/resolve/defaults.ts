/** Every default of the cluster file and of the constructs' props. Consul's own ports: consul/ports.ts. */
export const DEFAULTS = {
  datacenter: "dc1",
  network: "host",
  /** Of the bridge network. */
  subnet: "172.30.86.0/24",
  /** Consul's -client address, by the kind of network. In a bridge network loopback would be the container's own. */
  clientAddr: { host: "127.0.0.1", bridge: "0.0.0.0" },
  image: "hashicorp/consul:1.22.7",
  ui: true,
  restart: "always",
  /** Docker's own default keeps logs of any size. */
  log: { driver: "json-file", options: { "max-size": "10m", "max-file": "3" } },
  /** Seconds. A server with an empty disk is ready after 16 s (measured). */
  readyTimeout: 120,
  maxParallelClients: 1,
  /**
   * Up to this many servers, agents join all servers. A file with more servers names them, so that growing restarts no
   * agent.
   */
  joinAllUpTo: 3,
  /** The servers that a client agent waits for, unless it is deployed together with its cluster. */
  expectedServers: 1,
  security: "on",
  stage: "strict",
  /** The HTTPS port of an agent that has a certificate. */
  httpsPort: 8501,
  /** Docker's own default (docs.docker.com/engine/security/protect-access). */
  daemonCerts: "~/.docker",
  daemonSocket: "/var/run/docker.sock",
  backups: { every: "1h", keep: 24 },
  metrics: {
    runbooks: "docs/metrics.md",
    thresholds: {
      // Upstream's numbers (developer.hashicorp.com/consul/docs/monitor/telemetry/agent): contact within 200 ms, threads
      // busy for less than half of their time, commits within half of their usual time, memory below 90 %.
      last_contact: 200,
      commit_time: 10,
      commit_time_ratio: 1.5,
      saturation: 0.5,
      memory: 0.9,
      leader_changes: 3,
      certificate_days: 30,
      urgent_certificate_days: 7,
      lock_minutes: 30,
      status_minutes: 60,
      maintenance_minutes: 60,
      backup_intervals: 2,
    },
  },
  registrator: {
    image: "fayrus/registrator:v9.2.0",
    /** As in registrator's own documentation (gliderlabs.github.io/registrator/latest/user/quickstart). */
    container: "registrator",
    internal: false,
    // Without -resync and -cleanup, registrator never notices what starts or ends while its agent restarts.
    resync: 60,
    deregister: "always",
    // Registrator ends when its agent is not up yet, unless it retries.
    retryAttempts: -1,
  },
  /** Arguments that make the Terraform state of one stack different from another's. */
  backend: {
    local: "terraform.{stack}.tfstate",
    s3: "consul/{stack}.tfstate",
    pg: "{stack}",
    cloud: "{stack}",
    gcs: "consul/{stack}",
    azurerm: "consul/{stack}.tfstate",
    oss: "consul/{stack}",
    cos: "consul/{stack}",
    kubernetes: "{stack}",
  },
} as const;

/**
 * A file or folder that only this machine has: in the private folder, or in the project if the file names none. The
 * names are the same in both, so that files can be moved from one to the other.
 */
export const privatePath = (privateFolder: string | undefined, path: string): string =>
  privateFolder === undefined ? path : `${privateFolder}/${path}`;

/** The folder of a cluster's secrets, in the project or its private folder. */
export const secretsFolder = (cluster: string): string => `secrets/${cluster}`;

/** The folder of a cluster's backups on this machine, in the project or its private folder. */
export const backupsFolder = (cluster: string): string => `backups/${cluster}`;

/**
 * How many servers the first bootstrap waits for: a majority of them, and the same for 3 and for 5 servers, so that
 * growing changes no running server.
 */
export const bootstrapServers = (servers: number): number =>
  Math.max(Math.floor(servers / 2) + 1, Math.min(servers, 3));
