import { expectElection, type LiveCluster } from "../live-cluster";
import { pause } from "../pause";

/** Consul on the leader is killed with SIGKILL: its container comes back by itself. */
export async function leaderKilled(cluster: LiveCluster): Promise<void> {
  const leader = await cluster.leader();
  const seen = await cluster.during(async () => {
    const touched = await cluster.touchedBy(async () => {
      await pause(2);
      // Not `docker kill`, after which Docker takes the container for stopped by hand.
      await cluster.docker(leader, "exec", leader, "sh", "-c", 'kill -KILL "$(pidof consul)"');
      await pause(2);
      await cluster.expectWhole();
    });
    expect(touched).toEqual([leader]);
  });
  expectElection(seen);
  await cluster.expectSound(seen);
}
