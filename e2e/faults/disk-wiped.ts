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
    const rebuilt = stdout.indexOf(`${server}: ready, a voter`);
    expect(rebuilt).toBeGreaterThan(0);
    for (const other of cluster.serverNames.filter((name) => name !== server)) {
      expect(stdout.indexOf(`${other}: stop allowed`)).toBeGreaterThan(rebuilt);
    }
  });
  if (led) expectElection(seen);
  else expectUndisturbed(seen);
  await cluster.expectSound(seen);
}
