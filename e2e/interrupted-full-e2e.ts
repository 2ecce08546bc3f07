import { existsSync } from "node:fs";
import { join } from "node:path";
import { BackendCluster, HOSTS } from "./backend-cluster";
import { eventually } from "./consul";
import { expectUndisturbed, LiveCluster } from "./live-cluster";
import { cutOff, reconnect } from "./partition";
import { pause } from "./pause";
import type { RunningCommand } from "./test-bed/command";
import { TestBed } from "./test-bed/test-bed";

/** npm ends itself by the signal, so that its exit code is none. */
const expectInterrupted = (exitCode: number) => expect([130, -1]).toContain(exitCode);

describe("npm run deploy that is interrupted", () => {
  const testBed = TestBed.standing();
  let cluster: LiveCluster;

  beforeAll(async () => {
    cluster = await LiveCluster.up(testBed, "interrupted");
  });
  afterAll(() => cluster.down());

  /** Starts a deploy that replaces all agents, and waits until it has printed something. */
  async function deploying(until: RegExp): Promise<RunningCommand> {
    cluster.changeAll();
    cluster.write();
    const deploy = cluster.startNpmDeploy();
    await eventually(async () => expect(deploy.stdout).toMatch(until), 120);
    return deploy;
  }

  /** Deploys the rest, and expects that nothing was lost. */
  async function expectCompleted(work: () => Promise<void>): Promise<void> {
    const seen = await cluster.during(async () => {
      await work();
      await cluster.npmDeploy();
    });
    expectUndisturbed(seen);
    await cluster.expectSound(seen);
  }

  test.each([
    ["while the first checks wait", /: waiting\n/, 0],
    ["while a server is stopped or started", /consul-server\d: stopping\n/, 1],
    ["when a server is ready, and others wait", /consul-server\d: ready, a voter/, 1],
  ])("by one Ctrl-C %s: what was begun is completed, and no other agent is touched", (_, until, least) =>
    cluster.bear(() =>
      expectCompleted(async () => {
        const touched = await cluster.touchedBy(async () => {
          const deploy = await deploying(until);
          deploy.signal("SIGINT");
          const { exitCode, stdout } = await deploy.finished;
          expect(stdout).toContain("Ctrl-C: no further agent is stopped; what was begun is completed.");
          expect(stdout).toContain("not stopped: the deploy was interrupted; hint: npm run deploy does the rest");
          expect(stdout).not.toContain("stopped, and not ready");
          expect(stdout).toMatch(/\ninterrupted after \d+:\d\d\n/);
          expectInterrupted(exitCode);
        });
        expect(touched.length).toBeGreaterThanOrEqual(least);
        // Another one may have been allowed at the same moment.
        expect(touched.length).toBeLessThanOrEqual(2);
        await cluster.expectWhole();
        expect(cluster.applying()).toEqual([]);
      }),
    ),
  );

  test("by two Ctrl-C: Terraform ends, and what is still locked is told, and how to go on", () =>
    cluster.bear(async () => {
      const seen = await cluster.during(async () => {
        const deploy = await deploying(/consul-server\d: stopping\n/);
        deploy.signal("SIGINT");
        await pause(1.2);
        deploy.signal("SIGINT");
        const { exitCode, stdout, stderr } = await deploy.finished;
        expectInterrupted(exitCode);
        expect(stdout).toContain("Ctrl-C again: Terraform is interrupted");
        expect(stdout).toContain("next: npm run deploy does the rest");
        if (stdout.includes("stopped, and not ready"))
          expect(stdout).toMatch(/still locked: consul-cdktf\/replacing, for consul-server\d/);
        expect(stderr).toContain("inspecting what is still locked");
        expect(cluster.applying()).toEqual([]);
        await cluster.recover();
      });
      expect(seen.servers.mostDown).toBeLessThan(2);
      await cluster.expectSound(seen);
    }));

  test("by SIGKILL: Terraform goes on until the stopped agents are ready, and stops no other", () =>
    cluster.bear(() =>
      expectCompleted(async () => {
        const touched = await cluster.touchedBy(async () => {
          const deploy = await deploying(/consul-server\d: stopping\n/);
          deploy.signal("SIGKILL");
          await deploy.finished;
          expect(cluster.applying()).toHaveLength(1);
          await eventually(async () => expect(cluster.applying()).toEqual([]), 120);
        });
        expect(touched.length).toBeGreaterThanOrEqual(1);
        expect(touched.length).toBeLessThanOrEqual(2);
        await cluster.expectWhole();
        expect(existsSync(join(cluster.project.folder, `.${cluster.stateFile}.lock.info`))).toBe(false);
      }),
    ));
});

