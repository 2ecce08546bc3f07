import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { screenshot } from "./browser";
import { ConsulHttp, eventually } from "./consul";
import { Project } from "./project";
import { TestBed } from "./test-bed/test-bed";
import { CURRENT_ENGINE, ENGINES } from "./test-bed/world";

const SERVERS = ["consul-server1", "consul-server2", "consul-server3"];
const AGENTS = [...SERVERS, "consul-client1"];

describe("the article's cluster, by plain cdktf", () => {
  const testBed = TestBed.standing();
  const project = new Project(testBed.operator, "clusters/seed.yaml");
  const client = new ConsulHttp(testBed.operator.machine, "http://172.16.8.110:8500");
  const server = (number: number) => new ConsulHttp(testBed.operator.machine, `http://172.16.8.12${number - 1}:8500`);

  beforeAll(async () => {
    await testBed.reset();
    // One host has a current Docker Engine, with Docker 29's default image store; the others have one of 2020.
    await testBed.host("consul-server1").useEngine(ENGINES.current);
  });
  afterAll(async () => {
    await testBed.host("consul-server1").useEngine(ENGINES.debian);
    project.remove();
  });

  test("one of the hosts has a current Docker Engine, with containerd's image store", async () => {
    const told = await Promise.all(AGENTS.map((agent) => testBed.host(agent).runningEngine()));
    expect(told).toEqual([
      `Docker Engine ${CURRENT_ENGINE}, image store: containerd`,
      ...AGENTS.slice(1).map(() => expect.stringMatching(/^Docker Engine 20\..*, image store: overlay2$/)),
    ]);
  });

  test("the plan lists what cdktf deploy will create", async () => {
    await project.cdktf(["synth"]);
    await project.terraform("consul", ["init", "-input=false"]);
    expect(await project.plannedActions("consul")).toMatchSnapshot();
  });

  test("cdktf diff shows the same", async () => {
    const { stdout } = await project.cdktf(["diff"]);
    expect(stdout).toContain("cluster file: clusters/seed.yaml");
    expect(stdout).toMatch(/Plan: \d+ to add, 0 to change, 0 to destroy/);
  });

  test("cdktf deploy ends when every agent is ready", async () => {
    const { stdout } = await project.deploy();
    for (const agent of AGENTS) expect(stdout).toContain(`${agent}: ready, `);
    expect(stdout).toContain("voters: consul-server1 consul-server2 consul-server3");
    // No waiting here: the deploy itself has waited.
    expect(await client.json("/v1/status/leader")).toMatch(/^172\.16\.8\.12[012]:8300$/);
    expect((await client.json("/v1/status/peers")).sort()).toEqual([
      "172.16.8.120:8300",
      "172.16.8.121:8300",
      "172.16.8.122:8300",
    ]);
  });

  test("the deploy's outputs have every agent's addresses", async () => {
    const { stdout } = await project.terraform("consul", ["output", "-json"]);
    const outputs = JSON.parse(stdout);
    expect(outputs["consul-client1"].value).toEqual({
      join: "172.16.8.110",
      http: "http://172.16.8.110:8500",
      dns: "172.16.8.110:8600",
      ui: "http://172.16.8.110:8500/ui",
    });
    expect(Object.keys(outputs).sort()).toEqual([...AGENTS].sort());
  });

  test("consul members shows the article's table", async () => {
    const { stdout } = await testBed.host("consul-server1").docker("exec", "consul-server1", "consul", "members");
    const rows = stdout
      .trim()
      .split("\n")
      .map((row) => row.split(/\s{2,}/).slice(0, 4));
    expect(rows[0]).toEqual(["Node", "Address", "Status", "Type"]);
    expect(rows.slice(1).sort()).toEqual([
      ["consul-client1", "172.16.8.110:8301", "alive", "client"],
      ["consul-server1", "172.16.8.120:8301", "alive", "server"],
      ["consul-server2", "172.16.8.121:8301", "alive", "server"],
      ["consul-server3", "172.16.8.122:8301", "alive", "server"],
    ]);
  });

  test("npm run status shows the same, as text and as JSON", async () => {
    const { stdout } = await project.run("npm", ["run", "-s", "status"]);
    expect(stdout).toContain("http://172.16.8.120:8500/ui");
    const status = JSON.parse((await project.run("npm", ["run", "-s", "status", "--", "--json"])).stdout);
    expect(status).toMatchObject({ healthy: true, leader: { agent: expect.stringMatching(/^consul-server/) } });
    expect(status.voters).toHaveLength(3);
  });

  test("all containers become healthy", async () => {
    for (const agent of AGENTS) {
      const health = async () =>
        (await testBed.host(agent).docker("inspect", "-f", "{{.State.Health.Status}}", agent)).stdout.trim();
      await eventually(async () => expect(await health()).toBe("healthy"), 40);
    }
  });

  test("the article's second image is on every host", async () => {
    for (const agent of AGENTS) {
      const { stdout } = await testBed.host(agent).docker("images", "--format", "{{.Repository}}:{{.Tag}}");
      expect(stdout.split("\n")).toEqual(
        expect.arrayContaining(["hashicorp/consul:1.22.7", "gliderlabs/registrator:latest"]),
      );
    }
  });

  describe("services", () => {
    beforeAll(async () => {
      const nginx = (id: string, script: string) => ({
        ID: id,
        Name: "nginx",
        Port: 80,
        Check: { CheckID: id, TTL: "10m", Status: script },
      });
      await client.put("/v1/agent/service/register", { Name: "redis", Address: "172.16.8.110", Port: 6379 });
      await client.put("/v1/agent/service/register", nginx("nginx-good", "passing"));
      await server(2).put("/v1/agent/service/register", nginx("nginx-bad", "critical"));
    });

    test("a registered redis is in the catalog", async () => {
      await eventually(async () => {
        const [redis] = await server(1).json("/v1/catalog/service/redis");
        expect(redis).toMatchObject({ Node: "consul-client1", ServiceAddress: "172.16.8.110", ServicePort: 6379 });
      });
    });

    test("a passing nginx is found by its health, a failing one is not", async () => {
      await eventually(async () => {
        const all = await client.json("/v1/health/service/nginx");
        expect(all.map((entry: { Service: { ID: string } }) => entry.Service.ID).sort()).toEqual([
          "nginx-bad",
          "nginx-good",
        ]);
        const passing = await client.json("/v1/health/service/nginx?passing");
        expect(passing.map((entry: { Service: { ID: string } }) => entry.Service.ID)).toEqual(["nginx-good"]);
      });
    });

    test("both resolve by DNS on port 8600, the failing instance left out", async () => {
      const dig = async (at: string, name: string) =>
        (
          await testBed.operator.machine.run("dig", [
            "+short",
            "+time=5",
            `@${at}`,
            "-p",
            "8600",
            `${name}.service.consul`,
          ])
        ).stdout
          .trim()
          .split("\n");
      await eventually(async () => {
        expect(await dig("172.16.8.121", "redis")).toEqual(["172.16.8.110"]);
        expect(await dig("172.16.8.110", "nginx")).toEqual(["172.16.8.110"]);
      });
    });
  });

  test("a KV value written on one host is read on another", async () => {
    expect(await client.put("/v1/kv/article/title", "容器化部署 Consul 集群")).toBe("true");
    expect(await server(3).get("/v1/kv/article/title?raw")).toBe("容器化部署 Consul 集群");
  });

  test("the UI opens in a browser and shows the three servers", async () => {
    mkdirSync(join(__dirname, "screenshots"), { recursive: true });
    const text = await screenshot(
      testBed.operator,
      "http://172.16.8.120:8500/ui/dc1/nodes",
      join(__dirname, "screenshots/ui.png"),
      SERVERS,
    );
    for (const agent of AGENTS) expect(text).toContain(agent);
  });

  test("a second plan is empty", async () => {
    const { exitCode, stdout } = await project.terraform(
      "consul",
      ["plan", "-detailed-exitcode", "-input=false", "-no-color"],
      { check: false },
    );
    expect(stdout).toContain("No changes.");
    expect(exitCode).toBe(0);
    expect((await project.cdktf(["diff"])).stdout).toContain("No changes.");
  });

  test("containers come back after their daemon's restart", async () => {
    await testBed.host("consul-server1").restartDaemon();
    await eventually(async () => {
      const { Servers } = await server(1).json("/v1/operator/raft/configuration");
      expect(Servers.filter(({ Voter }: { Voter: boolean }) => Voter)).toHaveLength(3);
      expect(await server(1).json("/v1/status/leader")).not.toBe("");
    }, 60);
  });

  test("data survives a container's replacement", async () => {
    await project.terraform("consul", [
      "apply",
      "-auto-approve",
      "-input=false",
      "-replace=docker_container.consul-server2",
      "-replace=docker_container.consul-client1",
    ]);
    expect(await server(2).get("/v1/kv/article/title?raw&stale")).toBe("容器化部署 Consul 集群");
    const { stdout } = await testBed.host("consul-server2").docker("volume", "ls", "-q");
    expect(stdout.trim().split("\n").sort()).toEqual(["consul-server2-data", "consul-server2-declared"]);
    await eventually(async () => expect(await server(1).json("/v1/catalog/service/redis")).toHaveLength(1));
  });

  test("cdktf destroy leaves no container, and keeps the data", async () => {
    await project.destroy();
    for (const agent of AGENTS) {
      expect((await testBed.host(agent).docker("ps", "-aq")).stdout).toBe("");
      expect((await testBed.host(agent).docker("volume", "ls", "-q")).stdout).toContain(`${agent}-data\n`);
    }
  });

  test("a new deploy finds the data again", async () => {
    await project.deploy();
    expect(await client.get("/v1/kv/article/title?raw")).toBe("容器化部署 Consul 集群");
    await project.destroy();
  });
});
