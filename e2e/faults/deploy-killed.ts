import type { LiveCluster } from "../live-cluster";
import { pause } from "../pause";
import type { Random } from "../random";
import type { RunningCommand } from "../test-bed/command";

/** Ways in which a deploy ends by SIGKILL. */
const KILLS = {
  "the CDKTF CLI and its process group": (deploy: RunningCommand) => deploy.signal("SIGKILL"),
  "terraform alone": (_deploy: RunningCommand, cluster: LiveCluster) => {
    for (const pid of cluster.applying()) process.kill(pid, "SIGKILL");
  },
  "everything, as the operator's machine does": (deploy: RunningCommand) => deploy.killAll(),
};
/** What Terraform says of each resource, when it begins and when it is done with it: a clock that a busy machine does not slow down. */
const STEP = /: (Destroying|Creating)\.\.\.|: (Destruction|Creation) complete/g;
/** So many are in a change of five agents: each has a container, a gate and its services, there is the last step, and each of these is destroyed and created. */
const STEPS = 64;

/** A deploy that replaces all agents is killed at a random moment: after the documented recovery all is as if it had not been. */
export async function deployKilled(cluster: LiveCluster, random: Random): Promise<void> {
  const [steps, seconds] = [Math.floor(random.next() * STEPS), random.next()];
  const victim = random.pick(Object.keys(KILLS) as (keyof typeof KILLS)[]);
  cluster.changeAll();
  cluster.write();
  const seen = await cluster.during(async () => {
    const deploy = cluster.startDeploy();
    await cluster.untilApplying(deploy);
    let ended = false;
    void deploy.finished.then(() => {
      ended = true;
    });
    while (!ended && (deploy.stdout.match(STEP) ?? []).length < steps) await pause(0.05);
    await pause(seconds);
    process.stderr.write(
      `    ${ended ? "after the end" : `${steps} steps and ${seconds.toFixed(1)} s into the apply`}: SIGKILL to ${victim}\n`,
    );
    KILLS[victim](deploy, cluster);
    await deploy.finished;
    await cluster.recover();
  });
  // A client that was stopped, and not yet started, is missed until the recovery, and a session of its node with it.
  expect(seen.servers.mostDown).toBeLessThan(2);
  await cluster.expectSound(seen);
}
