import { readFileSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "./consul";
import { configurationChanged } from "./faults/all-changed";
import { expectUndisturbed, LiveCluster } from "./live-cluster";
import { TestBed } from "./test-bed/test-bed";

describe("with OpenTofu", () => {
  const testBed = TestBed.standing((line) => process.stderr.write(`${line}\n`));
  let cluster: LiveCluster;

  beforeAll(async () => {
    await testBed.opentofu();
    cluster = await LiveCluster.up(testBed, "tofu", { env: { TERRAFORM_BINARY_NAME: "tofu" } });
  }, 1_800_000);
  afterAll(() => cluster.down());

  test("cdktf deploy deploys the cluster, and a second plan is empty", async () => {
    await cluster.expectWhole();
    expect((await cluster.diff()).stdout).toContain("No changes.");
  });

  test("a change replaces all agents one at a time, and users lose nothing", () => configurationChanged(cluster));

  const npm = (...words: string[]) => cluster.project.run("npm", ["run", "-s", ...words], { env: cluster.env });
  /** Expects a rolling change that loses nothing, after which a plan is empty. */
  async function expectRolling(work: () => Promise<unknown>): Promise<void> {
    const seen = await cluster.during(work);
    expectUndisturbed(seen);
    await cluster.expectSound(seen);
  }

  test("a plan is saved, and deployed with events: each agent is replaced and ready", () =>
    expectRolling(async () => {
      cluster.changeAll();
      cluster.write();
      const plans = join(cluster.project.folder, "plans");
      expect((await npm("plan", "--", "--out", plans)).stdout).toContain("-/+ replace");
      const manifest = JSON.parse(readFileSync(join(plans, "manifest.json"), "utf8"));
      expect(manifest.terraform).toMatch(/^OpenTofu v/);
      const { stdout } = await npm("deploy", "--", "--plan", plans, "--json");
      const events = stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
      const ready = events.filter(({ event, phase }) => event === "agent" && phase === "ready");
      expect(new Set(ready.map(({ agent }) => agent))).toEqual(new Set(cluster.agentNames));
      expect(events.slice(0, 2)).toMatchObject([{ event: "plan" }, { event: "approved", by: "saved plan" }]);
      expect(events.at(-1)).toMatchObject({ event: "summary", result: "done", failures: [], saved: true });
    }));

  test("npm run deploy is stopped in good order by Ctrl-C, and the next one does the rest", () =>
    expectRolling(async () => {
      cluster.changeAll();
      cluster.write();
      const touched = await cluster.touchedBy(async () => {
        const deploy = cluster.startNpmDeploy();
        await eventually(async () => expect(deploy.stdout).toMatch(/consul-server\d: stopping\n/), 120);
        deploy.signal("SIGINT");
        const { stdout } = await deploy.finished;
        expect(stdout).toContain("Ctrl-C: no further agent is stopped; what was begun is completed.");
        expect(stdout).not.toContain("stopped, and not ready");
        expect(stdout).toMatch(/\ninterrupted after \d+:\d\d\n/);
      });
      expect(touched.length).toBeGreaterThanOrEqual(1);
      expect(touched.length).toBeLessThanOrEqual(2);
      await cluster.expectWhole();
      await cluster.npmDeploy();
    }));

  test("cdktf destroy leaves no container", async () => {
    await cluster.project.destroy({ env: cluster.env });
    for (const host of testBed.hosts) expect((await host.docker("ps", "-aq")).stdout).toBe("");
  });
});
