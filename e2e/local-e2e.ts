import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ConsulHttp, eventually } from "./consul";
import { expectPrinted, Page } from "./page";
import { Project } from "./project";
import { TestBed } from "./test-bed/test-bed";

/** Which server leads, differs. */
const LEADER = /consul-server\d \(172\.30\.86\.\d+:8300\)/;

describe("the local cluster of docs/tutorial.md: one daemon, a bridge network", () => {
  const testBed = TestBed.standing();
  const project = new Project(testBed.local, "clusters/local.yaml");
  const page = Page.open("docs/tutorial.md", project);
  const commands = page.commands("## This machine");
  const [deploy = "", write = "", read = "", destroy = ""] = commands;
  const [deployed = "", written = "", found = "", destroyed = ""] = page.outputs("## This machine");
  const http = (port: number) => new ConsulHttp(testBed.local.machine, `http://127.0.0.1:${port}`);

  beforeAll(() => testBed.localHost.reset());
  afterAll(() => project.remove());

  test("npm run local deploys it, and prints members, leader and the UI's address", async () => {
    // All of them are typed below.
    expect(commands).toHaveLength(4);
    const stdout = await page.type(deploy);
    expectPrinted(deployed.replace(LEADER, "..."), stdout);
    for (const agent of ["consul-server1", "consul-server2", "consul-server3"]) {
      expect(stdout).toMatch(new RegExp(`${agent}\\s+local\\s+[0-9.]+:8301\\s+alive\\s+server`));
    }
    expect(stdout).toMatch(/consul-client1\s+local\s+[0-9.]+:8301\s+alive\s+client/);
    expect(stdout).toMatch(/^leader +consul-server[123] \([0-9.]+:8300\)$/m);
  });

  test("agents are reachable on this machine's loopback only", async () => {
    for (const port of [8500, 8501, 8502, 8503]) expect(await http(port).json("/v1/status/peers")).toHaveLength(3);
    const { exitCode } = await testBed.operator.run(
      "curl",
      ["-s", "-m", "3", `http://${testBed.localHost.address}:8500/v1/status/leader`],
      { check: false },
    );
    expect(exitCode).not.toBe(0);
  });

  test("a registered redis is found by HTTP and by DNS, a failing nginx by neither", async () => {
    await http(8500).put("/v1/agent/service/register", { Name: "redis", Address: "10.1.2.3", Port: 6379 });
    await http(8500).put("/v1/agent/service/register", {
      Name: "nginx",
      Port: 80,
      Check: { TTL: "10m", Status: "critical" },
    });
    await eventually(async () => {
      expect(await http(8501).json("/v1/catalog/service/redis")).toHaveLength(1);
      expect(await http(8502).json("/v1/health/service/nginx?passing")).toEqual([]);
      const { stdout } = await testBed.local.run("dig", ["+short", "@127.0.0.1", "-p", "8600", "redis.service.consul"]);
      expect(stdout.trim()).toBe("10.1.2.3");
    });
  });

  test("a KV value written through one agent is read through another", async () => {
    expectPrinted(written, await page.type(write));
    expectPrinted(found, await page.type(read));
    expect(await http(8503).get("/v1/kv/greeting?raw")).toBe("hello");
  });

  test("a second plan is empty", async () => {
    expect((await project.cdktf(["diff"])).stdout).toContain("No changes.");
  });

  test("agents keep their addresses when they are started in another order, and are healthy soon", async () => {
    const planned = project.synthesized("consul-local").resource.docker_container as Record<
      string,
      { networks_advanced: [{ ipv4_address: string }] }
    >;
    const agents = Object.keys(planned);
    const wanted = agents.map((name) => `${name} ${planned[name]?.networks_advanced[0].ipv4_address}`);
    const format = "{{.Config.Hostname}} {{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
    const addresses = async () =>
      (await testBed.localHost.docker("inspect", "-f", format, ...agents)).stdout.trim().split("\n");
    const [first, ...rest] = agents as [string, ...string[]];

    expect(await addresses()).toEqual(wanted);
    await testBed.localHost.docker("stop", ...agents);
    await testBed.localHost.docker("start", ...rest.reverse(), first);
    await eventually(
      async () =>
        expect(await http(8501).json("/v1/operator/autopilot/health")).toMatchObject({
          Healthy: true,
          FailureTolerance: 1,
        }),
      30,
    );
    expect(await addresses()).toEqual(wanted);
  });

  test("a change replaces all agents, and no trial takes an address that a stopped agent needs", async () => {
    appendFileSync(join(project.folder, "clusters/local.yaml"), "labels: { changed: again }\n");
    // While it happens: a daemon keeps its last 256 events, and health checks make many.
    const connections = testBed.localHost.watch("event=connect", "{{.Actor.ID}}");
    await project.run("npm", ["run", "deploy", "--", "--auto-approve"], { env: { CLUSTER: "clusters/local.yaml" } });
    connections.signal("SIGTERM");
    const { stdout } = await connections.finished;
    // Each of the four new containers once, and no other one.
    expect(stdout.trim().split("\n")).toHaveLength(4);
    expectPrinted(found, await page.type(read));
  });

  test("another subnet is rejected: all agents would have to be stopped first", async () => {
    const file = join(project.folder, "clusters/local.yaml");
    const before = readFileSync(file, "utf8");
    writeFileSync(file, `${before}subnet: 172.30.90.0/24\n`);
    const words = ["run", "deploy", "--", "--auto-approve"];
    const { exitCode, stderr } = await project.run("npm", words, {
      env: { CLUSTER: "clusters/local.yaml" },
      check: false,
    });
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("network-replaced") });
    writeFileSync(file, before);
  });

  test("the cluster comes back after the daemon's restart", async () => {
    await testBed.localHost.restartDaemon();
    await eventually(async () => {
      expect(await http(8500).json("/v1/status/leader")).not.toBe("");
      expectPrinted(found, await page.type(read));
    }, 60);
  });

  test("destroy leaves no container or network, and keeps the data for the next deploy", async () => {
    expectPrinted(destroyed, await page.type(destroy));
    expect((await testBed.localHost.docker("ps", "-aq")).stdout).toBe("");
    expect((await testBed.localHost.docker("network", "ls", "-q", "--filter", "name=consul-local")).stdout).toBe("");
    await project.deploy();
    expect(await http(8501).get("/v1/kv/greeting?raw")).toBe("hello");
    await project.destroy();
  });
});
