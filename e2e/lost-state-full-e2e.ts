import { copyFileSync, existsSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ClusterFile } from "../cluster/file/schema";
import { eventually } from "./consul";
import { daemonsProject } from "./daemons";
import { deployReleased, FORMER_IMAGE } from "./last-release";
import { expectUndisturbed, LiveCluster, type Seen } from "./live-cluster";
import { missingKeys } from "./load";
import { expectPrinted, Page } from "./page";
import { pause } from "./pause";
import { Project } from "./project";
import type { CommandResult } from "./test-bed/command";
import { TestBed } from "./test-bed/test-bed";

const testBed = TestBed.standing();
const PAGE = "docs/lost-state.md";
const DRY_RUN = "### 1. ";
const WRITE = "### 2. ";
/** The commands of a section of the runbook, which are typed in a project. */
const commands = (page: Page, heading: string): string => page.commands(heading)[0] as string;
const adoptIn = (project: Project): string => commands(Page.open(PAGE, project), WRITE);
/** The page's cluster has one stack, and other containers than those of this test. */
const expectShown = (shown: string, printed: string): void =>
  expectPrinted(
    shown.replaceAll(/(?<= writing | again: )[\w-]+(, [\w-]+)*/g, "...").replace(/\d+(?= unchanged)/, "..."),
    printed,
  );
/** The address of the host of the first client agent. */
const CLIENT_HOST = "172.16.8.110";

/** Local Terraform states of a cluster's stacks. */
class States {
  constructor(
    private readonly folder: string,
    readonly stacks: readonly string[],
  ) {}

  file = (stack: string): string => join(this.folder, `terraform.${stack}.tfstate`);

  lose(stacks = this.stacks): void {
    for (const file of stacks.map(this.file)) {
      expect(existsSync(file)).toBe(true);
      for (const lost of [file, `${file}.backup`]) rmSync(lost, { force: true });
    }
  }

  keep(name: string): void {
    for (const stack of this.stacks) copyFileSync(this.file(stack), `${this.file(stack)}.${name}`);
  }

  /** As from a backup: what is there now is lost. */
  bringBack(name: string): void {
    this.lose();
    for (const stack of this.stacks) renameSync(`${this.file(stack)}.${name}`, this.file(stack));
  }
}

const sh = (project: Project, command: string, env: NodeJS.ProcessEnv = {}): Promise<CommandResult> =>
  project.run("sh", ["-c", command], { check: false, env, timeoutMs: 400_000 });

async function expectNothingToDo(
  project: Project,
  env: NodeJS.ProcessEnv = {},
  page = Page.open(PAGE, project),
): Promise<void> {
  const { stdout, stderr, exitCode } = await sh(project, commands(page, "## Verification"), env);
  expect([exitCode, exitCode === 0 ? "" : `${stdout}\n${stderr}`]).toEqual([0, ""]);
  const [shown = ""] = page.outputs("## Verification");
  expectShown(shown, stdout);
}

describe("containers of the last release, which have no labels", () => {
  let cluster: LiveCluster;
  beforeAll(async () => {
    const options = { clients: 1, security: "off", firstDeploy: deployReleased } as const;
    cluster = await LiveCluster.up(testBed, "unlabelled", options);
  });
  afterAll(() => cluster.down());

  test("are written as they are, and a deploy replaces them one by one", async () => {
    cluster.file.image = FORMER_IMAGE;
    cluster.write();
    new States(cluster.project.folder, ["consul"]).lose();
    let result: CommandResult | undefined;
    expect(
      await cluster.touchedBy(async () => {
        result = await sh(cluster.project, adoptIn(cluster.project));
      }),
    ).toEqual([]);
    expect([result?.exitCode, result?.exitCode === 0 ? "" : result?.stderr]).toEqual([0, ""]);
    expect(result?.stdout).toContain(
      `the file differs from what runs: ${cluster.agentNames
        .map((name) => `docker_container.${name}`)
        .sort()
        .join(", ")}`,
    );
    let touched: string[] = [];
    const seen = await cluster.during(async () => {
      touched = await cluster.touchedBy(() => cluster.npmDeploy());
    });
    expect(touched.sort()).toEqual([...cluster.agentNames].sort());
    // The only client agent is replaced too, and while it is, its users have no other.
    expect(seen.users.sessionLosses).toBe(0);
    expect(seen.servers.mostDown).toBeLessThan(2);
    await cluster.expectSound(seen);
  });
});

