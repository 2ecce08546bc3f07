import { eventually } from "../consul";
import type { LiveCluster } from "../live-cluster";
import type { Random } from "../random";

/**
 * So many servers are down that the quorum is lost: a deploy touches none of the others, and says why. Once started,
 * the servers continue.
 */
export async function quorumDown(cluster: LiveCluster, random: Random): Promise<void> {
  const down: string[] = [];
  while (down.length <= (cluster.serverNames.length - 1) / 2)
    down.push(random.pick(cluster.serverNames.filter((name) => !down.includes(name))));
  const left = cluster.serverNames.filter((name) => !down.includes(name));
  const seen = await cluster.during(async () => {
    // Docker does not restart a container that was killed by hand.
    await Promise.all(down.map((name) => cluster.docker(name, "kill", name)));
    const before = await cluster.incarnations();
    cluster.changeAll();
    cluster.write();
    const stack = cluster.file.name;
    await cluster.project.cdktf(["synth"]);
    for (const name of left) {
      const only = ["apply", "-auto-approve", "-input=false", "-no-color", `-target=docker_container.${name}`];
      const { exitCode, stdout, stderr } = await cluster.project.terraform(stack, only, { check: false });
      expect(exitCode).not.toBe(0);
      expect(stdout + stderr).toContain("this server knows no leader");
    }
    const after = await cluster.incarnations();
    for (const name of left) expect({ name, is: after[name] }).toEqual({ name, is: before[name] });
    await Promise.all(down.map((name) => cluster.docker(name, "start", name)));
    await eventually(
      async () => expect(await cluster.api(left[0] as string).json("/v1/status/leader")).not.toBe(""),
      60,
    );
    await cluster.expectWhole();
    await cluster.deploy();
  });
  await cluster.expectSound(seen);
}
