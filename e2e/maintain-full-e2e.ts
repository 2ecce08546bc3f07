import { eventually } from "./consul";
import { expectUndisturbed, LiveCluster, SECURED } from "./live-cluster";
import { pause } from "./pause";
import type { CommandOptions, CommandResult } from "./test-bed/command";
import type { DockerHost } from "./test-bed/docker-host";
import { TestBed } from "./test-bed/test-bed";

/** Its host goes down in these tests; users work through the first two client agents. */
const CLIENT = "consul-client3";
const LOCK = "consul-cdktf/replacing";

/** What a shutdown does: the daemon stops its containers, and the power goes. */
async function reboot(host: DockerHost, whileOff: () => Promise<unknown> = async () => undefined): Promise<void> {
  await host.stopDaemon();
  await host.powerOff();
  await whileOff();
  await host.ensureUp();
}

describe.each(["on", "off"] as const)("maintenance of a host, with security %s", (security) => {
  const testBed = TestBed.standing();
  let cluster: LiveCluster;

  beforeAll(async () => {
    const settings = security === "on" ? { security: SECURED } : {};
    cluster = await LiveCluster.up(testBed, `maintain-${security}`, { clients: 3, security, settings });
  });
  afterAll(() => cluster.down());

  const maintain = (host: string, words: readonly string[], options: CommandOptions = {}): Promise<CommandResult> =>
    cluster.project.run("npm", ["run", "-s", "maintain", "--", host, ...words], { ...options, env: cluster.env });
  const json = async (host: string, words: readonly string[], options: CommandOptions = {}) => {
    const { stdout, exitCode } = await maintain(host, ["--json", ...words], options);
    return { exitCode, ...JSON.parse(stdout) };
  };
  const locks = async (): Promise<string[]> => {
    const keys: string[] = await cluster.api(cluster.serverNames[0] as string).json("/v1/kv/?keys");
    return keys.filter((key) => key === LOCK || key.startsWith("consul-cdktf/clients/"));
  };
  const statusOf = async () => {
    const words = ["run", "-s", "status", "--", "--json"];
    const { stdout } = await cluster.project.run("npm", words, { check: false, env: cluster.env });
    return JSON.parse(stdout);
  };
  /** The checks of Consul's maintenance mode that the catalog has of an agent's node. */
  const maintenanceModes = async (agent: string): Promise<string[]> => {
    const checks = await cluster.api("consul-client1").json(`/v1/health/node/${agent}?consistent`);
    return checks.filter(({ CheckID }: { CheckID: string }) => CheckID === "_node_maintenance").map(notes);
  };
  const notes = ({ Notes }: { Notes: string }): string => Notes;

  test("the leader's host is rebooted: another server leads before, and nobody notices", async () => {
    const leader = await cluster.leader();
    const seen = await cluster.during(async () => {
      const begun = await json(leader, ["--begin"]);
      expect(begun).toMatchObject({ exitCode: 0, host: leader, inMaintenance: true });
      expect(await cluster.leader()).not.toBe(leader);
      expect(await maintenanceModes(leader)).toEqual([
        expect.stringContaining(`consul-cdktf: maintenance of host ${leader}`),
      ]);
      await reboot(testBed.host(leader));
      expect(await maintain(leader, ["--end"])).toMatchObject({
        exitCode: 0,
        stdout: expect.stringContaining(`${leader} is in use again`),
      });
      expect(await maintenanceModes(leader)).toEqual([]);
    });
    expectUndisturbed(seen);
    await cluster.expectSound(seen);
  });

  test("a deploy that begins meanwhile waits, even for the host's own agent, and goes on when the maintenance ends", async () => {
    const seen = await cluster.during(async () => {
      await maintain("consul-server2", ["--begin"]);
      cluster.changeAll();
      cluster.write();
      const before = await cluster.incarnations();
      const deploy = cluster.startNpmDeploy();
      await eventually(async () => {
        // Of the servers' checks, the one at the head of their queue asks.
        expect(deploy.stdout + deploy.stderr).toContain("waiting: the host of consul-server2 is in maintenance since");
      }, 90);
      await pause(5);
      expect(await cluster.incarnations()).toEqual(before);
      await maintain("consul-server2", ["--end"]);
      expect(await deploy.finished).toMatchObject({ exitCode: 0 });
      expect(Object.values(await cluster.incarnations())).not.toEqual(expect.arrayContaining(Object.values(before)));
    });
    expectUndisturbed(seen);
    await cluster.expectSound(seen);
  });

  test("a client agent's services are not found while its host is off, and status shows since when", async () => {
    const users = cluster.api("consul-client1");
    const found = async () => (await users.json("/v1/health/service/orders?passing&consistent")).length;
    await cluster.api(CLIENT).put("/v1/agent/service/register", { Name: "orders", Port: 8080 });
    await eventually(async () => expect(await found()).toBe(1));
    const seen = await cluster.during(async () => {
      const begun = await json(CLIENT, ["--begin"]);
      expect(await found()).toBe(0);
      expect(await locks()).toEqual([`consul-cdktf/clients/${CLIENT}`]);
      const off = async () => {
        const status = await statusOf();
        expect(status.hosts).toContainEqual(expect.objectContaining({ name: CLIENT, maintenance: begun.since }));
        expect(status.notices).toContainEqual(expect.objectContaining({ code: "host-in-maintenance" }));
        expect(await json(CLIENT, ["--end", "--wait", "3"], { check: false })).toMatchObject({
          exitCode: 1,
          inMaintenance: true,
          since: begun.since,
          failure: expect.stringContaining("its Docker daemon is unreachable"),
        });
      };
      await reboot(testBed.host(CLIENT), off);
      expect(await json(CLIENT, ["--begin"])).toMatchObject({ exitCode: 0, since: begun.since });
      expect(await json(CLIENT, ["--end"])).toMatchObject({ exitCode: 0, inMaintenance: false });
      await eventually(async () => expect(await found()).toBe(1));
    });
    expectUndisturbed(seen);
    await cluster.api(CLIENT).put("/v1/agent/service/deregister/orders", "");
    await cluster.expectSound(seen);
  });

  test("the command around a restart waits until the agent was started again, and keeps the host if it fails", async () => {
    const touched = await cluster.touchedBy(async () => {
      const daemon = `ssh://root@${cluster.file.hosts[CLIENT]}`;
      const restart = `sleep 5; docker -H ${daemon} restart ${CLIENT}`;
      // As ssh does, when it is told to reboot: the command ends before the host is down.
      const { stdout } = await maintain(CLIENT, ["--reboot", "--", "sh", "-c", `(${restart}) >/dev/null 2>&1 &`]);
      expect(stdout).toContain(`${CLIENT} is in use again`);
    });
    expect(touched).toEqual([CLIENT]);
    const failed = await maintain(CLIENT, ["--", "sh", "-c", "exit 7"], { check: false });
    expect(failed).toMatchObject({ exitCode: 7, stdout: expect.stringContaining(`${CLIENT} is in maintenance since`) });
    await maintain(CLIENT, ["--end"]);
    await cluster.expectWhole();
  });

  test("a command that is killed while the cluster is checked can be run again, and so can its end", async () => {
    const words = ["run", "-s", "maintain", "--", "consul-server1", "--begin"];
    const env = { CLUSTER: cluster.project.clusterFile, ...cluster.env };
    const killed = testBed.operator.spawn("npm", words, { cwd: cluster.project.folder, env });
    await eventually(async () => expect(await locks()).toEqual([LOCK]));
    killed.killAll();
    await maintain("consul-server1", ["--begin"]);
    expect(await locks()).toEqual([LOCK]);
    const doctor = await cluster.project.run("npm", ["run", "-s", "doctor", "--", "--fix"], { env: cluster.env });
    expect([doctor.stdout, await locks()]).toEqual([expect.stringContaining("nothing is wrong"), [LOCK]]);
    await maintain("consul-server1", ["--end"]);
    await maintain("consul-server1", ["--end"]);
    await cluster.expectWhole();
  });

  test.each([
    ["consul-server1", LOCK],
    ["consul-client1", "consul-cdktf/clients/consul-client1"],
  ])("the end of a maintenance that is over releases nothing of a deploy: %s", async (host, key) => {
    await cluster.api("consul-server2").put(`/v1/kv/${key}`, host);
    expect(await json(host, ["--end"])).toMatchObject({ exitCode: 0, inMaintenance: false });
    expect(await locks()).toEqual([key]);
    await cluster.project.run("npm", ["run", "-s", "doctor", "--", "--fix"], { env: cluster.env });
    expect(await locks()).toEqual([]);
  });

  test("a host is not taken out of use beside a server whose host is off", async () => {
    const off = testBed.host("consul-server3");
    await off.powerOff();
    const denied = await json("consul-server1", ["--begin"], { check: false });
    expect(denied).toMatchObject({
      exitCode: 1,
      inMaintenance: false,
      failure: expect.stringMatching(/its host is still needed: only 1 of [23] voters would be healthy without it/),
    });
    await off.ensureUp();
    await cluster.expectWhole();
  });

  test("a host that is in maintenance keeps the lock when that is begun again, and the cluster cannot spare it any more", async () => {
    await maintain("consul-server1", ["--begin"]);
    const off = testBed.host("consul-server3");
    await off.powerOff();
    expect(await json("consul-server1", ["--begin"], { check: false })).toMatchObject({
      exitCode: 1,
      failure: expect.stringContaining("its host is still needed"),
    });
    expect(await locks()).toEqual([LOCK]);
    expect(await maintenanceModes("consul-server1")).toHaveLength(1);
    await off.ensureUp();
    await maintain("consul-server1", ["--end"]);
    await cluster.expectWhole();
  });
});