describe("whatever the file has, the plan is empty", () => {
  async function expectTakenOver(project: Project, stack: string): Promise<void> {
    new States(project.folder, [stack]).lose();
    const { exitCode, stdout, stderr } = await sh(project, adoptIn(project));
    expect([exitCode, exitCode === 0 ? "" : `${stdout}\n${stderr}`]).toEqual([0, ""]);
    await expectNothingToDo(project);
    await project.destroy();
    project.remove();
  }

  test("settings of all kinds, on daemons of all kinds", async () => {
    const project = await daemonsProject(testBed);
    await project.npmDeploy();
    await expectTakenOver(project, "daemons");
  });

  test("a bridge network, and published ports", async () => {
    await testBed.localHost.reset();
    const project = new Project(testBed.local, "clusters/local.yaml");
    await project.npmDeploy();
    await expectTakenOver(project, "consul-local");
  });
});

describe.each([3, 5])("a secured cluster of %i servers in three stacks", (servers) => {
  let cluster: LiveCluster;
  let states: States;
  let page: Page;
  const inTwoGroups = (file: ClusterFile): ClusterFile["hosts"] =>
    Object.fromEntries(
      Object.entries(file.hosts).map(([name, address]) => {
        const group = { 1: "a", 2: "b" }[name.at(-1) ?? ""];
        return [name, group === undefined ? address : { address: String(address), group }];
      }),
    );

  /** All servers are voters, each has every acknowledged write, nobody holds the lock, and the plan is empty. */
  async function expectSound({ users }: Seen): Promise<void> {
    await cluster.expectWhole();
    for (const name of cluster.serverNames)
      await eventually(async () =>
        expect({ name, missing: await missingKeys(cluster.api(name), users) }).toEqual({ name, missing: [] }),
      );
    await expectNothingToDo(cluster.project, cluster.env, page);
  }

  /** Follows the runbook under load: no container is touched, and the plan is empty. @returns what adopt printed */
  async function expectTakenOver(): Promise<string> {
    let result: CommandResult | undefined;
    let touched: string[] = [];
    const seen = await cluster.during(async () => {
      touched = await cluster.touchedBy(async () => {
        result = await sh(cluster.project, commands(page, WRITE), cluster.env);
      });
    });
    const output = `${result?.stderr}${result?.stdout}`;
    expect([result?.exitCode, result?.exitCode === 0 ? "" : output]).toEqual([0, ""]);
    expect(touched).toEqual([]);
    expectUndisturbed(seen);
    expect(seen.users.failed).toBe(0);
    await expectSound(seen);
    return output;
  }

  beforeAll(async () => {
    // The client agents' users need the first two of them, whatever is lost.
    const name = `lost-state-${servers}`;
    cluster = await LiveCluster.up(testBed, name, {
      servers,
      security: "on",
      settings: { private_folder: "../consul-private", registrator: "on", backups: { every: "1h" } },
      firstDeploy: async (_, starting) => {
        starting.file.hosts = inTwoGroups(starting.file);
        await starting.npmDeploy({ timeoutMs: 400_000 });
      },
    });
    states = new States(cluster.project.privatePath(cluster.file, "."), ["consul", "consul-a", "consul-b"]);
    page = Page.open(PAGE, cluster.project);
  });
  afterAll(() => cluster.down());

  test("without its Terraform states, a deploy is rejected, and names the way out", async () => {
    states.keep("last-week");
    states.lose();
    const output = await cluster.expectRejected("npmDeploy");
    const [symptom = ""] = page.outputs("## Symptom");
    const [rejected = "", problem = ""] = symptom.split("\n");
    expect(output).toContain(rejected);
    // Its location and its agents are others.
    const [, message = ""] = /(error container-exists: .* at all: )/.exec(problem) ?? [];
    expect(message).not.toBe("");
    expect(output).toContain(message);
    expect(output).toContain("npm run adopt");
    expect(output).toContain(PAGE);
  });

  test("a dry run shows what is missing, and writes nothing", async () => {
    const { exitCode, stderr } = await sh(cluster.project, commands(page, DRY_RUN), cluster.env);
    expect(exitCode).toBe(0);
    const [shown = ""] = page.outputs(DRY_RUN);
    // Agents of several stacks have another order.
    for (const line of shown.trim().split("\n")) expectShown(line, stderr);
    for (const name of cluster.agentNames)
      expect(stderr).toContain(`${name} on ${name}: its container ${name} is not in the Terraform state`);
    expect(stderr).toContain("consul-server1_backups on consul-server1: not in the Terraform state");
    expect(stderr).toContain("consul-client1_registrator on consul-client1: not in the Terraform state");
    for (const stack of states.stacks) expect(existsSync(states.file(stack))).toBe(false);
  });

  test("deleted states are written again", async () => {
    const [shown = ""] = page.outputs(WRITE);
    expectShown(shown, await expectTakenOver());
  });

  test("an adoption that is killed goes on when it is run again", async () => {
    states.lose();
    // Before a state is written, in between, and while steps run.
    for (const [line, seconds] of [
      [": writing", 0],
      [": writing", 8],
      [": checking its agents", 2],
    ] as const) {
      const running = testBed.operator.spawn("sh", ["-c", commands(page, WRITE)], {
        cwd: cluster.project.folder,
        env: { CLUSTER: cluster.project.clusterFile, ...cluster.env },
      });
      await eventually(async () => expect(running.stderr).toContain(line), 120);
      await pause(seconds);
      running.killAll();
      await running.finished;
    }
    await expectTakenOver();
  });

  test("of the states of half the stacks, those that are lost are written again", async () => {
    states.lose(["consul", "consul-a"]);
    const output = await cluster.expectRejected("npmDeploy");
    expect(output).toContain(PAGE);
    const printed = await expectTakenOver();
    expect(printed).toContain("consul-server2 on consul-server2: adopted already");
  });

  test("states of last week, from before two changes, are brought up to date", async () => {
    cluster.changeAll();
    await cluster.add("client", 3);
    await cluster.npmDeploy({ timeoutMs: 600_000 });
    states.bringBack("last-week");
    expect(await cluster.expectRejected("npmDeploy")).toContain("npm run adopt");
    await expectTakenOver();
  });

  test("the state of another cluster is rejected; once it is moved away, the own one is written again", async () => {
    const other = new Project(testBed.operator, "clusters/other.yaml");
    const file: ClusterFile = {
      name: "other",
      security: "off",
      daemon: "ssh://root@{address}",
      hosts: { other1: CLIENT_HOST },
      servers: ["other1"],
      ports: { http: 9500, dns: 9600, serf_lan: 9301, serf_wan: 9302, server: 9300 },
    };
    writeFileSync(join(other.folder, other.clusterFile), JSON.stringify(file));
    await other.npmDeploy();
    states.lose(["consul"]);
    copyFileSync(join(other.folder, "terraform.other.tfstate"), states.file("consul"));

    const output = await cluster.expectRejected("npmDeploy");
    expect(output).toContain("error state-of-other-cluster: the Terraform state of the stack consul is that of the");
    const denied = await sh(cluster.project, commands(page, WRITE), cluster.env);
    expect(denied.exitCode).toBe(1);
    expect(denied.stderr).toContain("error state-of-other-cluster: ");
    const moveAway = commands(page, "### The state is another cluster's");
    expect(denied.stderr).toContain(moveAway.trim());
    await sh(cluster.project, moveAway);
    await expectTakenOver();

    await expectNothingToDo(other);
    await other.destroy();
    other.remove();
  });

  test("afterwards, a change of all agents replaces them one by one", async () => {
    cluster.changeAll();
    const seen = await cluster.during(() => cluster.npmDeploy({ timeoutMs: 600_000 }));
    expectUndisturbed(seen);
    await expectSound(seen);
  });

  test("no command of the page was left out", () => expect(page.untyped).toEqual([]));
});
