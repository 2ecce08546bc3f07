import { join } from "node:path";
import { defineCluster } from "../../../cluster/define";
import { loadCluster } from "../../../cluster/file/load";
import type { ClusterFile } from "../../../cluster/file/schema";
import type { Cluster } from "../../../cluster/model";
import { type Graph, graphOf } from "../../../ops/diagram/graph";
import { withStates } from "../../../ops/status/graph-states";
import { statusOf } from "../../../ops/status/status";
import { PROJECT } from "../../cluster-files";
import { CLUSTERS } from "../../repository-files";
import { type MadeSurvey, STOPPED, surveyOf } from "../status/surveys";

/** Cluster files of this project, which are drawn in full. */
export const FILES = [...CLUSTERS, "e2e/clusters/racks.yaml", "e2e/clusters/daemons.yaml"];

export const clusterOf = (file: string): Cluster => loadCluster(join(PROJECT, file));

/** Three servers and many clients, each on a host of its own. */
export function manyClients(clients: number, group: (client: number) => string | undefined = () => undefined): Cluster {
  const names = Array.from({ length: clients }, (_, index) => `web${index}`);
  const file: ClusterFile = {
    name: "many",
    daemon: "ssh://root@{address}",
    hosts: {
      ...{ server1: "10.1.0.1", server2: "10.1.0.2", server3: "10.1.0.3" },
      ...Object.fromEntries(
        names.map((name, index) => [name, { address: `10.9.${index >> 8}.${index & 255}`, group: group(index) }]),
      ),
    },
    servers: ["server1", "server2", "server3"],
    clients: names,
  };
  return defineCluster(file);
}

/** Five servers, agents that share hosts, clients that join others than most, an address of no agent, a host without agents; in stacks, and in one. */
export function varied(grouped: boolean): Cluster {
  const host = (address: string, group: string) => (grouped ? { address, group } : address);
  const webs = Array.from({ length: 20 }, (_, index) => `web${index}`);
  return defineCluster({
    name: "varied",
    daemon: "ssh://root@{address}",
    hosts: {
      ...{
        s1: host("10.0.0.1", "a"),
        s2: host("10.0.0.2", "b"),
        s3: host("10.0.0.3", "c"),
        s4: "10.0.0.4",
        s5: host("10.0.0.5", "a"),
      },
      ...{ idle: "10.0.0.6", both: host("10.0.0.7", "b"), own: "10.0.0.8", other: host("10.0.0.9", "web") },
      ...Object.fromEntries(webs.map((name, index) => [name, host(`10.1.0.${index}`, `web${index % 3}`)])),
    },
    servers: ["s1", "s2", "s3", "s4", "s5"],
    clients: [
      ...webs,
      { name: "both1", host: "both" },
      { name: "both2", host: "both", ports: { serf_lan: 9301, http: 9500, https: 9501, dns: 9600 } },
      { name: "own", join: ["s1", "consul.example.com"] },
      { name: "other", join: ["s5"], decommission: true },
    ],
    join: ["s1", "s2", "s3"],
  });
}

/** A cluster as it is: some of it ill, a host silent. */
export function lookedAt(cluster: Cluster, made: MadeSurvey): Graph {
  return withStates(graphOf(cluster), statusOf(cluster, surveyOf(cluster, made)));
}

/** Every cluster file of this project, and clusters of all sorts. */
export const ofAllSorts = (): [string, Graph][] => [
  ...FILES.map((file): [string, Graph] => [file, graphOf(clusterOf(file))]),
  ["of all sorts, in stacks", graphOf(varied(true))],
  ["of all sorts, in one stack", graphOf(varied(false))],
  [
    "of all sorts, looked at",
    lookedAt(varied(true), { silent: { both: "no answer" }, agents: { s2: STOPPED, web3: STOPPED } }),
  ],
];

/** 1000 hosts: all in one stack, 25 to a stack, and each in one of its own. */
export const thousands = (): [string, Graph][] => [
  ["1000 hosts in one stack", graphOf(manyClients(997))],
  ["1000 hosts in racks", graphOf(manyClients(997, (client) => `rack${Math.floor(client / 25)}`))],
  ["1000 hosts each in a stack of its own", graphOf(manyClients(997, (client) => `host${client}`))],
];
