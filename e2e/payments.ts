import type { ClusterFile } from "../cluster/file/schema";

/** The pages' hosts, at the test bed's addresses. */
export const HOSTS = {
  node1: "172.16.8.120",
  node2: "172.16.8.121",
  node3: "172.16.8.122",
  node4: "172.16.8.123",
  node5: "172.16.8.124",
  web1: "172.16.8.110",
};
/** Their machines. */
export const MACHINES: Readonly<Record<string, string>> = {
  node1: "consul-server1",
  node2: "consul-server2",
  node3: "consul-server3",
  node4: "consul-server4",
  node5: "consul-server5",
  web1: "consul-client1",
};
export const THREE = ["node1", "node2", "node3"];
export const FOUR = [...THREE, "node4"];

/** Their cluster, with its private folder beside the project. */
export const PAYMENTS = { name: "payments", private_folder: "../payments-private" } as const;

/**
 * The cluster file that the pages speak of.
 * @param hosts that it has beside the client agent's
 * @param more further keys
 */
export const paymentsFile = (
  servers: ClusterFile["servers"],
  hosts: readonly string[],
  more: Partial<ClusterFile>,
): ClusterFile => ({
  ...PAYMENTS,
  daemon: "ssh://root@{address}",
  hosts: Object.fromEntries(Object.entries(HOSTS).filter(([name]) => name === "web1" || hosts.includes(name))),
  servers,
  clients: ["web1"],
  join: THREE,
  ...more,
});
