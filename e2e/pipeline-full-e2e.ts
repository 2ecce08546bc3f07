import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Background } from "./background";
import { eventually } from "./consul";
import { OrdinaryUser } from "./ordinary-user";
import { PackedProject } from "./packed-project";
import type { CommandResult, RunningCommand } from "./test-bed/command";
import { SSH_FILES } from "./test-bed/ssh";
import { TestBed } from "./test-bed/test-bed";

const SERVERS = ["consul-server1=172.16.8.120", "consul-server2=172.16.8.121", "consul-server3=172.16.8.122"];
const CLIENT = "consul-client1";
const HTTP = "http://127.0.0.1:9001/{stack}";
const BACKEND = `backend: ${JSON.stringify({ http: { address: HTTP, lock_address: HTTP, unlock_address: HTTP } })}\n`;

/** The private folder that `init` names after the project's folder. */
const PRIVATE = "project-private";

/** Programs that read the time see a later one: the certificates, which last a year, are due. */
const DUE = `const Today = Date;
const later = () => Today.now() + 340 * 24 * 60 * 60 * 1000;
globalThis.Date = class extends Today {
  constructor(...values) { super(...(values.length > 0 ? values : [later()])); }
  static now() { return later(); }
};
`;

describe("the steps of a pipeline, by a user who is not root and has nothing but the CI's variables", () => {
  const testBed = TestBed.standing();
  const root = mkdtempSync(join(tmpdir(), "consul-cdktf-e2e-"));
  let user: OrdinaryUser;
  let project: PackedProject;
  let states: Background<unknown>;
  let store: NodeJS.ProcessEnv;
  const outputs: string[] = [];
  let jobs = 0;
  /** The job of the pull request. */
  let first: Job;

  /** A job of a CI: a workspace with a checkout, a home and a folder for temporary files of its own. */
  class Job {
    private readonly workspace = join(root, `job${++jobs}`);
    readonly folder = join(this.workspace, "checkout");
    /** With a short name, for the sockets of ssh. */
    readonly temporary = join(root, `t${jobs}`);
    private readonly env: NodeJS.ProcessEnv;

    private constructor(env: NodeJS.ProcessEnv) {
      project.clone(this.folder);
      const home = `${this.folder}-home`;
      for (const folder of [home, this.temporary]) mkdirSync(folder);
      this.env = { ...store, HOME: home, TMPDIR: this.temporary, npm_config_cache: project.cache, ...env };
    }

    static async begin(env: NodeJS.ProcessEnv = {}, planned?: Job): Promise<Job> {
      const job = new Job(env);
      if (planned) copyFileSync(join(planned.folder, "plans.tar"), join(job.folder, "plans.tar"));
      for (const folder of [job.workspace, job.temporary]) await user.own(folder);
      return job;
    }

    async run(step: string): Promise<CommandResult> {
      const options = { cwd: this.folder, env: this.env, timeoutMs: 600_000, check: false };
      const result = await user.run("sh", ["pipeline.sh", step], options);
      outputs.push(result.stdout + result.stderr);
      return result;
    }

    start(step: string): RunningCommand {
      return user.spawn("sh", ["pipeline.sh", step], { cwd: this.folder, env: this.env });
    }

    /** Where it has the key and the secrets while it runs. */
    get credentials(): string {
      return join(this.folder, ".pipeline");
    }

    read(file: string): string {
      return readFileSync(join(this.folder, file), "utf8");
    }

    expectClean(): void {
      expect(lstatSync(this.credentials, { throwIfNoEntry: false })).toBeUndefined();
      const secrets = join(this.workspace, PRIVATE, "secrets");
      expect(existsSync(join(this.folder, "secrets"))).toBe(false);
      expect(existsSync(secrets) ? readdirSync(secrets) : []).toEqual([]);
      expect(readdirSync(this.temporary)).toEqual([]);
    }
  }

  /** Runs a step in a job of its own. @param planned the job whose plan is deployed */
  async function step(
    name: string,
    env: NodeJS.ProcessEnv = {},
    planned?: Job,
  ): Promise<CommandResult & { readonly job: Job }> {
    const job = await Job.begin(env, planned);
    const result = await job.run(name);
    job.expectClean();
    return { ...result, job };
  }
  const expectDone = ({ exitCode, stdout, stderr }: CommandResult) =>
    expect([exitCode, exitCode === 0 ? "" : `${stdout}\n${stderr}`]).toEqual([0, ""]);

  /** A plan of what is merged, and its deploy. */
  async function deployMerged(): Promise<void> {
    const { job, ...plan } = await step("plan");
    expectDone(plan);
    expectDone(await step("deploy", {}, job));
  }

  beforeAll(async () => {
    chmodSync(root, 0o755);
    await testBed.reset();
    states = await Background.start(testBed.operator, "state-servers/main.ts", []);
    const servers = SERVERS.flatMap((server) => ["--server", server]);
    project = PackedProject.make(root, [...servers, "--client", `${CLIENT}=172.16.8.110`, "--pipeline", "github"]);
    project.edit((text) => text + BACKEND);
    project.here("npm", "run", "--silent", "secrets", "--", "init");
    const line = project.here("npm", "run", "--silent", "secrets", "--", "export", "--without-ca-key").trim();
    store = {
      CONSUL_SECRETS: line.slice(0, 2000),
      CONSUL_SECRETS_2: line.slice(2000),
      SSH_PRIVATE_KEY: readFileSync(SSH_FILES.key, "utf8"),
      SSH_KNOWN_HOSTS: readFileSync(SSH_FILES.knownHosts, "utf8"),
    };
    user = await OrdinaryUser.at(testBed.operator, join(root, "home"));
    user.forgetSsh();
    await user.own(project.cache);
  });
  afterAll(async () => {
    await states.stop();
    await testBed.reset();
    rmSync(root, { recursive: true, force: true });
  });

  test("a pull request gets what would change, as a comment, and nothing is changed", async () => {
    const { job, ...result } = await step("plan");
    expectDone(result);
    first = job;
    expect(job.read("plan.md")).toMatch(/^### consul: .*4 to create/);
    expect(job.read("plan.md")).toMatch(/^ +\+ create .*consul-server1/m);
    const { stdout } = await testBed.host(CLIENT).docker("ps", "-aq");
    expect(stdout.trim()).toBe("");
  });

  test("an approved plan is deployed by another job, after which the nightly check finds nothing", async () => {
    expectDone(await step("deploy", {}, first));
    const nightly = await step("nightly");
    expectDone(nightly);
    expect(nightly.stdout).toContain("nothing to do; containers: 4 unchanged");
    expect(nightly.stdout).toMatch(/^leader +consul-server[123]/m);
  });

  test("the nightly check fails for certificates that are due", async () => {
    const due = join(root, "due.cjs");
    writeFileSync(due, DUE);
    const { exitCode, stdout, stderr } = await step("nightly", { NODE_OPTIONS: `--require ${due}` });
    expect(stdout).toContain("warning certificate-expiring: expires on ");
    // The containers have the same certificates, and status looks at those.
    expect(stderr).toContain("something has to be done: status secrets\n");
    expect(exitCode).toBe(1);
  });

  test("the nightly check fails for a container that somebody has removed, and a deploy restores it", async () => {
    await testBed.host(CLIENT).docker("rm", "-f", CLIENT);
    const { exitCode, stdout, stderr } = await step("nightly");
    expect(stdout).toContain("1 to create");
    expect(stderr).toContain("something has to be done: diff status\n");
    expect(exitCode).toBe(1);
    await deployMerged();
  });

  test("a plan that was deployed already is rejected, because the Terraform state is newer", async () => {
    const { exitCode, stdout, stderr } = await step("deploy", {}, first);
    expect(stdout + stderr).toContain("the Terraform state of stack consul: planned with none, found serial");
    expect(exitCode).toBe(1);
  });

  test.each([
    ["an incomplete secret", { CONSUL_SECRETS_2: "" }, "CONSUL_SECRETS is no export of secrets, or not all of it"],
    ["no secret at all", { CONSUL_SECRETS: "", CONSUL_SECRETS_2: "" }, "secrets-folder-missing"],
    ["a host whose key is not known", { SSH_KNOWN_HOSTS: "" }, "is unreachable"],
  ])("%s fails the plan, and nothing is left of it", async (_, env, message) => {
    const { exitCode, stdout, stderr } = await step("plan", env);
    expect(stdout + stderr).toContain(message);
    expect(exitCode).toBe(1);
  });

  test("a deploy that is cancelled stops in good order and cleans up, and the next one completes it", async () => {
    project.edit((text) => `${text}labels: { round: "2" }\n`);
    const { job: planned, ...plan } = await step("plan");
    expectDone(plan);
    expect(planned.read("plan.md")).toContain("4 to replace");
    const job = await Job.begin({}, planned);
    const deploy = job.start("deploy");
    await eventually(async () => expect(deploy.stdout).toContain("stop allowed"), 240);
    const modes = ["key", "known_hosts", "config"].map((file) => statSync(join(job.credentials, file)).mode & 0o777);
    expect(modes).toEqual([0o600, 0o600, 0o600]);
    deploy.signal("SIGINT");
    const { exitCode, stdout, stderr } = await deploy.finished;
    outputs.push(stdout + stderr);
    expect(exitCode).toBe(130);
    job.expectClean();
    await deployMerged();
    expectDone(await step("nightly"));
  });

  test("the step `clean` removes what a killed job has left", async () => {
    const job = await Job.begin();
    const plan = job.start("plan");
    await eventually(async () => expect(plan.stdout + plan.stderr).toContain("inspecting 4 hosts"), 120);
    plan.killAll();
    await plan.finished;
    expect(readdirSync(job.credentials)).toContain("key");
    expectDone(await job.run("clean"));
    job.expectClean();
  });

  test("no output has a secret", () => {
    const { current } = JSON.parse(readFileSync(join(root, PRIVATE, "secrets/consul/tokens.json"), "utf8")) as {
      current: Record<string, string>;
    };
    const key = readFileSync(SSH_FILES.key, "utf8").split("\n")[2] as string;
    const secrets = [...Object.values(current), key];
    expect(secrets.length).toBeGreaterThan(5);
    expect(outputs.filter((text) => secrets.some((secret) => text.includes(secret)))).toEqual([]);
  });
});
