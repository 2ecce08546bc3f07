import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Background } from "./background";
import { eventually } from "./consul";
import { Project } from "./project";
import type { CommandOptions, CommandResult, RunningCommand } from "./test-bed/command";
import { TestBed } from "./test-bed/test-bed";

const HTTP = "http://127.0.0.1:9001/{stack}";
const AGENTS = ["consul-server1", "consul-server2", "consul-server3", "consul-client1"];
const CLUSTER = {
  name: "consul",
  ignore: ["image-by-tag"],
  ready_timeout: 60,
  daemon: "ssh://root@{address}",
  hosts: {
    "consul-server1": "172.16.8.120",
    "consul-server2": "172.16.8.121",
    "consul-server3": "172.16.8.122",
    "consul-client1": "172.16.8.110",
  },
  servers: AGENTS.slice(0, 3),
  clients: AGENTS.slice(3),
  backend: { http: { address: HTTP, lock_address: HTTP, unlock_address: HTTP } },
};

describe("two operators, each with a clone, a home and a copy of the secrets folder, and one backend", () => {
  const testBed = TestBed.standing();
  const root = mkdtempSync(join(tmpdir(), "consul-cdktf-e2e-"));
  const repository = join(root, "repository");
  let states: Background<unknown>;
  let alice: Colleague;
  let bob: Colleague;

  const git = (folder: string, ...args: string[]) =>
    execFileSync("git", ["-c", "user.name=operator", "-c", "user.email=operator@example.com", ...args], {
      cwd: folder,
      stdio: "ignore",
    });

  /** An operator's project, whose cluster file is in a clone of the repository. */
  class Colleague {
    readonly project = new Project(testBed.operator, "team/cluster.yaml");
    private readonly clone = join(this.project.folder, "team");
    private readonly home: string;

    constructor(private readonly name: string) {
      this.home = join(root, name);
      git(root, "clone", "--quiet", repository, this.clone);
      cpSync(testBed.operator.home, this.home, { recursive: true });
    }

    /** Changes the cluster file, and commits that. */
    change(changes: object): void {
      const file = join(this.clone, "cluster.yaml");
      writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, "utf8")), ...changes }, null, 2));
      git(this.clone, "commit", "--quiet", "--all", "--message", `A change of ${this.name}`);
    }

    push(): void {
      git(this.clone, "push", "--quiet", "origin", "HEAD:main");
    }

    pull(): void {
      git(this.clone, "pull", "--quiet", "--rebase", "origin", "main");
    }

    takeSecretsOf(other: Colleague): void {
      rmSync(this.secrets, { recursive: true, force: true });
      mkdirSync(join(this.secrets, ".."), { recursive: true });
      execFileSync("cp", ["-a", other.secrets, this.secrets]);
    }

    get secrets(): string {
      return join(this.project.folder, "secrets/consul");
    }

    /** Runs a command; a failure is for the test to claim. */
    npm(...words: string[]): Promise<CommandResult> {
      return this.project.run("npm", ["run", "-s", ...words], { ...this.options, check: false });
    }

    async expectDone(...words: string[]): Promise<CommandResult> {
      const result = await this.npm(...words);
      const { stdout, stderr, exitCode } = result;
      expect([words[0], exitCode, exitCode === 0 ? "" : `${stdout}\n${stderr}`]).toEqual([words[0], 0, ""]);
      return result;
    }

    startDeploy(): RunningCommand {
      const env = { CLUSTER: this.project.clusterFile, ...this.options.env };
      const options = { cwd: this.project.folder, env };
      return testBed.operator.spawn("npm", ["run", "-s", "deploy", "--", "--auto-approve"], options);
    }

    async expectNothingToDo(): Promise<void> {
      const { stdout } = await this.expectDone("diff", "--", "--detailed-exitcode");
      expect(stdout).toContain("nothing to do; containers: 4 unchanged");
    }

    /** A command is rejected with this problem, and no container is touched. */
    async expectRejected(code: string, ...words: string[]): Promise<void> {
      const before = await containers();
      const { stdout, stderr, exitCode } = await this.npm(...words);
      expect(stdout + stderr).toContain(`error ${code}: `);
      expect(exitCode).toBe(1);
      expect(await containers()).toEqual(before);
    }

    private get options(): CommandOptions {
      return { env: { HOME: this.home } };
    }
  }

  /** Each agent's container, and since when it runs. */
  const containers = (): Promise<string[]> =>
    Promise.all(AGENTS.map((agent) => testBed.host(agent).incarnation(agent)));
  const labels = async (label: string): Promise<string[]> =>
    Promise.all(
      AGENTS.map(async (agent) => {
        const format = `{{index .Config.Labels ${JSON.stringify(label)}}}`;
        return (await testBed.host(agent).docker("inspect", "-f", format, agent)).stdout.trim();
      }),
    );

  beforeAll(async () => {
    await testBed.reset();
    states = await Background.start(testBed.operator, "state-servers/main.ts", []);
    mkdirSync(repository);
    git(repository, "init", "--quiet", "--bare", "--initial-branch", "main");
    const seed = join(root, "seed");
    git(root, "clone", "--quiet", repository, seed);
    writeFileSync(join(seed, "cluster.yaml"), JSON.stringify(CLUSTER, null, 2));
    git(seed, "add", "--all");
    git(seed, "commit", "--quiet", "--message", "The cluster");
    git(seed, "push", "--quiet", "origin", "HEAD:main");
    alice = new Colleague("alice");
    bob = new Colleague("bob");
    await alice.expectDone("secrets", "--", "init");
    await alice.expectDone("deploy", "--", "--auto-approve");
  });
  afterAll(async () => {
    await states.stop();
    await testBed.reset();
    for (const { project } of [alice, bob]) project.remove();
    rmSync(root, { recursive: true, force: true });
  });

  test("a new operator needs a clone, the secrets folder, ssh and the backend, and nothing of the first one's cdktf.out", async () => {
    await bob.expectRejected("secrets-folder-missing", "diff");
    await bob.expectRejected("secrets-folder-missing", "deploy", "--", "--auto-approve");
    bob.takeSecretsOf(alice);
    await bob.expectNothingToDo();
    await bob.expectDone("status");
    await bob.expectDone("doctor");
  });

  test("new secrets, made instead of copied, are rejected before anything is touched", async () => {
    rmSync(bob.secrets, { recursive: true });
    await bob.expectDone("secrets", "--", "init");
    await bob.expectRejected("secrets-stale", "deploy", "--", "--auto-approve");
    bob.takeSecretsOf(alice);
    await bob.expectNothingToDo();
  });

  test("of two deploys at once, one is done, the other is rejected by the lock, and is done after a pull", async () => {
    alice.change({ labels: { of: "alice" } });
    alice.push();
    const first = alice.startDeploy();
    await eventually(async () => expect(first.stdout).toContain("stop allowed"), 240);
    bob.change({ ready_timeout: 90 });
    const second = await bob.npm("deploy", "--", "--auto-approve");
    expect(second.stdout + second.stderr).toContain("Error acquiring the state lock");
    expect(second.exitCode).toBe(1);
    const { stdout, stderr, exitCode } = await first.finished;
    expect([exitCode, exitCode === 0 ? "" : `${stdout}\n${stderr}`]).toEqual([0, ""]);
    expect(await labels("of")).toEqual(AGENTS.map(() => "alice"));

    bob.pull();
    bob.push();
    await bob.expectDone("deploy", "--", "--auto-approve");
    expect(await labels("of")).toEqual(AGENTS.map(() => "alice"));
    alice.pull();
    for (const operator of [alice, bob]) await operator.expectNothingToDo();
    await alice.expectDone("status");
  });

  test("an operator who has not pulled sees in the diff what a deploy would take back", async () => {
    alice.change({ labels: { of: "nobody" } });
    alice.push();
    await alice.expectDone("deploy", "--", "--auto-approve");
    const { stdout, exitCode } = await bob.npm("diff", "--", "--detailed-exitcode");
    expect(stdout).toMatch(/label.*nobody/);
    expect(exitCode).toBe(2);
    bob.pull();
    await bob.expectNothingToDo();
  });

  test("a copy of the secrets from before a rotation is rejected before anything is touched, and the present one is not", async () => {
    await alice.expectDone("secrets", "--", "rotate", "tokens");
    await bob.expectNothingToDo();
    await alice.expectDone("deploy", "--", "--auto-approve");
    await bob.expectRejected("secrets-stale", "diff");
    await bob.expectRejected("secrets-stale", "deploy", "--", "--auto-approve");
    bob.takeSecretsOf(alice);
    await bob.expectNothingToDo();
    await bob.expectDone("secrets", "--", "revoke");
    await bob.expectDone("deploy", "--", "--auto-approve");
    await alice.expectRejected("secrets-stale", "deploy", "--", "--auto-approve");
    alice.takeSecretsOf(bob);
    await alice.expectNothingToDo();
  });
});
