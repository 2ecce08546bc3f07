import { leaderKilled } from "./faults/leader-killed";
import { expectNoElection, expectUndisturbed, LiveCluster } from "./live-cluster";
import type { CommandResult } from "./test-bed/command";
import { TestBed } from "./test-bed/test-bed";
import { CONSUL_VERSIONS } from "./test-bed/world";

const [OLDEST, ...UPGRADES] = [...CONSUL_VERSIONS].reverse();

describe("agents are replaced one at a time", () => {
  const testBed = TestBed.standing();
  let cluster: LiveCluster;

  beforeAll(async () => {
    cluster = await LiveCluster.up(testBed, "rolling", { settings: { image: `hashicorp/consul:${OLDEST}` } });
  });
  afterAll(() => cluster.down());

  /** Expects that a change of all agents loses nothing. @returns what the deploy has printed */
  async function expectRolling(deploy: () => Promise<CommandResult>): Promise<string> {
    let stdout = "";
    const seen = await cluster.during(async () => {
      ({ stdout } = await deploy());
      for (const name of cluster.serverNames)
        expect(stdout).toContain(`${name}: stop allowed: 2 of 3 voters are healthy without it, 2 are needed`);
    });
    expectUndisturbed(seen);
    expectNoElection(seen);
    // Measured: 0.3 %.
    expect(seen.users.failed).toBeLessThan(seen.users.written * 0.02);
    await cluster.expectSound(seen);
    return stdout;
  }

  test.each(UPGRADES)(
    "plain cdktf deploy: an upgrade to %s loses no write, no session and no service",
    async (version) => {
      cluster.file.image = `hashicorp/consul:${version}`;
      await expectRolling(() => cluster.deploy());
      for (const name of cluster.agentNames) expect(await cluster.consulVersion(name)).toBe(`Consul v${version}`);
    },
  );

  test("npm run deploy: a change of all agents loses no write, no session and no service", async () => {
    cluster.changeAll();
    const stdout = await expectRolling(() => cluster.npmDeploy());
    for (const name of cluster.agentNames) expect(stdout).toContain(`${name}: starting\n`);
    expect(stdout).toMatch(/\ndone after \d+:\d\d\nlog: logs\/\S+\/deploy-\S+\.log\n$/);
  });

  test.each([
    ["plain cdktf deploy", "deploy"],
    ["npm run deploy", "npmDeploy"],
  ] as const)("%s: a downgrade is denied, and no agent is stopped", async (_, deploy) => {
    const { image } = cluster.file;
    cluster.file.image = `hashicorp/consul:${OLDEST}`;
    const why = await cluster.expectRejected(deploy);
    for (const name of cluster.serverNames) expect(why).toContain(`${name}: not stopped: ${OLDEST} is older than`);
    // The older image is on the hosts now, and in the Terraform state.
    cluster.file.image = image;
    expect(await cluster.touchedBy(() => cluster[deploy]())).toEqual([]);
  });

  test("a leader that is killed recovers by itself", () => leaderKilled(cluster));
});
