import { configurationChanged } from "./faults/all-changed";
import { LiveCluster } from "./live-cluster";
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

  test("cdktf destroy leaves no container", async () => {
    await cluster.project.destroy({ env: cluster.env });
    for (const host of testBed.hosts) expect((await host.docker("ps", "-aq")).stdout).toBe("");
  });
});
