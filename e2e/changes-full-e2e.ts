import { expectUndisturbed, LiveCluster } from "./live-cluster";
import { TestBed } from "./test-bed/test-bed";

describe("changes that a deploy rejects, or makes one server at a time", () => {
  const testBed = TestBed.standing();
  let cluster: LiveCluster;

  beforeAll(async () => {
    cluster = await LiveCluster.up(testBed, "changing", { settings: { ready_timeout: 120 } });
  });
  afterAll(() => cluster.down());

  test("an image that does not exist stops no agent", async () => {
    cluster.file.image = "hashicorp/consul:0.0.0";
    const seen = await cluster.during(async () => {
      const touched = await cluster.touchedBy(async () => {
        const { exitCode, stdout, stderr } = await cluster.deploy({ check: false });
        expect(exitCode).not.toBe(0);
        expect(stdout + stderr).toContain("hashicorp/consul:0.0.0");
      });
      expect(touched).toEqual([]);
    });
    expect(seen.users.failed).toBe(0);
    cluster.file.image = undefined;
  });

  test("all servers get new names one after the other: each one's pre-stop check uses its old name", async () => {
    const old = cluster.file.servers;
    cluster.file.servers = cluster.serverNames.map((name) => ({ name, node: `${name}-new`, container: `${name}-new` }));
    const seen = await cluster.during(async () => {
      const { stdout } = await cluster.deploy();
      for (const name of cluster.serverNames)
        expect(stdout).toContain(`${name}: stop allowed: 2 of 3 voters are healthy without it, 2 are needed`);
      cluster.file.servers = old;
      await cluster.deploy();
    });
    expectUndisturbed(seen);
    await cluster.expectSound(seen);
  });

  test("a server that is down is replaced first, and the others after it", async () => {
    const down = "consul-server3";
    await cluster.docker(down, "stop", down);
    cluster.changeAll();
    const seen = await cluster.during(() => cluster.deploy());
    expectUndisturbed(seen);
    await cluster.expectSound(seen);
  });

  test("destroy without consent stops one server at most; with consent, it removes all containers", async () => {
    // The other servers' pre-stop checks wait for the one that was stopped: as long as its own check and its start may
    // take.
    const { exitCode, stdout } = await cluster.project.cdktf(["destroy", "--auto-approve"], {
      check: false,
      timeoutMs: 420_000,
    });
    expect(exitCode).not.toBe(0);
    expect(stdout).toContain("not stopped");
    const running = await Promise.all(
      cluster.serverNames.map(async (name) => ((await cluster.docker(name, "ps", "-q")).stdout.trim() ? name : "")),
    );
    const left = running.filter(Boolean);
    expect(left.length).toBeGreaterThanOrEqual(2);
    expect(await cluster.api(left[0] as string).json("/v1/status/leader")).toMatch(/:8300/);
    await cluster.project.destroy();
    for (const host of testBed.hosts) expect((await host.docker("ps", "-aq")).stdout).toBe("");
  });
});
