import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { eventually } from "./consul";
import { expectUndisturbed, LiveCluster, SECURED } from "./live-cluster";
import type { CommandOptions, CommandResult } from "./test-bed/command";
import { TestBed } from "./test-bed/test-bed";
import { CONSUL_VERSIONS } from "./test-bed/world";

const [NEWEST, OLDER, OLDEST] = CONSUL_VERSIONS;
const FIRST = "consul-client1";

describe.each(["on", "off"] as const)("npm run upgrade, with security %s", (security) => {
  const testBed = TestBed.standing();
  let cluster: LiveCluster;

  beforeAll(async () => {
    const image = `hashicorp/consul:${OLDEST}`;
    const settings = security === "on" ? { security: SECURED, image } : { image };
    cluster = await LiveCluster.up(testBed, `upgrading-${security}`, { security, settings });
    // As a person writes it.
    const text = stringify(JSON.parse(JSON.stringify(cluster.file)));
    writeFileSync(clusterFile(), text.replace(/^image: .*$/m, `image: "hashicorp/consul:${OLDEST}"   # see runbook`));
  });
  afterAll(() => cluster.down());

  const clusterFile = () => join(cluster.project.folder, cluster.project.clusterFile);
  const file = () => readFileSync(clusterFile(), "utf8");
  const upgrade = (words: readonly string[], options: CommandOptions = {}): Promise<CommandResult> =>
    cluster.project.run("npm", ["run", "-s", "upgrade", "--", ...words], {
      timeoutMs: 480_000,
      ...options,
      env: cluster.env,
    });
  const versions = async () => {
    const found = cluster.agentNames.map(async (name) => [name, await cluster.consulVersion(name)]);
    return Object.fromEntries(await Promise.all(found));
  };
  const all = (version: string) => Object.fromEntries(cluster.agentNames.map((name) => [name, `Consul v${version}`]));

  test("shows its steps, and changes nothing", async () => {
    const before = file();
    const touched = await cluster.touchedBy(async () => {
      const { stdout } = await upgrade([OLDER, "--dry-run"]);
      expect(stdout).toContain(`from Consul ${OLDEST} to ${OLDER}`);
      expect(stdout).toMatch(/1\. save a snapshot to backups\//);
      expect(stdout).toMatch(/2\. clusters\/upgrading.*: image: hashicorp\/consul:\S+ -> hashicorp\/consul:/);
      expect(stdout).toContain(`3. deploy ${FIRST} alone`);
    });
    expect([touched, file()]).toEqual([[], before]);
  });

  test("a host that goes off after the first client agent stops it; it goes on when the host is back", async () => {
    const leader = await cluster.leader();
    const [off = ""] = cluster.serverNames.filter((name) => name !== leader);
    const seen = await cluster.during(async () => {
      const begun = upgrade([OLDER, "--auto-approve"], { check: false });
      await eventually(async () => expect(await cluster.consulVersion(FIRST)).toBe(`Consul v${OLDER}`), 180);
      await testBed.host(off).powerOff();
      const stopped = await begun;
      expect([stopped.exitCode, await cluster.consulVersion(leader)]).toEqual([1, `Consul v${OLDEST}`]);
      const again = await upgrade([OLDER, "--auto-approve"], { check: false });
      expect(again).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining("the cluster has to be healthy first"),
      });
      await testBed.host(off).ensureUp();
      await cluster.expectWhole();
      const { stdout } = await upgrade([OLDER, "--auto-approve"]);
      expect(stdout).toContain(`all agents run Consul ${OLDER}`);
    });
    expectUndisturbed(seen);
    expect(await versions()).toEqual(all(OLDER));
    await cluster.expectSound(seen);
  });

  test("one client agent is upgraded first, then the rest, without a lost write; the file keeps its comment", async () => {
    const before = file();
    const seen = await cluster.during(async () => {
      const { stdout } = await upgrade([NEWEST, "--auto-approve", "--json"]);
      const result = JSON.parse(stdout);
      expect(result).toMatchObject({ from: [OLDER], to: NEWEST, first: FIRST, upgraded: true });
      expect(existsSync(join(cluster.project.folder, result.backup))).toBe(true);
    });
    expectUndisturbed(seen);
    expect(await versions()).toEqual(all(NEWEST));
    expect(file()).toBe(before.replace(`"hashicorp/consul:${OLDER}"`, `"hashicorp/consul:${NEWEST}"`));
    expect(file()).toContain("   # see runbook");
    await cluster.expectSound(seen);
  });

  test("there is nothing to do any more, and no way back to an older version", async () => {
    const before = file();
    const touched = await cluster.touchedBy(async () => {
      expect((await upgrade([NEWEST, "--auto-approve"])).stdout).toContain(`all agents run Consul ${NEWEST}`);
      const denied = await upgrade([OLDER, "--auto-approve"], { check: false });
      expect(denied).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("which has written its data") });
    });
    expect([touched, file()]).toEqual([[], before]);
  });
});
