import { join } from "node:path";
import { type Cluster, defineCluster } from "../../../cluster/cluster";
import { loadCluster } from "../../../cluster/load";
import type { ClusterFile } from "../../../cluster/schema";
import { PROJECT } from "../../cluster-files";

/** Cluster files of this project, which are drawn in full. */
export const FILES = [
  "clusters/seed.yaml",
  "clusters/production.yaml",
  "clusters/local.yaml",
  "e2e/clusters/racks.yaml",
  "e2e/clusters/daemons.yaml",
];

export const clusterOf = (file: string): Cluster => loadCluster(join(PROJECT, file));

/** Three servers and many clients, each on a host of its own. */
export function manyClients(clients: number, group: (client: number) => string | undefined = () => undefined): Cluster {
  const names = Array.from({ length: clients }, (_, index) => `web${index}`);
  const file: ClusterFile = {
    name: "many",
    daemon: "ssh://root@{address}",
    hosts: {
      ...{ server1: "10.1.0.1", server2: "10.1.0.2", server3: "10.1.0.3" },
      ...Object.fromEntries(names.map((name, index) => [name, { address: `10.9.${index >> 8}.${index & 255}`, group: group(index) }])),
    },
    servers: ["server1", "server2", "server3"],
    clients: names,
  };
  return defineCluster(file);
}

/** 1000 hosts: all in one stack, 25 to a stack, and each in one of its own. */
export const THOUSANDS: readonly [string, Cluster][] = [
  ["in one stack", manyClients(997)],
  ["in racks", manyClients(997, (client) => `rack${Math.floor(client / 25)}`)],
  ["each in a stack of its own", manyClients(997, (client) => `host${client}`)],
];
