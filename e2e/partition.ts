import type { ClusterFile } from "../cluster/file/schema";
import type { TestBed } from "./test-bed/test-bed";

/** Disconnects an agent's host from all other hosts of its cluster only: the operator still reaches its daemon. */
export async function cutOff(testBed: TestBed, agent: string, hosts: ClusterFile["hosts"]): Promise<void> {
  const others = Object.entries(hosts).flatMap(([name, address]) => (name === agent ? [] : [String(address)]));
  for (const address of others) {
    await testBed.host(agent).run("iptables", ["-A", "INPUT", "-s", address, "-j", "DROP"]);
    await testBed.host(agent).run("iptables", ["-A", "OUTPUT", "-d", address, "-j", "DROP"]);
  }
}

export async function reconnect(testBed: TestBed, agent: string): Promise<void> {
  await testBed.host(agent).run("iptables", ["-F"]);
}
