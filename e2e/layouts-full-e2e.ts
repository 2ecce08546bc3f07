import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ConsulHttp } from "./consul";
import { daemonsProject, HOST_DATA } from "./daemons";
import { Project } from "./project";
import { TestBed } from "./test-bed/test-bed";

const testBed = TestBed.standing();

describe("one cluster by ssh, TLS and plain tcp, with images from a mirror that needs credentials", () => {
  let project: Project;
  const inspect = async (host: string, container: string) =>
    JSON.parse((await testBed.host(host).docker("inspect", container)).stdout)[0];

  beforeAll(async () => {
    project = await daemonsProject(testBed);
  });
  afterAll(() => project.remove());

  test("deploys, whatever the operator's DOCKER_ variables say", async () => {
    const env = { DOCKER_HOST: "tcp://172.16.8.99:1", DOCKER_CERT_PATH: "/nowhere", DOCKER_TLS_VERIFY: "1" };
    const { stdout } = await project.deploy({ env });
    expect(stdout).toContain("consul-client1: ready, leader");
    expect(stdout).toContain("voters: consul-server1 second consul-server3");
  });

  test("images were pulled from the mirror", async () => {
    const { Config } = await inspect("consul-server1", "consul-server1");
    const { stdout } = await testBed.host("consul-server1").docker("images", "--format", "{{.Repository}}:{{.Tag}}");
    expect(stdout).toContain("172.16.8.5:5001/hashicorp/consul:1.22.7");
    expect(stdout).toContain("172.16.8.5:5001/fayrus/registrator:v9.2.0");
    expect(Config.Image).toMatch(/^sha256:/);
  });

  test("the containers have each agent's own names, data folder, log driver and ports", async () => {
    const second = await inspect("consul-server2", "second.consul");
    expect(second.Config.Hostname).toBe("second");
    // They are a set, whose order follows from the paths.
    expect(new Set(second.HostConfig.Binds)).toEqual(
      new Set(["second.consul-declared:/consul/declared:rw", `${HOST_DATA}:/consul/data:rw`]),
    );
    const third = await inspect("consul-server3", "consul-server3");
    expect(third.HostConfig.LogConfig.Type).toBe("local");
    const members = await testBed
      .host("consul-server3")
      .docker("exec", "consul-server3", "consul", "members", "-http-addr=127.0.0.1:9500");
    expect(members.stdout).toMatch(/consul-server3\s+172\.16\.8\.122:9301\s+alive\s+server/);
    expect(members.stdout).toMatch(/second\s+172\.16\.8\.121:8301\s+alive\s+server/);
  });

  test("registrator uses the agent of its host, at the agent's own port", async () => {
    for (const [host, port] of Object.entries({ "consul-server2": 8500, "consul-server3": 9500 })) {
      const { Config, State } = await inspect(host, "registrator");
      expect([State.Running, Config.Cmd.at(-1)]).toEqual([true, `consul://127.0.0.1:${port}`]);
    }
  });

  test("limits, labels and any Consul configuration reach the container unchanged", async () => {
    const client = await inspect("consul-client1", "consul-client1");
    expect(client.HostConfig).toMatchObject({
      Memory: 256 * 1024 * 1024,
      MemorySwap: 256 * 1024 * 1024,
      NanoCpus: 500_000_000,
      CpusetCpus: "0",
    });
    expect(client.HostConfig.RestartPolicy.Name).toBe("unless-stopped");
    expect(client.Config.Labels.owner).toBe("${not.a.reference} %{nor this}");
    const http = new ConsulHttp(testBed.operator.machine, "http://172.16.8.110:8500");
    const self = await http.json("/v1/agent/self");
    expect(self.Meta.words).toBe('${HOME} "quoted" $${twice} 中文');
    expect(self.Config.Datacenter).toBe("rig");
    const { stdout } = await testBed.host("consul-client1").docker("logs", "--tail", "1", "consul-client1");
    expect(JSON.parse(stdout)).toHaveProperty("@level");
  });

  test("DNS answers on port 53", async () => {
    const { stdout } = await testBed.operator.machine.run("dig", [
      "+short",
      "@172.16.8.110",
      "consul-server1.node.rig.consul",
    ]);
    expect(stdout.trim()).toBe("172.16.8.120");
  });

  test("a second plan is empty", async () => {
    expect((await project.cdktf(["diff"])).stdout).toContain("No changes.");
  });

  test("no credential is in the JSON or the Terraform state", async () => {
    const { stdout } = await project.run(
      "grep",
      ["-rlF", testBed.registry.credentials.password, "cdktf.out", "terraform.daemons.tfstate"],
      {
        check: false,
      },
    );
    expect(stdout).toBe("");
    await project.destroy();
  });

  test("an image by digest is that image", async () => {
    const digest = testBed.registry.digest("hashicorp/consul:1.22.7");
    const file = join(project.folder, "digest.yaml");
    writeFileSync(
      file,
      [
        "name: digest",
        "security: off",
        "daemon: ssh://root@{address}",
        `image: hashicorp/consul@${digest}`,
        "hosts: { solo: 172.16.8.120 }",
        "servers: [solo]",
      ].join("\n"),
    );
    await project.deploy({ env: { CLUSTER: file } });
    const { stdout } = await testBed
      .host("consul-server1")
      .docker("inspect", "-f", "{{index .RepoDigests 0}}", (await inspect("consul-server1", "solo")).Image);
    expect(stdout.trim()).toContain(digest);
    await project.destroy({ env: { CLUSTER: file } });
  });
});

