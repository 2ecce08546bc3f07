import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ClusterFile } from "../cluster/file/schema";
import { eventually } from "./consul";
import { Project } from "./project";
import type { CommandResult } from "./test-bed/command";
import { TestBed } from "./test-bed/test-bed";

const AGENTS = ["consul-server1", "consul-server2", "consul-server3", "consul-client1"];

describe("plans that are saved, approved and deployed", () => {
  const testBed = TestBed.standing((line) => process.stderr.write(`${line}\n`));
  const { operator } = testBed;
  const project = new Project(operator, "clusters/saved.yaml");
  /** Terraform states that both checkouts use, and the folders of plans. */
  const shared = mkdtempSync(join(tmpdir(), "consul-cdktf-e2e-plans-"));
  let clone: Project;
  let round = 0;
  let saved = 0;

  /** Writes the cluster file: two stacks. Another round replaces all containers. */
  function write(at: Project): void {
    const file: ClusterFile = {
      name: "consul",
      ready_timeout: 60,
      daemon: "ssh://root@{address}",
      hosts: {
        "consul-server1": "172.16.8.120",
        "consul-server2": "172.16.8.121",
        "consul-server3": "172.16.8.122",
        "consul-client1": { address: "172.16.8.110", group: "edge" },
      },
      servers: AGENTS.slice(0, 3),
      clients: AGENTS.slice(3),
      labels: { round: String(round) },
      backend: { local: { path: join(shared, "{stack}.tfstate") } },
    };
    writeFileSync(join(at.folder, at.clusterFile), JSON.stringify(file));
  }
  const npm = (at: Project, words: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<CommandResult> =>
    at.run("npm", ["run", "-s", ...words], { check: false, env });
  const deploySaved = (at: Project, folder: string, env?: NodeJS.ProcessEnv) =>
    npm(at, ["deploy", "--", "--plan", folder], env);
  const expectDone = ({ exitCode, stdout, stderr }: CommandResult) =>
    expect([exitCode, exitCode === 0 ? "" : `${stdout}\n${stderr}`]).toEqual([0, ""]);
  const containers = () =>
    Promise.all(
      AGENTS.map(async (agent) => {
        const format = '{{.Id}} {{.State.StartedAt}} {{index .Config.Labels "round"}}';
        return (await testBed.host(agent).docker("inspect", "-f", format, agent)).stdout.trim();
      }),
    );
  const rounds = async () => (await containers()).map((text) => text.split(" ")[2]);

  /** Plans a change of all agents. @returns the folder */
  async function plan(...options: string[]): Promise<string> {
    round += 1;
    write(project);
    const folder = join(shared, `plans-${++saved}`);
    expectDone(await npm(project, ["plan", "--", "--out", folder, ...options]));
    write(clone);
    return folder;
  }

  beforeAll(async () => {
    await testBed.reset();
    write(project);
    expectDone(await npm(project, ["secrets", "--", "init"]));
    expectDone(await npm(project, ["deploy", "--", "--auto-approve"]));
    clone = new Project(operator, project.clusterFile);
    cpSync(join(project.folder, "secrets"), join(clone.folder, "secrets"), { recursive: true });
  });
  afterAll(async () => {
    await testBed.reset();
    for (const { folder } of [project, clone]) rmSync(folder, { recursive: true, force: true });
    rmSync(shared, { recursive: true, force: true });
  });

  test("they are deployed from another checkout and another folder, without a question; then nothing is left to do", async () => {
    const folder = await plan();
    const moved = join(shared, "moved");
    renameSync(folder, moved);
    const { stdout, ...deployed } = await deploySaved(clone, moved);
    expectDone({ stdout, ...deployed });
    expect(stdout).toContain("-/+ replace         consul-server1, consul-server2, consul-server3");
    expect(stdout).toContain("done after");
    expect(await rounds()).toEqual(AGENTS.map(() => String(round)));
    const again = await npm(project, ["plan", "--", "--out", join(shared, "empty"), "--detailed-exitcode"]);
    expect(again.stdout).toContain("nothing to do; containers: 4 unchanged");
    expect(again.exitCode).toBe(0);
    expectDone(await deploySaved(clone, join(shared, "empty")));
  });

  describe("are refused, and nothing is changed,", () => {
    let folder: string;
    let before: string[];
    beforeAll(async () => {
      before = await containers();
      folder = await plan();
    });

    async function expectRefused(reason: string | RegExp, at = folder, env?: NodeJS.ProcessEnv): Promise<void> {
      const { stderr, exitCode } = await deploySaved(clone, at, env);
      expect(stderr).toContain("rejected; nothing was changed");
      expect(stderr).toMatch(reason);
      expect(exitCode).toBe(1);
      expect(await containers()).toEqual(before);
    }
    const AGAIN = "plan and approve again: npm run plan -- --out FOLDER";

    test.each(["consul.plan", "stacks/consul-edge/cdk.tf.json", "stacks/consul/terraform.lock.hcl"])(
      "if %s was changed",
      async (file) => {
        const copy = join(shared, `tampered-${++saved}`);
        cpSync(folder, copy, { recursive: true });
        appendFileSync(join(copy, file), " ");
        await expectRefused(new RegExp(`${file}: planned with \\w+, found \\w+\\n {4}hint: ${AGAIN}`), copy);
      },
    );

    test("with another Terraform", async () => {
      await testBed.opentofu();
      const env = { TERRAFORM_BINARY_NAME: "tofu" };
      await expectRefused(/Terraform: planned with Terraform v\S+, found OpenTofu v/, folder, env);
    });

    test("with another cluster file", async () => {
      round += 1;
      write(clone);
      round -= 1;
      await expectRefused(/cdk\.tf\.json of stack consul: .* with another docker_container\.consul-server1/);
      write(clone);
    });

    test("if a host is unreachable", async () => {
      await testBed.host("consul-client1").disconnect();
      try {
        const { stderr, exitCode } = await deploySaved(clone, folder);
        expect(stderr).toContain("rejected; nothing was changed");
        expect(stderr).toContain('host "consul-client1" is unreachable: ');
        expect(exitCode).toBe(1);
        const refused = await npm(project, ["plan", "--", "--out", join(shared, "unreachable")]);
        expect(refused.stderr).toContain("no plan was saved: a deploy would be rejected, or incomplete");
        expect(refused.exitCode).toBe(1);
        expect(existsSync(join(shared, "unreachable"))).toBe(false);
      } finally {
        await testBed.host("consul-client1").connect();
      }
      expect(await containers()).toEqual(before);
    });

    test("if a Terraform state is locked", async () => {
      // Terraform asks for an approval that never comes, and holds the lock meanwhile.
      const held = operator.spawn("sh", ["-c", "sleep 120 | terraform -chdir=cdktf.out/stacks/consul-edge apply"], {
        cwd: project.folder,
      });
      await eventually(async () => expect(held.stdout).toContain("Enter a value"), 60);
      await expectRefused("the Terraform state of stack consul-edge is locked");
      held.killAll();
      await held.finished;
      rmSync(join(shared, ".consul-edge.tfstate.lock.info"), { force: true });
    });

    test("if a secret was changed", async () => {
      const secrets = join(clone.folder, "secrets");
      cpSync(secrets, `${secrets}-before`, { recursive: true });
      expectDone(await npm(clone, ["secrets", "--", "rotate", "certificates", "consul-server1"]));
      await expectRefused(/secrets: .* changes in agents\/consul-server1\/cert\.pem and .*key\.pem\n {4}hint: /);
      rmSync(secrets, { recursive: true });
      renameSync(`${secrets}-before`, secrets);
    });

    test("if a Terraform state was changed", async () => {
      for (const word of ["taint", "untaint"])
        await project.terraform("consul-edge", [word, "docker_container.consul-client1"]);
      await expectRefused(/the Terraform state of stack consul-edge: planned with serial \d+, .*, found serial \d+/);
    });
  });

  test("after a partial deploy they are refused; new ones do the rest", async () => {
    const folder = await plan();
    const env = { CLUSTER: clone.clusterFile };
    const deploy = operator.spawn("npm", ["run", "-s", "deploy", "--", "--plan", folder], { cwd: clone.folder, env });
    await eventually(async () => expect(deploy.stdout).toMatch(/consul-server\d: stopping\n/), 120);
    deploy.signal("SIGINT");
    const { stdout } = await deploy.finished;
    expect(stdout).toContain("Ctrl-C: no further agent is stopped");
    const partial = await rounds();
    expect(partial[3]).toBe(String(round - 2));
    expect(partial).toContain(String(round));

    const { stderr, exitCode } = await deploySaved(clone, folder);
    expect(stderr).toMatch(/the Terraform state of stack consul: planned with serial \d+, /);
    expect(stderr).not.toContain("the Terraform state of stack consul-edge:");
    expect(stderr).toContain("plan and approve again");
    expect(exitCode).toBe(1);
    expect(await rounds()).toEqual(partial);

    const rest = join(shared, "rest");
    expect((await npm(project, ["plan", "--", "--out", rest, "--detailed-exitcode"])).exitCode).toBe(2);
    expectDone(await deploySaved(clone, rest));
    expect(await rounds()).toEqual(AGENTS.map(() => String(round)));
    expect((await npm(project, ["diff", "--", "--detailed-exitcode"])).exitCode).toBe(0);
  });

  test("a host that was skipped is skipped again", async () => {
    const folder = await plan("--without", "consul-client1");
    expect(JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8")).stacks).toHaveLength(1);
    const { stdout, exitCode } = await npm(clone, ["deploy", "--", "--plan", folder, "--json"]);
    const events = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(events[1]).toMatchObject({ event: "approved", by: "saved plan" });
    expect(events.at(-1)).toMatchObject({ event: "summary", result: "done" });
    expect(exitCode).toBe(0);
    const now = String(round);
    expect(await rounds()).toEqual([now, now, now, String(round - 1)]);
  });
});
