import type { LiveCluster } from "../live-cluster";
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
  expect(seen.users.sessionLosses).toBe(0);
  expect(seen.servers.mostDown).toBeLessThan(2);
  // Nobody handed anything over, so a write, and its second try, may come while there is no leader: an election, and no more, 1 to 3 s with
  // raft_multiplier 1. What was acknowledged is never lost.
  expect(seen.users.longestGap).toBeLessThan(6);
  await cluster.expectSound(seen);
}
