import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ConsulHttp, eventually } from "./consul";
import { Load, type LoadReport } from "./load";
import { Project } from "./project";
import type { CommandResult } from "./rig/command";
import { Rig } from "./rig/rig";

const SERVERS = ["consul-server1", "consul-server2", "consul-server3"];
const SECOND_CLIENT = { name: "consul-client2", address: "172.16.8.111" };
const AGENTS = ["http://172.16.8.110:8500", `http://${SECOND_CLIENT.address}:8500`] as const;

/** The article's cluster with a second client, so that users have another agent to turn to. */
const BASE = readFileSync(join(__dirname, "../clusters/seed.yaml"), "utf8")
  .replace("clients: [consul-client1]", "clients: [consul-client1, consul-client2]")
  .replace("  consul-client1: 172.16.8.110", `  consul-client1: 172.16.8.110\n  consul-client2: ${SECOND_CLIENT.address}`)
  .replace(/^images:.*$/m, "wait: 30");

describe("changing a running cluster, by plain cdktf deploy", () => {
  const rig = Rig.standing();
  const project = new Project(rig.operator, "clusters/changing.yaml");
  const write = (...lines: string[]) => writeFileSync(join(project.folder, "clusters/changing.yaml"), [BASE, ...lines, ""].join("\n"));
  const server = (number: number) => new ConsulHttp(rig.operator.machine, `http://172.16.8.12${number - 1}:8500`);
  const containerIds = () =>
    Promise.all(SERVERS.map(async (name) => (await rig.host(name).docker("inspect", "-f", "{{.Id}} {{.State.StartedAt}}", name)).stdout.trim()));

  /** Changes the file, deploys it under load, and says what users saw. */
  async function deployUnderLoad(...lines: string[]): Promise<CommandResult & { seen: LoadReport }> {
    write(...lines);
    const load = await Load.start(rig.operator, AGENTS);
    const result = await project.deploy({ check: false });
    const seen = await load.stop();
    process.stderr.write(`    users saw: ${JSON.stringify(seen)}\n`);
    return { ...result, seen };
  }
  /** Every acknowledged key is on every server. */
  async function expectNothingLost(seen: LoadReport): Promise<void> {
    for (const number of [1, 2, 3]) {
      await eventually(async () => expect(await server(number).json(`/v1/kv/load/${seen.run}?keys&stale`)).toHaveLength(seen.written));
    }
  }
  const expectEmptyPlan = async () => expect((await project.cdktf(["diff"])).stdout).toContain("No changes.");

  beforeAll(async () => {
    await rig.reset();
    await rig.addHost(SECOND_CLIENT.name, SECOND_CLIENT.address);
    write();
    await project.deploy();
  });
  afterAll(async () => {
    await project.destroy();
    await rig.removeHost(SECOND_CLIENT.name);
    project.remove();
  });

  test("an image that does not exist stops no agent", async () => {
    const before = await containerIds();
    const result = await deployUnderLoad("config: { log_level: debug }", "image: hashicorp/consul:0.0.0");
    expect(result.exitCode).not.toBe(0);
    expect(result.stdout + result.stderr).toContain("hashicorp/consul:0.0.0");
    expect(result.seen.failed).toBe(0);
    expect(await containerIds()).toEqual(before);
  });

  test("a bad flag on one server leaves the others alone, and the mended file completes", async () => {
    const bad = BASE.replace("servers: [consul-server1,", "servers: [{ name: consul-server1, flags: [-no-such-flag] },");
    const load = await Load.start(rig.operator, AGENTS);
    // Another change of all, so that each of them would be replaced.
    writeFileSync(join(project.folder, "clusters/changing.yaml"), `${bad}\nconfig: { log_level: info }\n`);
    const failed = await project.deploy({ check: false });
    expect(failed.exitCode).not.toBe(0);
    // Whichever came first: the others are in, and write.
    for (const number of [2, 3]) expect(await server(number).json("/v1/status/leader")).toMatch(/:8300$/);
    const { Servers } = await server(2).json("/v1/operator/autopilot/state");
    expect(Object.values(Servers).filter((one) => (one as { Healthy: boolean }).Healthy)).toHaveLength(2);

    write("config: { log_level: info }");
    const mended = await project.deploy();
    expect(mended.exitCode).toBe(0);
    const seen = await load.stop();
    process.stderr.write(`    users saw: ${JSON.stringify(seen)}\n`);
    expect(seen).toMatchObject({ sessionLosses: 0 });
    await expectNothingLost(seen);
    await expectEmptyPlan();
  });

  test("new names for all servers at once are given one after the other: each is asked under its old one", async () => {
    const renamed = BASE.replace(
      /^servers: .*$/m,
      `servers: [${SERVERS.map((name) => `{ name: ${name}, container: ${name}-new, node: ${name}-new }`).join(", ")}]`,
    );
    const load = await Load.start(rig.operator, AGENTS);
    writeFileSync(join(project.folder, "clusters/changing.yaml"), `${renamed}\nconfig: { log_level: info }\n`);
    const result = await project.deploy({ check: false });
    const seen = await load.stop();
    process.stderr.write(`    users saw: ${JSON.stringify(seen)}\n`);
    expect(result.exitCode).toBe(0);
    for (const name of SERVERS) expect(result.stdout).toContain(`${name}: may be stopped: 2 of 3 voters are healthy without it, 2 are needed`);
    expect(seen.longestGap).toBeLessThan(2);
    await expectNothingLost(seen);
    write("config: { log_level: info }");
    await project.deploy();
    await expectEmptyPlan();
  });

  test("with one server down, no other is stopped; a deploy of the down one is let through", async () => {
    await rig.host("consul-server3").docker("stop", "consul-server3");
    const before = await containerIds();
    write("config: { log_level: warn }");
    const refused = await project.deploy({ check: false });
    expect(refused.exitCode === 0 || refused.stdout.includes("not stopped")).toBe(true);
    const after = await containerIds();
    // The stopped one may be replaced, and then, with three again, the others; at no time two were down.
    expect(after[2]).not.toBe(before[2]);
    await project.deploy();
    await eventually(async () => expect(await server(1).json("/v1/status/peers")).toHaveLength(3));
    await expectEmptyPlan();
  });

  test("two of three servers down: the third is not stopped, and the message says why", async () => {
    for (const name of ["consul-server2", "consul-server3"]) await rig.host(name).docker("update", "--restart=no", name);
    for (const name of ["consul-server2", "consul-server3"]) await rig.host(name).docker("kill", name);
    const [first] = await containerIds();
    const { exitCode, stdout, stderr } = await project.terraform(
      "consul",
      ["apply", "-auto-approve", "-input=false", "-no-color", "-replace=docker_container.consul-server1", "-target=docker_container.consul-server1"],
      { check: false },
    );
    expect(exitCode).not.toBe(0);
    expect(stdout + stderr).toContain("this server knows no leader");
    expect((await containerIds())[0]).toBe(first);
    for (const name of ["consul-server2", "consul-server3"]) await rig.host(name).docker("start", name);
    await eventually(async () => expect(await server(1).json("/v1/status/leader")).not.toBe(""));
    await project.deploy();
  });

  test("destroy without consent stops one server at most; with it, everything goes", async () => {
    const { exitCode, stdout } = await project.cdktf(["destroy", "--auto-approve"], { check: false });
    expect(exitCode).not.toBe(0);
    expect(stdout).toContain("not stopped");
    const running = await Promise.all(SERVERS.map(async (name) => (await rig.host(name).docker("ps", "-q")).stdout.trim()));
    expect(running.filter(Boolean).length).toBeGreaterThanOrEqual(2);
    const left = running.findIndex(Boolean) + 1;
    await eventually(async () => expect(await server(left).json("/v1/status/leader")).toMatch(/:8300/));
    await project.destroy();
    for (const host of rig.hosts) expect((await host.docker("ps", "-aq")).stdout).toBe("");
  });
});