describe("npm run deploy of several stacks that is interrupted", () => {
  const testBed = TestBed.standing();
  const LOCAL = { local: {} };
  let cluster: BackendCluster;
  let round = 1;

  beforeAll(async () => {
    cluster = await BackendCluster.withTwoClients(testBed);
    await testBed.reset();
    cluster.write(LOCAL, String(round));
    await cluster.expectDeployed();
  });
  afterAll(async () => {
    await testBed.reset();
    await testBed.removeHost("consul-client2");
    cluster.project.remove();
  });

  /** Starts a deploy that replaces all agents, and waits until it has printed something. */
  async function deploying(until: RegExp): Promise<RunningCommand> {
    cluster.write(LOCAL, String(++round));
    const deploy = cluster.startDeploy();
    await eventually(async () => expect(deploy.stdout).toMatch(until), 240);
    return deploy;
  }
  /** The agents that have the containers of this round. */
  const changed = async () =>
    (await cluster.labelled("round")).flatMap(([agent, label]) => (label === String(round) ? [agent] : []));
  async function expectCompleted(): Promise<void> {
    await cluster.expectDeployed();
    expect(await changed()).toHaveLength(5);
    await cluster.expectNothingToDo();
  }

  test.each([
    ["while the servers' checks wait", /: waiting\n/, 0],
    ["while a server is stopped or started", /consul-server\d: stopping\n/, 1],
    ["when a server is ready, and others wait", /consul-server\d: ready, a voter/, 1],
  ])("by one Ctrl-C %s: no other stack starts", async (_, until, least) => {
    const deploy = await deploying(until);
    deploy.signal("SIGINT");
    const { exitCode, stdout } = await deploy.finished;
    expect(stdout).toContain("Ctrl-C: no further agent is stopped; what was begun is completed.");
    expect(stdout).not.toMatch(/stack consul-(edge|web): applying/);
    expect(stdout).toMatch(/not touched: .*consul-client1 and consul-client2/);
    expect(stdout).not.toContain("stopped, and not ready");
    expectInterrupted(exitCode);
    const touched = await changed();
    expect(touched.length).toBeGreaterThanOrEqual(least);
    expect(touched.length).toBeLessThanOrEqual(2);
    expect(touched.filter((agent) => agent.includes("client"))).toEqual([]);
    await expectCompleted();
  });

  test("by one Ctrl-C while two stacks run beside each other: what was begun is completed in both", async () => {
    const deploy = await deploying(/consul-client\d: stopping\n/);
    deploy.signal("SIGINT");
    const { stdout } = await deploy.finished;
    expect(stdout).toContain("stack consul-edge: applying its plan");
    expect(stdout).toContain("stack consul-web: applying its plan");
    expect(stdout).toContain("Ctrl-C: no further agent is stopped; what was begun is completed.");
    expect(stdout).not.toContain("stopped, and not ready");
    // Both, if the second was allowed at the same moment.
    expect((await changed()).length).toBeGreaterThanOrEqual(4);
    await expectCompleted();
  });

  test("by two Ctrl-C while two stacks run beside each other: Terraform ends in both, and what is locked is told", async () => {
    const deploy = await deploying(/consul-client\d: starting\n/);
    const [, replaced = ""] = /(consul-client\d): starting\n/.exec(deploy.stdout) ?? [];
    // Without its servers the client agent does not become ready, however fast the machine is.
    await cutOff(testBed, replaced, HOSTS);
    try {
      deploy.signal("SIGINT");
      await eventually(async () => expect(deploy.stdout).toContain("Ctrl-C: no further agent is stopped"), 30);
      await pause(3);
      expect(deploy.stdout).not.toContain(`${replaced}: ready`);
      deploy.signal("SIGINT");
      const { exitCode, stdout } = await deploy.finished;
      expect(stdout).toContain("stack consul-edge: applying its plan");
      expect(stdout).toContain("stack consul-web: applying its plan");
      expect(stdout).toContain("Ctrl-C again: Terraform is interrupted");
      expect(stdout).toContain(`\nstopped, and not ready: ${replaced}\n`);
      expect(stdout).toContain(`\nstill locked: consul-cdktf/clients/${replaced}, for ${replaced}: `);
      expect(stdout).toContain("next: npm run deploy does the rest");
      expectInterrupted(exitCode);
      expect((await changed()).filter((agent) => agent.includes("client"))).toEqual([replaced]);
    } finally {
      await reconnect(testBed, replaced);
    }
    await expectCompleted();
  });
});
