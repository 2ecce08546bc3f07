import { existsSync } from "node:fs";
import { join } from "node:path";
import { Background } from "./background";
import { eventually } from "./consul";
import { expectUndisturbed, LiveCluster } from "./live-cluster";
import { expectPrinted, Page } from "./page";
import { TestBed } from "./test-bed/test-bed";

const ADDRESS = "http://127.0.0.1:9001/{stack}";
const BACKEND = { http: { address: ADDRESS, lock_address: ADDRESS, unlock_address: ADDRESS } };

describe("a deploy ended early: docs/interrupted-deploy.md, on a secured cluster with a remote Terraform state", () => {
  const testBed = TestBed.standing();
  let states: Background<unknown>;
  let cluster: LiveCluster;
  let page: Page;

  const startStates = () => Background.start(testBed.operator, "state-servers/main.ts", []);

  beforeAll(async () => {
    await testBed.reset();
    states = await startStates();
    cluster = await LiveCluster.up(testBed, "interrupted-runbook", {
      security: "on",
      settings: { private_folder: "../consul-private", backend: BACKEND },
    });
    page = Page.open("docs/interrupted-deploy.md", cluster.project);
  });
  afterAll(async () => {
    await states.stop();
    await cluster.down();
  });

  /** Starts a deploy that replaces all agents, and waits until it has printed something. */
  async function deploying(until: RegExp) {
    cluster.changeAll();
    cluster.write();
    const deploy = cluster.startNpmDeploy();
    await eventually(async () => expect(deploy.stdout).toMatch(until), 120);
    return deploy;
  }

  /** The page's step 2, whose first command says by its exit code that a state is locked. */
  async function expectReleased(): Promise<void> {
    const released = await page.follow("### 2. ", { check: false });
    expect(released).toMatch(/^consul: locked$.*^consul: unlocked$/ms);
  }

  /** The page's steps 3 and 4, until a deploy succeeds. @returns what the repairs printed */
  async function repair(): Promise<string> {
    let repaired = "";
    for (let round = 0; round < cluster.agentNames.length; round++) {
      repaired += await page.follow("### 3. ", { check: false });
      const isUsed = (printed: string) => printed.includes("is already in use");
      const deployed = await page.follow("### 4. ", {
        check: false,
        compare: (shown, printed) => isUsed(printed) || expectPrinted(shown, printed),
      });
      if (!isUsed(deployed)) return repaired;
    }
    throw new Error(`another container is in use again and again: ${repaired}`);
  }

  async function expectVerified(): Promise<void> {
    const shown = await page.follow("## Verification");
    expect(shown).toContain("nothing is wrong");
    expect(shown).toContain("nothing to do");
  }

  test.each([
    ["is being stopped", /consul-server\d: stopping\n/],
    ["is being started", /consul-server\d: starting\n/],
    ["is ready", /consul-server\d: ready, a voter/],
  ])(
    "the operator's machine fails when a server %s: a lock is left, and the steps complete the deploy",
    async (_, until) => {
      const seen = await cluster.during(async () => {
        const deploy = await deploying(until);
        deploy.killAll();
        await deploy.finished;
        expect(cluster.applying()).toEqual([]);
        const failed = await cluster.project.npmDeploy({ check: false });
        expect(failed.stdout + failed.stderr).toContain("Error acquiring the state lock");
        expect(failed.exitCode).toBe(1);
        await page.follow("## Check", { check: false });
        await expectReleased();
        await repair();
        await expectVerified();
      });
      expectUndisturbed(seen);
      await cluster.expectSound(seen);
    },
  );

  test("the backend fails: the Terraform state is stored before anything else", async () => {
    const unsaved = join(cluster.project.folder, "cdktf.out/stacks", cluster.file.name, "errored.tfstate");
    const seen = await cluster.during(async () => {
      const deploy = await deploying(/consul-server\d: ready, a voter/);
      await states.stop();
      await deploy.finished;
      expect(existsSync(unsaved)).toBe(true);
      states = await startStates();
      const shown = await page.follow("## Check", { check: false });
      expect(shown).toContain("terraform-state-unsaved");
      await page.follow("### 1. ");
      expect(existsSync(unsaved)).toBe(false);
      await repair();
      await expectVerified();
    });
    expectUndisturbed(seen);
    await cluster.expectSound(seen);
  });

  test("undo: the former cluster file and a deploy", async () => {
    const before = { ...cluster.file };
    const seen = await cluster.during(async () => {
      const deploy = await deploying(/consul-server\d: ready, a voter/);
      deploy.killAll();
      await deploy.finished;
      await expectReleased();
      await page.follow("### 3. ", { check: false });
      cluster.file = before;
      cluster.write();
      await repair();
      await expectVerified();
    });
    expectUndisturbed(seen);
    await cluster.expectSound(seen);
    expect(page.untyped).toEqual([]);
  });
});
