import { ConsulHttp } from "./consul";
import { expectUndisturbed, LiveCluster } from "./live-cluster";
import { Project } from "./project";
import { TestBed } from "./test-bed/test-bed";
import { CONSUL_VERSIONS, CURRENT_ENGINE, ENGINES } from "./test-bed/world";

const [NEWEST, OLDER, OLDEST] = CONSUL_VERSIONS;
const RUNS = `Docker Engine ${CURRENT_ENGINE}, image store: containerd`;

describe("all hosts run a current Docker Engine, with containerd's image store", () => {
  const testBed = TestBed.standing();
  let cluster: LiveCluster;

  beforeAll(async () => {
    // The default hosts have one client agent's; the load needs two.
    await testBed.addHost("consul-client2", "172.16.8.111");
    await Promise.all(testBed.hosts.map((host) => host.useEngine(ENGINES.current)));
    // In containerd's store the id of an image is the digest of its list of platforms. Any image stands in for arm64's.
    const digest = await testBed.registry.publishList("hashicorp/consul", { amd64: OLDER, arm64: OLDEST });
    const image = `hashicorp/consul:${OLDER}@${digest}`;
    cluster = await LiveCluster.up(testBed, "current-engine", {
      settings: { image, backups: { every: "5s", keep: 2 } },
    });
  });
  afterAll(async () => {
    await cluster.down();
    await Promise.all(testBed.hosts.map((host) => host.useEngine(ENGINES.debian)));
  });

  test("every daemon tells its version and its image store", async () => {
    const told = await Promise.all(testBed.hosts.map((host) => host.runningEngine()));
    expect(told).toEqual(testBed.hosts.map(() => RUNS));
  });

  test("the plan after the first deploy, of an image for several platforms, is empty", async () => {
    for (const name of cluster.agentNames) expect(await cluster.consulVersion(name)).toBe(`Consul v${OLDER}`);
    expect((await cluster.diff()).stdout).toContain("No changes.");
  });

  test("an upgrade of all agents loses no write, no session and no service", async () => {
    cluster.file.image = `hashicorp/consul:${NEWEST}`;
    const seen = await cluster.during(() => cluster.npmDeploy());
    expectUndisturbed(seen);
    for (const name of cluster.agentNames) expect(await cluster.consulVersion(name)).toBe(`Consul v${NEWEST}`);
    await cluster.expectSound(seen);
  });

  test("a snapshot is saved and restored", async () => {
    const api = cluster.api("consul-server1");
    const npm = async (...args: string[]) =>
      JSON.parse((await cluster.project.run("npm", ["run", "-s", ...args, "--json"], { env: cluster.env })).stdout);
    await api.put("/v1/kv/app/kept", "yes");
    const { saved } = await npm("backup", "--");
    await api.put("/v1/kv/app/later", "no");
    await npm("restore", "--", saved, "--auto-approve");
    expect(await api.json("/v1/kv/app/?keys")).toEqual(["app/kept"]);
  });

  test("destroy leaves no container, and keeps the data", async () => {
    await cluster.project.destroy({ env: cluster.env });
    for (const name of cluster.agentNames) {
      expect((await cluster.docker(name, "ps", "-aq")).stdout).toBe("");
      expect((await cluster.docker(name, "volume", "ls", "-q")).stdout).toContain(`${name}-data\n`);
    }
  });
});

describe("the local cluster, on a current Docker Engine with containerd's image store", () => {
  const testBed = TestBed.standing();
  const project = new Project(testBed.local, "clusters/local.yaml");

  beforeAll(async () => {
    await testBed.localHost.useEngine(ENGINES.current);
  });
  afterAll(async () => {
    await testBed.localHost.useEngine(ENGINES.debian);
    project.remove();
  });

  test("ports are published, the second plan is empty, and destroy leaves no container", async () => {
    expect(await testBed.localHost.runningEngine()).toBe(RUNS);
    await project.npmDeploy();
    for (const port of [8500, 8501, 8502, 8503]) {
      const agent = new ConsulHttp(testBed.local.machine, `http://127.0.0.1:${port}`);
      expect(await agent.json("/v1/status/peers")).toHaveLength(3);
    }
    expect((await project.cdktf(["diff"])).stdout).toContain("No changes.");
    await project.destroy();
    expect((await testBed.localHost.docker("ps", "-aq")).stdout).toBe("");
  });
});
