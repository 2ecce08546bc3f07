import type { LiveCluster } from "../live-cluster";
import { pause } from "../pause";

/** The power of all hosts fails at once: the cluster recovers by itself, with every acknowledged write. */
export async function allRestarted(cluster: LiveCluster): Promise<void> {
  const hosts = cluster.agentNames.map((name) => cluster.testBed.host(name));
  const seen = await cluster.during(async () => {
    await pause(2);
    await Promise.all(hosts.map((host) => host.powerOff()));
    await pause(2);
    await Promise.all(hosts.map((host) => host.ensureUp()));
    await cluster.expectWhole(90);
    await pause(2);
  });
  await cluster.expectSound(seen);
}
