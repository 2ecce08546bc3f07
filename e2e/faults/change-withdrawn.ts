import { expectUndisturbed, type LiveCluster } from "../live-cluster";
import { pause } from "../pause";

/**
 * A deploy is killed while servers wait for the deploy lock, and the change is reverted. The pre-stop checks still run
 * in the containers, although no deploy waits for them, and may acquire a lock that no readiness check releases: the
 * documented recovery releases it.
 */
export async function changeWithdrawn(cluster: LiveCluster): Promise<void> {
  const { config, ready_timeout } = cluster.file;
  // A pre-stop check waits for the lock this long, and half a minute more.
  cluster.file.ready_timeout = 20;
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
    Object.assign(cluster.file, { config, ready_timeout });
    await cluster.recover();
    await pause(20 + 30 + 10);
    await cluster.recover();
  });
  expectUndisturbed(seen);
  await cluster.expectSound(seen);
}
