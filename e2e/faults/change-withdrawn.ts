import { expectUndisturbed, type LiveCluster } from "../live-cluster";
import { pause } from "../pause";

/**
 * A deploy is killed while servers wait for their turn, and the change is taken back. In the containers the questions go on, though nobody waits for their
 * answers, and may take a lock that no gate gives back: what is documented gives it back.
 */
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
    await cluster.recover();
  });
  expectUndisturbed(seen);
  await cluster.expectSound(seen);
}
