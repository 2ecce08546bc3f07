import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ConsulHttp, eventually } from "./consul";
import { Project } from "./project";
import { Rig } from "./rig/rig";

const SERVERS = ["consul-server1", "consul-server2", "consul-server3"];
const MORE_CLIENTS = [2, 3, 4, 5].map((number) => ({ name: `consul-client${number}`, address: `172.16.8.${109 + number}` }));
const CLIENTS = ["consul-client1", ...MORE_CLIENTS.map(({ name }) => name)];

/** The article's cluster with five clients, each of which listens at its own address. */
const BASE = readFileSync(join(__dirname, "../clusters/seed.yaml"), "utf8")
  .replace("clients: [consul-client1]", `clients: [${CLIENTS.join(", ")}]`)
  .replace(
    "  consul-client1: 172.16.8.110",
    `  consul-client1: 172.16.8.110\n${MORE_CLIENTS.map(({ name, address }) => `  ${name}: ${address}`).join("\n")}`,
  )
  .replace(/^images:.*$/m, "wait: 60");

describe("what a deploy asks, and what it is told", () => {
  const rig = Rig.standing();
  const project = new Project(rig.operator, "clusters/asking.yaml");
  const write = (...lines: string[]) => writeFileSync(join(project.folder, "clusters/asking.yaml"), [BASE, ...lines, ""].join("\n"));
  const server = new ConsulHttp(rig.operator.machine, "http://172.16.8.120:8500");
  const startedAt = (names: readonly string[]) =>
    Promise.all(names.map(async (name) => (await rig.host(name).docker("inspect", "-f", "{{.Id}} {{.State.StartedAt}}", name)).stdout.trim()));
  const expectEmptyPlan = async () => expect((await project.cdktf(["diff"])).stdout).toContain("No changes.");

  beforeAll(async () => {
    await rig.reset();
    for (const { name, address } of MORE_CLIENTS) await rig.addHost(name, address);
    write();
    await project.deploy();
  });
  afterAll(async () => {
    await project.destroy();
    for (const { name } of MORE_CLIENTS) await rig.removeHost(name);
    project.remove();
  });

  describe("a version", () => {
    test("that is older than what runs is refused, and nothing is stopped", async () => {
      const before = await startedAt([...SERVERS, ...CLIENTS]);
      write("image: hashicorp/consul:1.21.5");
      const { exitCode, stdout, stderr } = await project.deploy({ check: false });
      expect(exitCode).not.toBe(0);
      for (const agent of SERVERS) expect(stdout + stderr).toContain(`${agent}: not stopped: 1.21.5 is older than 1.22.2`);
      expect(stdout + stderr).toContain("CONSUL_ALLOW_DOWNGRADE=yes");
      expect(await startedAt([...SERVERS, ...CLIENTS])).toEqual(before);
    });

    test("more than two minor versions ahead is refused, and nothing is stopped", async () => {
      const before = await startedAt(SERVERS);
      // An image that says so of itself; what it is else does not matter, for it never runs as an agent.
      for (const name of [...SERVERS, ...CLIENTS]) {
        const docker = (...args: string[]) => rig.host(name).docker(...args);
        await docker("create", "--name", "newer", "--entrypoint", "consul", "hashicorp/consul:1.22.2", "version");
        const program = join(project.folder, "consul");
        writeFileSync(program, "#!/bin/sh\necho Consul v1.25.0\n", { mode: 0o755 });
        await docker("cp", program, "newer:/bin/consul");
        await docker("commit", "newer", "hashicorp/consul:1.25.0");
        await docker("rm", "newer");
      }
      write("image: hashicorp/consul:1.25.0");
      const { exitCode, stdout, stderr } = await project.deploy({ check: false });
      expect(exitCode).not.toBe(0);
      expect(stdout + stderr).toContain("consul-server1: not stopped: from 1.22.2 to 1.25.0 are 3 minor versions");
      expect(await startedAt(SERVERS)).toEqual(before);
    });

    test("of before is gone back to with consent, one server at a time", async () => {
      write("image: hashicorp/consul:1.21.5");
      const { stdout } = await project.deploy({ env: { CONSUL_ALLOW_DOWNGRADE: "yes" } });
      for (const name of SERVERS) expect(stdout).toContain(`${name}: may be stopped: 2 of 3 voters are healthy without it`);
      write();
      await project.deploy();
      await expectEmptyPlan();
    });
  });

  test("clients are replaced in turn, so many at a time as the file says, after the servers", async () => {
    write("clients_at_a_time: 2", "config: { log_level: debug }");
    const { stdout } = await project.deploy({ env: { TF_CLI_ARGS_apply: "-parallelism=30" } });
    let down = 0;
    const most = stdout.split("\n").reduce((most, line) => {
      if (/consul-client\d: may be stopped/.test(line)) down++;
      if (/consul-client\d: in, leader/.test(line)) down--;
      return Math.max(most, down);
    }, 0);
    expect(most).toBe(2);
    expect(stdout.lastIndexOf("server3: in, a voter")).toBeGreaterThan(0);
    const lastServer = Math.max(...SERVERS.map((name) => stdout.lastIndexOf(`${name}: in, a voter`)));
    const firstClient = Math.min(...CLIENTS.map((name) => stdout.indexOf(`${name}: may be stopped`)));
    expect(lastServer).toBeLessThan(firstClient);
    expect(await server.get("/v1/kv/consul-cdktf/?keys").catch(() => "none")).toBe("none");
    await expectEmptyPlan();
  });

  test.each([1, 2])("with a parallelism of %i no more than one server is down; what it says is done completes the change", async (parallelism) => {
    const labelled = SERVERS.map((name) => `{ name: ${name}, labels: { slots: "${parallelism}" } }`).join(", ");
    writeFileSync(
      join(project.folder, "clusters/asking.yaml"),
      `${BASE.replace(/^servers: .*$/m, `servers: [${labelled}]`)}\nclients_at_a_time: 2\nconfig: { log_level: debug }\n`,
    );
    let deploys = 0;
    for (let exitCode = 1; exitCode !== 0; deploys++) {
      expect(deploys).toBeLessThan(4);
      const result = await project.deploy({ check: false, env: { TF_CLI_ARGS_apply: `-parallelism=${parallelism}` } });
      exitCode = result.exitCode;
      const said = result.stdout + result.stderr;
      if (exitCode !== 0) expect(said).toContain(`Terraform's -parallelism is ${parallelism},`);
      // Between two deploys all servers are in; autopilot takes a moment to see that the last one is.
      await eventually(async () => {
        const { Healthy, FailureTolerance } = await server.json("/v1/operator/autopilot/health");
        expect({ Healthy, FailureTolerance }).toEqual({ Healthy: true, FailureTolerance: 1 });
      });
    }
    await expectEmptyPlan();
  });

  test("autopilot's settings are put into the running cluster, and restart nothing", async () => {
    write("clients_at_a_time: 2", "config: { log_level: debug }");
    await project.deploy();
    const before = await startedAt([...SERVERS, ...CLIENTS]);
    write("clients_at_a_time: 2", "config: { log_level: debug }", "autopilot: { last_contact_threshold: 500ms, cleanup_dead_servers: false }");
    await project.deploy();
    expect(await server.json("/v1/operator/autopilot/configuration")).toMatchObject({
      CleanupDeadServers: false,
      LastContactThreshold: "500ms",
      MinQuorum: 3,
    });
    expect(await startedAt([...SERVERS, ...CLIENTS])).toEqual(before);
    await expectEmptyPlan();
  });
});
