import { ConsulHttp } from "./consul";
import { Project } from "./project";
import { Rig } from "./rig/rig";

describe("the article's cluster with OpenTofu", () => {
  const rig = Rig.standing((line) => process.stderr.write(`${line}\n`));
  const project = new Project(rig.operator, "clusters/seed.yaml");
  const env = { TERRAFORM_BINARY_NAME: "tofu" };

  beforeAll(async () => {
    await rig.reset();
    await rig.opentofu();
  }, 900_000);
  afterAll(() => project.remove());

  test("cdktf deploy brings it up, and a second plan is empty", async () => {
    const { stdout } = await project.deploy({ env });
    expect(stdout).toContain("voters: consul-server1 consul-server2 consul-server3");
    const http = new ConsulHttp(rig.operator.machine, "http://172.16.8.110:8500");
    expect(await http.json("/v1/status/peers")).toHaveLength(3);
    expect((await project.cdktf(["diff"], { env })).stdout).toContain("No changes.");
  });

  test("cdktf destroy leaves no container", async () => {
    await project.destroy({ env });
    for (const host of rig.hosts) expect((await host.docker("ps", "-aq")).stdout).toBe("");
  });
});
