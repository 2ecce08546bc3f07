import { expectUndisturbed, type LiveCluster } from "../live-cluster";
import type { Random } from "../random";

/**
 * One server gets a flag that Consul rejects, in a change of all agents: the others are not stopped, and the fixed
 * file completes the change.
 */
export async function badFlag(cluster: LiveCluster, random: Random): Promise<void> {
  const server = random.pick(cluster.serverNames);
  const good = cluster.file.servers;
  cluster.changeAll();
  const seen = await cluster.during(async () => {
    cluster.file.servers = good.map((agent) => (agent === server ? { name: server, flags: ["-no-such-flag"] } : agent));
    cluster.file.ready_timeout = 20;
    const failed = await cluster.deploy({ check: false });
    expect(failed.exitCode).not.toBe(0);
    for (const other of cluster.serverNames.filter((name) => name !== server)) {
      expect(await cluster.api(other).json("/v1/status/leader")).toMatch(/:8300$/);
    }
    cluster.file.servers = good;
    cluster.file.ready_timeout = 60;
    await cluster.deploy();
  });
  expectUndisturbed(seen);
  await cluster.expectSound(seen);
}
