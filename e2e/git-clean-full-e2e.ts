import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { documented } from "./documented";
import { PackedProject } from "./packed-project";
import type { CommandOptions, CommandResult } from "./test-bed/command";
import { TestBed } from "./test-bed/test-bed";

const SERVERS = ["consul-server1=172.16.8.120", "consul-server2=172.16.8.121", "consul-server3=172.16.8.122"];
const CLIENT = "consul-client1=172.16.8.110";
const AGENTS = [...SERVERS, CLIENT].map((agent) => agent.split("=")[0] as string);
const KEY = /^private_folder: .*\n/m;
const PAGE = "docs/projects.md";
const MOVING = "### A cluster that runs already";

/** A block of the page, for the project of this test. */
const ofPage = (language: string): string =>
  (documented(PAGE, language, MOVING)[0] as string)
    .replaceAll("payments-private", "project-private")
    .replaceAll("secrets/payments", "secrets/consul");

describe("git clean -fdx in the checkout of a project", () => {
  const testBed = TestBed.standing();
  const root = mkdtempSync(join(tmpdir(), "consul-cdktf-e2e-"));
  const kept = join(root, "project-private");
  let project: PackedProject;

  const run = (words: readonly string[], options: CommandOptions = {}): Promise<CommandResult> =>
    testBed.operator.run("npm", ["run", "-s", ...words], { cwd: project.folder, timeoutMs: 600_000, ...options });
  const check = (...words: string[]): Promise<CommandResult> => run(words, { check: false });
  const install = (folder: string) =>
    project.here("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", folder);
  const deploy = async (): Promise<readonly Record<string, unknown>[]> => {
    const { stdout } = await run(["deploy", "--", "--auto-approve", "--json"]);
    return stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
  };

  /** What is not committed is removed, and the packages are installed again. */
  function clean(): void {
    project.here("git", "clean", "-fdx", "--quiet");
    for (const gone of ["node_modules", "cdktf.out"]) expect(existsSync(join(project.folder, gone))).toBe(false);
    install(project.folder);
  }

  async function expectNothingToDo(options: CommandOptions = {}): Promise<void> {
    const { stdout, stderr, exitCode } = await run(["diff", "--", "--detailed-exitcode"], { check: false, ...options });
    expect([exitCode, exitCode === 0 ? "" : `${stdout}\n${stderr}`]).toEqual([0, ""]);
    expect(stdout).toContain("nothing to do; containers: 4 unchanged");
  }

  /** Each agent's container, and since when it runs. */
  const containers = (): Promise<string[]> =>
    Promise.all(AGENTS.map((agent) => testBed.host(agent).incarnation(agent)));

  beforeAll(async () => {
    await testBed.reset();
    project = PackedProject.make(root, [...SERVERS.flatMap((server) => ["--server", server]), "--client", CLIENT]);
  });
  afterAll(async () => {
    await testBed.reset();
    rmSync(root, { recursive: true, force: true });
  });

  test("the first deploy names every location, and git clean reaches none of them", async () => {
    expect((await run(["secrets", "--", "init"])).stderr).not.toContain("files-in-checkout");
    const { locations } = (await deploy()).at(-1) as { locations: { location: string; inCheckout: boolean }[] };
    expect(locations.map(({ location, inCheckout }) => [location, inCheckout])).toEqual([
      ["../project-private/secrets/consul", false],
      ["../project-private/terraform.consul.tfstate", false],
      ["../project-private/backups/consul", false],
    ]);
    expect(statSync(kept).mode & 0o777).toBe(0o700);
  });

  test("nothing is lost: there is nothing to do, the cluster is healthy, and a backup can be restored", async () => {
    const [, backup = ""] = /^saved (\S+)$/m.exec((await run(["backup"])).stdout) ?? [];
    expect(backup).toMatch(/^\.\.\/project-private\/backups\/consul\/.*\.snap$/);
    const before = await containers();
    clean();
    await expectNothingToDo();
    for (const words of [["status"], ["doctor"], ["secrets", "--", "check"]]) await run(words);
    const { stdout } = await run(["restore", "--", backup, "--auto-approve"]);
    expect(stdout).toContain("restored: all servers are voters");
    expect(await containers()).toEqual(before);
  });

  test("another operator, whose checkout is called otherwise and lies deeper, has nothing to do either", async () => {
    const home = join(root, "home/of/another");
    const checkout = join(home, "consul");
    project.clone(checkout);
    project.here("cp", "-a", kept, home);
    install(checkout);
    await expectNothingToDo({ cwd: checkout });
  });

  describe("without the key", () => {
    beforeAll(async () => {
      await testBed.reset();
      rmSync(kept, { recursive: true });
      rmSync(join(project.folder, "cdktf.out"), { recursive: true });
      project.edit((text) => text.replace(KEY, ""));
    });

    test("the secrets and the Terraform state are gone, of which the first commands have warned", async () => {
      const folder = project.folder;
      const warning = "warning files-in-checkout: ";
      expect((await run(["secrets", "--", "init"])).stderr).toContain(
        `${warning}secrets/consul is in the git checkout`,
      );
      const { stderr } = await run(["deploy", "--", "--auto-approve"]);
      expect(stderr).toContain(`${warning}secrets/consul, terraform.consul.tfstate, backups/consul are in`);
      expect(stderr).toMatch(/^ {2}secrets\/consul .*git clean -fdx removes it$/m);
      const saved = join(root, "saved");
      mkdirSync(saved);
      project.here("cp", "-a", "secrets", "terraform.consul.tfstate", saved);
      clean();
      const { stdout, stderr: lost, exitCode } = await check("diff");
      expect([exitCode, stdout + lost]).toEqual([1, expect.stringContaining("secrets-folder-missing")]);
      expect(existsSync(join(folder, "terraform.consul.tfstate"))).toBe(false);
      project.here("cp", "-a", `${saved}/.`, ".");
      await expectNothingToDo();
    });

    test("the key alone would replace every container, and diff names both folders", async () => {
      const key = "private_folder: ../project-private\n";
      project.edit((text) => text + key);
      const { stdout, stderr } = await check("diff");
      expect(stdout + stderr).toContain("For a running cluster write `security: { secrets: secrets/consul }`");
      mkdirSync(kept, { mode: 0o700 });
      project.here("cp", "-a", "secrets", "terraform.consul.tfstate", kept);
      rmSync(join(project.folder, "cdktf.out"), { recursive: true });
      const { stdout: planned } = await run(["diff"]);
      expect(planned).toContain("4 to replace");
      expect(planned).toContain(
        "/consul/secrets: its files' folder: ../../../secrets/consul -> ../../../../project-private/secrets/consul",
      );
      rmSync(kept, { recursive: true });
      rmSync(join(project.folder, "cdktf.out"), { recursive: true });
      project.edit((text) => text.replace(key, ""));
      await expectNothingToDo();
    });

    test("by the commands of the page, a running cluster gets the key, and no container is replaced", async () => {
      const before = await containers();
      await run(["backup"]);
      project.here("sh", "-ec", ofPage("sh"));
      project.edit((text) => text + ofPage("yaml"));
      await expectNothingToDo();
      clean();
      const { stderr, exitCode } = await check("diff");
      expect(exitCode).toBe(1);
      const [, link = ""] = /the link to them is gone: (.*)$/m.exec(stderr) ?? [];
      project.here("sh", "-ec", link);
      await expectNothingToDo();
      await deploy();
      expect(await containers()).toEqual(before);
      expect(readFileSync(join(kept, "secrets/consul/cluster.name"), "utf8")).toBe("consul\n");
    });
  });
});
