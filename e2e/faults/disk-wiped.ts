import { expectElection, expectUndisturbed, type LiveCluster } from "../live-cluster";
import type { Random } from "../random";

/**
 * A server loses its container and its disk before a change of all agents: the deploy recreates it, waits until it is
 * a voter, then continues.
 */
export async function diskWiped(cluster: LiveCluster, random: Random): Promise<void> {
  const server = random.pick(cluster.serverNames);
  const led = server === (await cluster.leader());
  cluster.changeAll();
  const seen = await cluster.during(async () => {
    await cluster.docker(server, "rm", "--force", server);
    await cluster.docker(server, "volume", "rm", `${server}-data`);
    const { stdout } = await cluster.deploy();
    expect(stdout).toContain(`${server}: ready, a voter`);
    // It has no deploy lock. So its readiness check, and the check of another server, see it as a voter at the same time.
    const { length } = cluster.serverNames;
    for (const other of cluster.serverNames.filter((name) => name !== server)) {
      expect(stdout).toContain(`${other}: stop allowed: ${length - 1} of ${length} voters are healthy without it`);
    }
  });
  if (led) expectElection(seen);
  else expectUndisturbed(seen);
  await cluster.expectSound(seen);
}
