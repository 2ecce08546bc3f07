import type { LiveCluster } from "../live-cluster";
import { pause } from "../pause";
import type { Random } from "../random";

/**
 * A server's host loses its network while a deploy replaces the others, and gets it back: no other server is stopped
 * meanwhile.
 */
export async function hostCutOff(cluster: LiveCluster, random: Random): Promise<void> {
  cluster.changeAll();
  cluster.write();
  const seen = await cluster.during(async () => {
    const before = await cluster.incarnations();
    const deploy = cluster.startDeploy();
    const replaced = await firstReplaced(deploy, cluster.serverNames);
    const cutOff = random.pick(cluster.serverNames.filter((name) => name !== replaced));
    process.stderr.write(`    ${replaced} is replaced, ${cutOff} is cut off\n`);
    await cluster.testBed.host(cutOff).disconnect();
    await pause(20);
    const meanwhile = await cluster.incarnations();
    process.stderr.write(deploy.stdout);
    for (const name of cluster.serverNames.filter((other) => other !== replaced))
      expect({ name, is: meanwhile[name] }).toEqual({ name, is: before[name] });
    await cluster.testBed.host(cutOff).connect();
    const { exitCode } = await deploy.finished;
    process.stderr.write(`    the interrupted deploy ended with ${exitCode}\n`);
    await cluster.deploy();
  });
  expect(seen.users.lost).toBe(0);
  expect(seen.servers.mostDown).toBeLessThan(2);
  await cluster.expectSound(seen);
}

/** Waits until a deploy has replaced its first server, and returns its name. */
async function firstReplaced(
  deploy: { readonly stdout: string; readonly finished: Promise<unknown> },
  servers: readonly string[],
): Promise<string> {
  for (let tenths = 0; tenths < 1800; tenths++) {
    const first = servers.find((name) => deploy.stdout.includes(`${name}: ready, a voter`));
    if (first) return first;
    await pause(0.1);
  }
  throw new Error(`no server was replaced:\n${deploy.stdout.slice(-2000)}`);
}
