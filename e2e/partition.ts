import type { LiveCluster } from "./live-cluster";

/** Disconnects an agent's host from all other hosts of its cluster only: the operator still reaches its daemon. */
export async function cutOff(cluster: LiveCluster, agent: string): Promise<void> {
  const others = Object.entries(cluster.file.hosts).flatMap(([name, address]) =>
    name === agent ? [] : [String(address)],
  );
  for (const address of others) {
    await cluster.testBed.host(agent).run("iptables", ["-A", "INPUT", "-s", address, "-j", "DROP"]);
    await cluster.testBed.host(agent).run("iptables", ["-A", "OUTPUT", "-d", address, "-j", "DROP"]);
  }
}

export async function reconnect(cluster: LiveCluster, agent: string): Promise<void> {
  await cluster.testBed.host(agent).run("iptables", ["-F"]);
}
