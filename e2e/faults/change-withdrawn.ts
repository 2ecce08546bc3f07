import { expectUndisturbed, type LiveCluster } from "../live-cluster";
import { pause } from "../pause";

/** A deploy is killed while servers wait for their turn, and the change is taken back: questions that nobody waits for any more take no lock. */
export async function changeWithdrawn(cluster: LiveCluster): Promise<void> {
  const before = cluster.file.config;
  const seen = await cluster.during(async () => {
    cluster.changeAll();
    cluster.write();
    const deploy = cluster.startDeploy();
    let ended = false;
    void deploy.finished.then(() => {
      ended = true;
    });
    while (!ended && !/: waiting: \S+ is being replaced/.test(deploy.stdout)) await pause(0.1);
    deploy.killAll();
    cluster.file.config = before;
    await cluster.recover();
    // Longer than a question would wait for its turn.
    await pause((cluster.file.wait ?? 120) + 40);
    process.stderr.write(`    keys: ${await cluster.api(cluster.serverNames[0] as string).get("/v1/kv/?keys&separator=/")}\n`);
  });
  expectUndisturbed(seen);
  await cluster.expectSound(seen);
}
