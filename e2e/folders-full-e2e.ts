import { cpSync, existsSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { BackendCluster, STACKS } from "./backend-cluster";
import { eventually } from "./consul";
import { TestBed } from "./test-bed/test-bed";

const LOCAL = { local: {} };

describe("folders that are thrown away, variables that redirect Terraform, and commands beside each other", () => {
  const testBed = TestBed.standing();
  const cluster = BackendCluster.make(testBed);
  const { folder } = cluster.project;
  const stackFolder = (stack: string) => join(folder, "cdktf.out/stacks", stack);
  const remove = (path: string) => rmSync(path, { recursive: true, force: true });
  const removeInStacks = (name: string) => {
    for (const stack of STACKS) remove(join(stackFolder(stack), name));
  };
  const cache = join(testBed.operator.home, ".terraform.d/plugin-cache");
  let round = 1;

  beforeAll(async () => {
    await testBed.reset();
    cluster.write(LOCAL);
    await cluster.expectDeployed();
  });
  afterAll(async () => {
    await cluster.destroy();
    await testBed.reset();
    cluster.project.remove();
  });

  const LOST: readonly (readonly [what: string, lose: () => void])[] = [
    ["cdktf.out", () => remove(join(folder, "cdktf.out"))],
    [".terraform of each stack", () => removeInStacks(".terraform")],
    ["the content of the plugin cache", () => remove(cache)],
    ["the lock files", () => removeInStacks(".terraform.lock.hcl")],
  ];

  test.each(LOST)("without %s every command works, and a deploy changes what it should", async (_, lose) => {
    lose();
    await cluster.expectNothingToDo();
    lose();
    expect((await cluster.npm(["doctor"])).exitCode).toBe(0);
    lose();
    cluster.write(LOCAL, String(++round));
    await cluster.expectDeployed();
    lose();
    expect((await cluster.npm(["status"])).exitCode).toBe(0);
    await cluster.expectNothingToDo();
  });

  test("a checkout at another path finds its state", async () => {
    const moved = `${folder}-moved`;
    renameSync(folder, moved);
    try {
      const { stdout, exitCode } = await testBed.operator.run(
        "npm",
        ["run", "-s", "diff", "--", "--detailed-exitcode"],
        {
          cwd: moved,
          env: { CLUSTER: cluster.project.clusterFile },
          timeoutMs: 240_000,
          check: false,
        },
      );
      expect(stdout).toContain("nothing to do; containers: 4 unchanged");
      expect(exitCode).toBe(0);
    } finally {
      renameSync(moved, folder);
    }
  });

  test.each([
    ["TF_WORKSPACE", { TF_WORKSPACE: "prod" }],
    ["TF_DATA_DIR", { TF_DATA_DIR: "/tmp/data" }],
    ["TF_CLI_ARGS_init", { TF_CLI_ARGS_init: "-backend-config=path=other.tfstate" }],
  ])("%s is rejected by every command, and changes nothing", async (variable, env) => {
    const before = await cluster.containers();
    for (const words of [
      ["diff"],
      ["status"],
      ["doctor"],
      ["deploy", "--", "--auto-approve"],
      ["destroy", "--", "--auto-approve"],
    ]) {
      const { stdout, stderr, exitCode } = await cluster.npm(words, env);
      expect(`${words[0]}: ${stdout}${stderr}`).toContain(`${variable} is rejected`);
      expect(exitCode).toBe(1);
    }
    const plain = await cluster.cdktfDeploy(env);
    expect(`${plain.stdout}${plain.stderr}`).toContain(`${variable} is rejected`);
    expect(plain.exitCode).not.toBe(0);
    expect(await cluster.containers()).toEqual(before);
    for (const stack of STACKS) expect(existsSync(join(stackFolder(stack), "terraform.tfstate.d"))).toBe(false);
  });

  test("variables that are honoured reach Terraform from the project's folder", async () => {
    cpSync(testBed.operator.terraformConfig, join(folder, "terraform.rc"));
    const env = {
      TF_CLI_CONFIG_FILE: "terraform.rc",
      TF_PLUGIN_CACHE_DIR: "plugins",
      TF_LOG: "info",
      TF_LOG_PATH: "terraform.log",
      TF_INPUT: "1",
      TF_VAR_unknown: "x",
      TF_CLI_ARGS_plan: "-lock-timeout=5s",
    };
    remove(join(folder, "cdktf.out"));
    const { stdout, stderr, exitCode } = await cluster.npm(["diff", "--", "--detailed-exitcode"], env);
    expect(`${stdout}${stderr}`).toContain("nothing to do; containers: 4 unchanged");
    expect(exitCode).toBe(0);
    expect(existsSync(join(folder, "plugins/registry.terraform.io"))).toBe(true);
    expect(existsSync(join(folder, "terraform.log"))).toBe(true);
    remove(join(folder, "cdktf.out"));
  });

  test("beside a deploy in the same checkout, diff is rejected, and status and doctor work", async () => {
    cluster.write(LOCAL, String(++round));
    const deploy = cluster.startDeploy();
    await eventually(async () => expect(deploy.stdout).toContain("stop allowed"), 180);
    const { stderr, exitCode } = await cluster.npm(["diff", "--", "--without", "consul-server3"]);
    expect(stderr).toContain("cdktf.out is in use by the command `deploy`");
    expect(exitCode).toBe(1);
    expect((await cluster.npm(["status"])).stdout).toContain("consul-server1");
    expect((await cluster.npm(["doctor"])).stderr).not.toContain("in use");
    expect((await deploy.finished).exitCode).toBe(0);
    await cluster.expectNothingToDo();
  });

  test("a command that was killed leaves nothing in the way of the next", async () => {
    const deploy = cluster.startDeploy();
    await eventually(async () => expect(existsSync(join(folder, "cdktf.out/.in-use"))).toBe(true), 60);
    deploy.killAll();
    await deploy.finished;
    await cluster.expectNothingToDo();
  });
});
