import * as os from "node:os";
import * as path from "node:path";

/**
 * The test bed's constants, each in one place: folders, addresses, versions.
 */

/** A machine of the test bed: its name, which is also its hostname, and its address on the LAN. */
export interface Machine {
  readonly name: string;
  readonly address: string;
}

/** RIG names a test bed beside the default one: `RIG=b npm run rig up`. Both share only the cache. */
const BESIDE = /^[a-z0-9]{0,4}$/.exec(process.env.RIG ?? "")?.[0];
if (BESIDE === undefined)
  throw new Error(`RIG is ${process.env.RIG}: use up to four small letters and digits, or leave it out`);

/** Everything that the test bed creates: sockets, data-roots, keys, logs. `down` removes it. */
export const RUN_FOLDER = `/var/lib/consul-cdktf-rig${BESIDE}`;

/** The lock with which a suite or benchmark reserves the test bed. */
export const RESERVATION = `reserved${BESIDE}`;

/** Kept by `down`, since it takes minutes to build: binaries, the provider mirror, the registry's content. */
export const CACHE_FOLDER = path.join(
  process.env.XDG_CACHE_HOME || path.join(os.homedir(), ".cache"),
  "consul-cdktf-rig",
);

/** Containers' processes of all hosts run below this control group, so that `down` finds them all. */
export const CGROUP = `consul-cdktf-rig${BESIDE}`;

/** Prefix of every network namespace of the test bed. */
export const NETNS_PREFIX = `rig${BESIDE}-`;

/** The namespace with the bridge, and nothing else. */
export const LAN = `${NETNS_PREFIX}lan`;

/** Length of the network part of every address of the LAN. */
export const LAN_PREFIX_LENGTH = 24;

/** The default hosts, which are the article's. */
export const DEFAULT_HOSTS: readonly Machine[] = [
  { name: "consul-server1", address: "172.16.8.120" },
  { name: "consul-server2", address: "172.16.8.121" },
  { name: "consul-server3", address: "172.16.8.122" },
  { name: "consul-client1", address: "172.16.8.110" },
];

/** The machine that Terraform and the product's own commands run on. */
export const OPERATOR: Machine = { name: "ops", address: "172.16.8.2" };

/** The machine with both registries. */
export const REGISTRY: Machine = { name: "registry", address: "172.16.8.5" };

/** The machine of the local topology: one daemon with Docker's own defaults. */
export const LOCAL: Machine = { name: "local", address: "172.16.8.130" };

/** The Docker Engine of a host. */
export interface Engine {
  /** Debian's own, or the current one, which is built from modules. */
  readonly version: "Debian's" | typeof CURRENT_ENGINE;
  /** Where the daemon stores images. Debian's Engine is too old for containerd's store. */
  readonly imageStore: "overlay2" | "containerd";
}

/**
 * The versions of Prometheus and Alertmanager that are current; Debian's are packages. Prometheus' module calls 3.16.0
 * v0.316.0.
 */
export const CURRENT_PROMETHEUS = "3.16.0";
export const CURRENT_ALERTMANAGER = "0.35.0";

/** The version of the current Docker Engine. */
export const CURRENT_ENGINE = "28.5.2";

const DEBIAN: Engine = { version: "Debian's", imageStore: "overlay2" };
const CURRENT: Engine = { version: CURRENT_ENGINE, imageStore: "containerd" };

/** The Engines of the test bed. The image store of the current one is the default of Docker 29. */
export const ENGINES = { debian: DEBIAN, current: CURRENT } as const;

/** The host whose daemon listens on plain tcp; all others require a client certificate. */
export const PLAIN_TCP_HOST = "consul-client1";

/** Docker's port without TLS. */
export const PLAIN_TCP_PORT = 2375;

/** Docker's port with TLS. */
export const TLS_PORT = 2376;

/** Consul's versions in the registry: the default one, and older ones to upgrade from. */
export const CONSUL_VERSIONS = ["1.22.7", "1.22.2", "1.21.5"] as const;

/** The version under which the Docker provider is offered to Terraform. */
export const PROVIDER_VERSION = "4.6.0";

/** A registry's address as it stands in image references: open to everyone. */
export const OPEN_REGISTRY = `${REGISTRY.address}:5000`;

/** The same images behind a password. */
export const PRIVATE_REGISTRY = `${REGISTRY.address}:5001`;

/** Holds a folder for each machine: its disk. */
export const MACHINES_FOLDER = path.join(RUN_FOLDER, "machines");
