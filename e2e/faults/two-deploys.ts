import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { expectUndisturbed, type LiveCluster } from "../live-cluster";
import { pause } from "../pause";
import type { Random } from "../random";

/**
 * Two deploys of a change of all agents at the same time, on one Terraform state: the second one fails on the state's
 * lock.
 */
export async function twoDeploysOneState(cluster: LiveCluster): Promise<void> {
  cluster.changeAll();
  cluster.write();
  const seen = await cluster.during(async () => {
    const first = cluster.startDeploy();
    await cluster.untilApplying(first);
    const second = await cluster.project.deploy({ check: false });
    expect(second.exitCode).not.toBe(0);
    expect(second.stdout + second.stderr).toContain("Error acquiring the state lock");
    expect((await first.finished).exitCode).toBe(0);
  });
  expectUndisturbed(seen);
  await cluster.expectSound(seen);
}

/**
 * The same by two operators, each with a copy of the Terraform state's file: only the deploy lock in Consul keeps the
 * deploys apart.
 */
export async function twoDeploysTwoStates(cluster: LiveCluster, random: Random): Promise<void> {
  cluster.changeAll();
  cluster.write();
  const second = cluster.colleague();
  copyFileSync(join(cluster.project.folder, cluster.stateFile), join(second.folder, cluster.stateFile));
  const seen = await cluster.during(async () => {
    const deploys = [cluster.startDeploy()];
    await pause(random.next() * 10);
    deploys.push(cluster.startDeploy(second));
    const ends = await Promise.all(deploys.map(({ finished }) => finished));
    for (const [index, { exitCode, stdout }] of ends.entries())
      process.stderr.write(`    deploy ${index + 1}: ${exitCode} ${errorsIn(stdout)}\n`);
    await cluster.recover();
  });
  second.remove();
  expectUndisturbed(seen);
  await cluster.expectSound(seen);
}

/** An operator without the Terraform state deploys a cluster that runs already: no agent is touched. */
export async function deployWithoutState(cluster: LiveCluster): Promise<void> {
  cluster.write();
  const second = cluster.colleague();
  const seen = await cluster.during(async () => {
    const touched = await cluster.touchedBy(async () => {
      const { exitCode, stdout } = await second.deploy({ check: false });
      expect(exitCode).not.toBe(0);
      expect(stdout).toContain("already in use by container");
    });
    expect(touched).toEqual([]);
  });
  second.remove();
  expect(seen.users.failed).toBe(0);
  expectUndisturbed(seen);
  await cluster.expectSound(seen);
}

const errorsIn = (stdout: string): string => (stdout.match(/Error: [^\n]*/g) ?? []).join("; ");
