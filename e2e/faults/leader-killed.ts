import { expectElection, type LiveCluster } from "../live-cluster";
import { pause } from "../pause";

/** Consul on the leader is killed with SIGKILL: Docker restarts its container. */
export async function leaderKilled(cluster: LiveCluster): Promise<void> {
  const leader = await cluster.leader();
  const seen = await cluster.during(async () => {
    const touched = await cluster.touchedBy(async () => {
      await pause(2);
      // Not `docker kill`, after which Docker treats the container as stopped by hand.
      await cluster.docker(leader, "exec", leader, "sh", "-c", 'kill -KILL "$(pidof consul)"');
      await pause(2);
      await cluster.expectWhole();
    });
    expect(touched).toEqual([leader]);
  });
  expectElection(seen);
  await cluster.expectSound(seen);
}