describe("hosts in groups", () => {
  const project = new Project(testBed.operator, "e2e/clusters/racks.yaml");
  beforeAll(() => testBed.reset());
  afterAll(() => project.remove());

  test("cdktf deploy '*' deploys all stacks, one at a time", async () => {
    const { stdout } = await project.cdktf(["deploy", "*", "--auto-approve", "--parallelism", "1"]);
    // The first server is alone until the second stack runs; the last step has checked them all.
    expect(stdout).toContain("consul-server1: readiness check skipped: the other servers are not deployed yet");
    expect(stdout).toContain("voters: consul-server1 consul-server2 consul-server3");
    expect(stdout).toContain("consul-client1: ready, leader");
    const http = new ConsulHttp(testBed.operator.machine, "http://172.16.8.110:8500");
    expect(await http.json("/v1/status/peers")).toHaveLength(3);
  });

  test("a second plan of every stack is empty", async () => {
    for (const stack of ["racks", "racks-a", "racks-b", "racks-clients"]) {
      expect((await project.cdktf(["diff", stack])).stdout).toContain("No changes.");
    }
  });

  test("cdktf destroy '*' leaves no container", async () => {
    await project.cdktf(["destroy", "*", "--auto-approve"], { env: { CONSUL_ALLOW_QUORUM_LOSS: "yes" } });
    for (const host of testBed.hosts) expect((await host.docker("ps", "-aq")).stdout).toBe("");
  });
});

describe("a deploy succeeds only when every agent is ready", () => {
  const project = new Project(testBed.operator, "bad.yaml");
  const deploy = async (lines: readonly string[]) => {
    writeFileSync(
      join(project.folder, "bad.yaml"),
      ["name: bad", "security: off", "daemon: ssh://root@{address}", "ready_timeout: 15", ...lines].join("\n"),
    );
    return project.deploy({ check: false });
  };
  const hosts = "hosts: { consul-server1: 172.16.8.120, consul-client1: 172.16.8.110 }";

  beforeAll(() => testBed.reset());
  afterAll(async () => {
    await project.destroy();
    project.remove();
  });

  test("a client agent with a flag that Consul rejects fails it, and the output has its container's state", async () => {
    const { exitCode, stdout } = await deploy([
      hosts,
      "servers: [consul-server1]",
      "clients: [{ name: consul-client1, flags: [-no-such-flag] }]",
    ]);
    expect(exitCode).not.toBe(0);
    expect(stdout).toContain("consul-server1: ready, a voter");
    expect(stdout).toMatch(/consul-client1: unreachable so far: .*(restarting|not running)/);
  });

  test("a client agent that reaches no server fails it", async () => {
    const { exitCode, stdout } = await deploy([
      hosts,
      "servers: [consul-server1]",
      "clients: [{ name: consul-client1, join: [172.16.8.99] }]",
    ]);
    expect(exitCode).not.toBe(0);
    expect(stdout).toContain("consul-client1: waiting for a leader");
    expect(stdout).toContain("consul-client1: is not ready after");
  });

  test("with the fixed file, the same command completes", async () => {
    const { exitCode, stdout } = await deploy([hosts, "servers: [consul-server1]", "clients: [consul-client1]"]);
    expect(stdout).toContain("consul-client1: ready, leader");
    expect(exitCode).toBe(0);
    expect((await project.cdktf(["diff"])).stdout).toContain("No changes.");
  });
});
