import { expectUndisturbed, type LiveCluster } from "../live-cluster";
import { pause } from "../pause";
import type { Random } from "../random";
import type { RunningCommand } from "../rig/command";

/** Ways in which a deploy ends by SIGKILL. */
const KILLS = {
  "the CDKTF CLI and its process group": (deploy: RunningCommand) => deploy.signal("SIGKILL"),
  "terraform alone": (_deploy: RunningCommand, cluster: LiveCluster) => {
    for (const pid of cluster.applying()) process.kill(pid, "SIGKILL");
  },
  "everything, as the operator's machine does": (deploy: RunningCommand) => deploy.killAll(),
};
/** A rolling change of all agents takes about this long, from Terraform's start. */
const ROLLING_SECONDS = 20;

/** A deploy that replaces all agents is killed at a random moment: after the documented recovery all is as if it had not been. */
export async function deployKilled(cluster: LiveCluster, random: Random): Promise<void> {
  const moment = random.next() * ROLLING_SECONDS;
  const victim = random.pick(Object.keys(KILLS) as (keyof typeof KILLS)[]);
  cluster.changeAll();
  cluster.write();
  const seen = await cluster.during(async () => {
    const deploy = cluster.startDeploy();
    await cluster.untilApplying(deploy);
    await Promise.race([pause(moment), deploy.finished]);
    process.stderr.write(`    ${moment.toFixed(1)} s into the apply: SIGKILL to ${victim}\n`);
    KILLS[victim](deploy, cluster);
    await deploy.finished;
    await cluster.recover();
  });
  expectUndisturbed(seen);
  await cluster.expectSound(seen);
}
