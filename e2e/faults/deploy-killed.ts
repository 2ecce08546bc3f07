import { eventually } from "../consul";
import type { LiveCluster } from "../live-cluster";
import { pause } from "../pause";
import type { Random } from "../random";
import type { RunningCommand } from "../test-bed/command";

/** Ways in which a deploy ends by SIGKILL. */
const KILLS = {
  "the command and its process group": (deploy: RunningCommand) => deploy.signal("SIGKILL"),
  "terraform alone": (_deploy: RunningCommand, cluster: LiveCluster) => {
    for (const pid of cluster.applying()) process.kill(pid, "SIGKILL");
  },
  "everything, as the operator's machine does": (deploy: RunningCommand) => deploy.killAll(),
};
/** How a deploy is started, and what tells its steps, which do not depend on how busy the machine is. */
interface Way {
  readonly start: (cluster: LiveCluster) => RunningCommand;
  readonly step: RegExp;
  /** In a change of five agents. */
  readonly steps: number;
}

/**
 * Terraform logs the start and the end of each resource: each agent has a container, a readiness check and its services,
 * then there is the last step, and each of these is destroyed and created.
 */
export const CDKTF: Way = {
  start: (cluster) => cluster.startDeploy(),
  step: /: (Destroying|Creating)\.\.\.|: (Destruction|Creation) complete/g,
  steps: 64,
};
/** Five phases of each agent. */
export const NPM: Way = {
  start: (cluster) => cluster.startNpmDeploy(),
  step: /^[\w-]+: (waiting|stopping|stopped|starting|ready, .*)$/gm,
  steps: 25,
};

/**
 * A deploy that replaces all agents is killed at a random moment: after the documented recovery the change is
 * complete.
 */
export async function deployKilled(cluster: LiveCluster, random: Random, way = CDKTF): Promise<void> {
  const steps = Math.floor(random.next() * way.steps);
  const seconds = random.next();
  const victim = random.pick(Object.keys(KILLS) as (keyof typeof KILLS)[]);
  cluster.changeAll();
  cluster.write();
  const seen = await cluster.during(async () => {
    const deploy = way.start(cluster);
    await cluster.untilApplying(deploy);
    let ended = false;
    void deploy.finished.then(() => {
      ended = true;
    });
    while (!ended && (deploy.stdout.match(way.step) ?? []).length < steps) await pause(0.05);
    await pause(seconds);
    process.stderr.write(
      `    ${ended ? "after the end" : `${steps} steps and ${seconds.toFixed(1)} s into the apply`}: SIGKILL to ${victim}\n`,
    );
    KILLS[victim](deploy, cluster);
    await deploy.finished;
    // Without npm run deploy, Terraform completes what it has begun.
    if (way === NPM) await eventually(async () => expect(cluster.applying()).toEqual([]), 180);
    await cluster.recover();
  });
  // A client agent that was stopped, and not yet started, is missing until the recovery, and so is a session of its
  // node.
  expect(seen.servers.mostDown).toBeLessThan(2);
  await cluster.expectSound(seen);
}
