import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ConsulHttp } from "./consul";
import { Project } from "./project";
import { Rig } from "./rig/rig";

const rig = Rig.standing();

describe("hosts in groups", () => {
  const project = new Project(rig.operator, "e2e/clusters/racks.yaml");
  beforeAll(() => rig.reset());
  afterAll(() => project.remove());

  test("cdktf deploy '*' brings all stacks up, one at a time too", async () => {
    const { stdout } = await project.cdktf(["deploy", "*", "--auto-approve", "--parallelism", "1"]);
    // The first server stands alone until the second stack runs; the last step has seen them all.
    expect(stdout).toContain("consul-server1: passes: the other servers are still to be deployed");
    expect(stdout).toContain("voters: consul-server1 consul-server2 consul-server3");
    expect(stdout).toContain("consul-client1: in, leader");
    const http = new ConsulHttp(rig.operator.machine, "http://172.16.8.110:8500");
    expect(await http.json("/v1/status/peers")).toHaveLength(3);
  });

  test("a second plan of every stack is empty", async () => {
    for (const stack of ["racks", "racks-a", "racks-b", "racks-clients"]) {
      expect((await project.cdktf(["diff", stack])).stdout).toContain("No changes.");
    }
  });

  test("cdktf destroy '*' leaves no container", async () => {
    await project.cdktf(["destroy", "*", "--auto-approve"], { env: { CONSUL_ALLOW_QUORUM_LOSS: "yes" } });
    for (const host of rig.hosts) expect((await host.docker("ps", "-aq")).stdout).toBe("");
  });
});

describe("a deploy ends well only when every agent is in", () => {
  const project = new Project(rig.operator, "bad.yaml");
  const deploy = async (lines: readonly string[]) => {
    writeFileSync(join(project.folder, "bad.yaml"), ["name: bad", "security: off", "daemon: ssh://root@{address}", "wait: 15", ...lines].join("\n"));
    return project.deploy({ check: false });
  };
  const hosts = "hosts: { consul-server1: 172.16.8.120, consul-client1: 172.16.8.110 }";

  beforeAll(() => rig.reset());
  afterAll(async () => {
    await project.destroy();
    project.remove();
  });

  test("a client with a flag that Consul refuses fails it, and says what the container says", async () => {
    const { exitCode, stdout } = await deploy([hosts, "servers: [consul-server1]", "clients: [{ name: consul-client1, flags: [-no-such-flag] }]"]);
    expect(exitCode).not.toBe(0);
    expect(stdout).toContain("consul-server1: in, a voter");
    expect(stdout).toMatch(/consul-client1: cannot be asked yet: .*(restarting|not running)/);
  });

  test("a client that no server answers fails it", async () => {
    const { exitCode, stdout } = await deploy([hosts, "servers: [consul-server1]", "clients: [{ name: consul-client1, join: [172.16.8.99] }]"]);
    expect(exitCode).not.toBe(0);
    expect(stdout).toContain("consul-client1: waiting for a leader");
    expect(stdout).toContain("consul-client1: not in after");
  });

  test("with the file mended, the same command completes", async () => {
    const { exitCode, stdout } = await deploy([hosts, "servers: [consul-server1]", "clients: [consul-client1]"]);
    expect(stdout).toContain("consul-client1: in, leader");
    expect(exitCode).toBe(0);
    expect((await project.cdktf(["diff"])).stdout).toContain("No changes.");
  });
});
