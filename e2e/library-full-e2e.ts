import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Project } from "./project";
import { TestBed } from "./test-bed/test-bed";

const CLUSTER_FILE = "cdktf.out/stacks/mine/cluster.json";
const SERVERS = ["consul-server1", "consul-server2", "consul-server3"] as const;

/** A program of somebody else's, whose stack has a cluster in it. @param change a value that all agents have */
const program = (change: string): string => `import { App, LocalBackend, TerraformOutput, TerraformStack } from "cdktf";
import { EmbeddedCluster } from "./constructs";

const app = new App();
const stack = new TerraformStack(app, "mine");
new LocalBackend(stack, { path: "../../../mine.tfstate" });
new TerraformOutput(stack, "owner", { value: "somebody else" });
stack.addOverride("terraform.required_version", ">= 1.5");
new EmbeddedCluster(stack, {
  name: "mine",
  daemon: "ssh://root@{address}",
  hosts: {
    "consul-server1": "172.16.8.120",
    "consul-server2": "172.16.8.121",
    "consul-server3": "172.16.8.122",
    "consul-client1": "172.16.8.110",
  },
  servers: ["consul-server1", "consul-server2", "consul-server3"],
  clients: ["consul-client1"],
  labels: { change: "${change}" },
  kv: { colour: "blue" },
});
app.synth();
`;

describe("a secured cluster in somebody else's stack", () => {
  const testBed = TestBed.standing();
  const project = new Project(testBed.operator, CLUSTER_FILE);
  const write = (change: string) => writeFileSync(join(project.folder, "mine.ts"), program(change));
  const synth = () => project.run(join(project.folder, "node_modules/.bin/cdktf"), ["synth"]);
  const command = (...args: string[]) => project.run("npm", ["run", "-s", ...args, "--", "--cluster", CLUSTER_FILE]);

  beforeAll(async () => {
    await testBed.reset();
    project.useProgram("mine.ts");
    write("first");
  });
  afterAll(async () => {
    await testBed.reset();
    project.remove();
  });

  test("gets its secrets by the file beside the stack's JSON", async () => {
    await synth();
    const { stdout } = await project.run("npm", ["run", "-s", "secrets", "--", "init", "--cluster", CLUSTER_FILE]);
    expect(stdout).toContain("agents/consul-server1/cert.pem, key.pem: issued");
  });

  test("is deployed by `cdktf deploy`, with the stack's own outputs and state", async () => {
    await project.deploy();
    const { stdout } = await project.run("terraform", [
      "output",
      "-json",
      `-state=${join(project.folder, "mine.tfstate")}`,
    ]);
    expect(JSON.parse(stdout)).toMatchObject({ owner: { value: "somebody else" } });
  });

  test("is what the commands show", async () => {
    const { stdout } = await command("status");
    expect(stdout).toContain("mine · datacenter dc1 · 3 servers and 1 client on 4 hosts · security on");
    expect(stdout).toMatch(/^healthy$/m);
  });

  test("is changed one server at a time, and then has nothing to do", async () => {
    write("second");
    const { stdout } = await project.deploy();
    for (const name of SERVERS)
      expect(stdout).toContain(`${name}: stop allowed: 2 of 3 voters are healthy without it, 2 are needed`);
    expect((await project.cdktf(["diff"])).stdout).toContain("No changes.");
    expect((await command("doctor")).stdout).toContain("nothing is wrong");
  });

  test("is destroyed", async () => {
    await project.destroy();
    const { stdout } = await testBed.host("consul-server1").docker("ps", "-aq");
    expect(stdout.trim()).toBe("");
  });
});
