import { expectUndisturbed, type LiveCluster } from "../live-cluster";
import { pause } from "../pause";

/**
 * A deploy is killed while servers wait for their turn, and the change is taken back. In the containers the questions go on, though nobody waits for their
 * answers, and may take a lock that no gate gives back: what is documented gives it back.
 */
export async function changeWithdrawn(cluster: LiveCluster): Promise<void> {
  const { config, wait } = cluster.file;
  // A question waits for its turn so long, and half a minute.
  cluster.file.wait = 20;
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
    Object.assign(cluster.file, { config, wait });
    await cluster.recover();
    await pause(20 + 30 + 10);
    await cluster.recover();
  });
  expectUndisturbed(seen);
  await cluster.expectSound(seen);
}
