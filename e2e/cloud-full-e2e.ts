import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BackendCluster, STACKS } from "./backend-cluster";
import { Background } from "./background";
import { eventually } from "./consul";
import { selfSigned } from "./state-servers/certificate";
import { stateFile, storedIn } from "./state-servers/cloud";
import { TestBed } from "./test-bed/test-bed";

const BACKEND = { cloud: { hostname: "localhost", organization: "acme" } };

describe("HCP Terraform stores the Terraform state, and every operation is local", () => {
  const testBed = TestBed.standing();
  /** What the stand-in of HCP Terraform has stored. */
  const stored = mkdtempSync(join(tmpdir(), "consul-cdktf-cloud-"));
  const cluster = BackendCluster.make(testBed, {
    SSL_CERT_FILE: join(stored, "cert.pem"),
    TF_TOKEN_localhost: "good",
  });
  const { project } = cluster;
  let server: Background<unknown>;

  const workspace = (name: string) => storedIn(stored).find((one) => one.name === name);
  const locked = () => storedIn(stored).flatMap((one) => (one.locked ? [one.name] : []));
  const requests = () => readFileSync(join(stored, "requests.log"), "utf8");
  const errored = (stack: string) => join(project.folder, "cdktf.out/stacks", stack, "errored.tfstate");

  beforeAll(async () => {
    await testBed.reset();
    const { cert, key } = await selfSigned("localhost");
    const files = { "cert.pem": cert, "key.pem": key, token: "good" };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(stored, name), text);
    server = await Background.start(testBed.operator, "state-servers/cloud-main.ts", [stored]);
  });
  afterAll(async () => {
    await server.stop();
    await testBed.reset();
    project.remove();
    rmSync(stored, { recursive: true });
  });

  test("a first deploy creates the workspaces with local execution, and runs here", async () => {
    cluster.write(BACKEND);
    await cluster.expectDeployed();
    expect(storedIn(stored).map(({ name, mode }) => [name, mode])).toEqual(STACKS.map((stack) => [stack, "local"]));
    expect(readdirSync(project.folder).filter((name) => name.endsWith(".tfstate"))).toEqual([]);
    expect(locked()).toEqual([]);
  });

  test("diff, status and doctor find the state", () => cluster.expectFoundByAll());

  test.each([
    ["npm run deploy", "2", () => cluster.deploy()],
    ["plain cdktf deploy", "3", () => cluster.cdktfDeploy()],
  ])("a rolling change by %s", async (_, round, deploy) => {
    cluster.write(BACKEND, round);
    const { stdout, exitCode } = await deploy();
    for (const server of ["consul-server1", "consul-server2", "consul-server3"])
      expect(stdout).toContain(`${server}: stop allowed: 2 of 3 voters are healthy without it`);
    expect(exitCode).toBe(0);
    await cluster.expectNothingToDo();
  });

  test("with more operations at once than Terraform's own number", async () => {
    const { exitCode } = await cluster.npm(["deploy", "--", "--auto-approve", "--terraform-parallelism", "40"]);
    expect(exitCode).toBe(0);
  });

  test("on a worker, which has the stack's folder alone, the plan fails with the reason", async () => {
    const before = await cluster.containers();
    const folder = join(project.folder, "worker");
    const env = { ...cluster.env, TF_VAR_TFC_RUN_ID: "run-1", TFC_RUN_ID: "run-1", TF_FORCE_LOCAL_BACKEND: "1" };
    const json = "cdktf.out/stacks/consul/cdk.tf.json";
    await project.run("sh", ["-euc", `mkdir -p ${folder} && cp ${json} ${folder}`]);
    const terraform = (...args: string[]) =>
      project.run("terraform", [`-chdir=${folder}`, ...args, "-no-color"], { env, check: false });
    expect((await terraform("init", "-input=false")).exitCode).toBe(0);
    const { stderr, exitCode } = await terraform("apply", "-auto-approve", "-input=false");
    expect(stderr.replace(/\s+/g, " ")).toContain("this stack cannot run on a worker of HCP Terraform");
    expect(exitCode).toBe(1);
    expect(await cluster.containers()).toEqual(before);
    expect(locked()).toEqual([]);
  });

  test("a wrong token, and none, are errors that say so; nothing is changed", async () => {
    const before = await cluster.containers();
    for (const command of [["diff"], ["status"], ["doctor"], ["deploy", "--", "--auto-approve"]]) {
      const { stdout, stderr, exitCode } = await cluster.npm(command, { TF_TOKEN_localhost: "wrong" });
      expect(`${command[0]}: ${stdout}${stderr}`).toContain("localhost rejects the token");
      // The status of the cluster does not depend on the Terraform state.
      expect([command[0], exitCode]).toEqual([command[0], command[0] === "status" ? 0 : 1]);
    }
    const { stderr } = await cluster.npm(["diff"], { TF_TOKEN_localhost: "" });
    expect(stderr).toContain("there is no token for localhost");
    expect(stderr).toContain("TF_TOKEN_localhost");
    expect(await cluster.containers()).toEqual(before);
  });

  test("of two deploys at once, one changes the cluster, and the other fails with the lock", async () => {
    cluster.write(BACKEND, "4");
    const colleague = cluster.colleague();
    const first = cluster.startDeploy();
    await eventually(async () => expect(locked()).toContain("consul"), 120);
    const second = await colleague.deploy();
    colleague.project.remove();
    expect(`${second.stdout}${second.stderr}`).toContain("workspace already locked");
    expect(second.exitCode).toBe(1);
    expect((await first.finished).exitCode).toBe(0);
    await cluster.expectNothingToDo();
  });

  test("a deploy that is killed leaves a lock, which is shown and released, and the next deploy completes", async () => {
    cluster.write(BACKEND, "5");
    const deploy = cluster.startDeploy();
    await eventually(async () => expect(deploy.stdout).toContain("stop allowed"), 180);
    deploy.killAll();
    await deploy.finished;
    expect(locked()).toEqual(["consul"]);
    const refused = await cluster.deploy();
    expect(`${refused.stdout}${refused.stderr}`).toContain("workspace already locked");
    expect(refused.exitCode).toBe(1);
    const shown = await cluster.npm(["state", "--", "unlock"]);
    expect(shown.stdout).toMatch(/^consul: locked$/m);
    expect(shown.exitCode).toBe(1);
    expect((await cluster.npm(["state", "--", "unlock", "--force", "consul"])).exitCode).toBe(0);
    expect(locked()).toEqual([]);
    await cluster.npm(["doctor", "--", "--fix"]);
    await cluster.expectDeployed();
    await cluster.expectFoundByAll();
  });

  test("a state that the API does not take is found, named and put back", async () => {
    cluster.write(BACKEND, "6");
    writeFileSync(join(stored, "faults.json"), JSON.stringify({ uploads: 403 }));
    const failed = await cluster.deploy();
    expect(failed.exitCode).toBe(1);
    rmSync(join(stored, "faults.json"));
    expect(existsSync(errored("consul"))).toBe(true);
    const { resources } = JSON.parse(readFileSync(errored("consul"), "utf8"));

    for (const command of [["diff"], ["doctor"], ["deploy", "--", "--auto-approve"]]) {
      const { stdout, stderr, exitCode } = await cluster.npm(command);
      expect(`${command[0]}: ${stdout}${stderr}`).toContain("error terraform-state-unsaved");
      expect(exitCode).toBe(1);
    }
    // HCP Terraform keeps the lock of a deploy that could not store its state.
    const refused = await cluster.npm(["state", "--", "recover"]);
    expect(refused.stderr).toContain("npm run state -- unlock consul");
    expect((await cluster.npm(["state", "--", "unlock", "--force"])).exitCode).toBe(0);
    expect((await cluster.npm(["state", "--", "recover"])).exitCode).toBe(0);
    expect(existsSync(errored("consul"))).toBe(false);
    const last = workspace("consul")?.versions.findLast(({ uploaded }) => uploaded);
    expect(JSON.parse(readFileSync(stateFile(stored, `${last?.id}`), "utf8")).resources).toEqual(resources);
    await cluster.expectDeployed();
    await cluster.expectFoundByAll();
  });

  test("the states move to local files and back, and every command finds them", async () => {
    const before = await cluster.containers();
    for (const to of [{ local: {} }, BACKEND]) {
      const { stdout, exitCode } = await cluster.npm(["state", "--", "migrate", "--to", JSON.stringify(to)]);
      expect(stdout).toMatch(/consul: (moved|there already)/);
      expect(exitCode).toBe(0);
      cluster.write(to, "6");
      await cluster.expectNothingToDo();
    }
    expect(await cluster.containers()).toEqual(before);
  });

  test("a destroy leaves empty states, and no run was ever started", async () => {
    await cluster.destroy();
    for (const stack of STACKS) {
      const last = workspace(stack)?.versions.findLast(({ uploaded }) => uploaded);
      expect(JSON.parse(readFileSync(stateFile(stored, `${last?.id}`), "utf8")).resources).toEqual([]);
    }
    expect(requests()).not.toMatch(/\/(runs|configuration-versions)/);
  });
});
