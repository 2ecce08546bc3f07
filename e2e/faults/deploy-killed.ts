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
/** Terraform logs the start and the end of each resource: steps that do not depend on how busy the machine is. */
const STEP = /: (Destroying|Creating)\.\.\.|: (Destruction|Creation) complete/g;
/**
 * Steps in a change of five agents: each has a container, a readiness check and its services, then there is the last
 * step, and each of these is destroyed and created.
 */
const STEPS = 64;

/**
 * A deploy that replaces all agents is killed at a random moment: after the documented recovery the change is
 * complete.
 */
export async function deployKilled(cluster: LiveCluster, random: Random): Promise<void> {
  const steps = Math.floor(random.next() * STEPS);
  const seconds = random.next();
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
  // A client agent that was stopped, and not yet started, is missing until the recovery, and so is a session of its
  // node.
  expect(seen.servers.mostDown).toBeLessThan(2);
  await cluster.expectSound(seen);
}
