import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { HealthProblem } from "../ops/inspect/health-problem";
import { ConsulHttp, eventually } from "./consul";
import { Load, missingKeys } from "./load";
import { Project } from "./project";
import type { CommandResult } from "./test-bed/command";
import { TestBed } from "./test-bed/test-bed";

const BASE = readFileSync(join(__dirname, "../clusters/seed.yaml"), "utf8").replace(
  /^images:.*$/m,
  "ready_timeout: 60",
);

const USERS = ["http://172.16.8.110:8500", "http://172.16.8.110:8500"] as const;

describe("every kind of finding, produced on a real cluster", () => {
  const testBed = TestBed.standing();
  const project = new Project(testBed.operator, "clusters/unhealthy.yaml");
  const server = (number: number) => new ConsulHttp(testBed.operator.machine, `http://172.16.8.12${number - 1}:8500`);
  const write = (...lines: string[]) =>
    writeFileSync(join(project.folder, "clusters/unhealthy.yaml"), [BASE, ...lines, ""].join("\n"));
  const doctor = (...args: string[]): Promise<CommandResult> =>
    project.run("npm", ["run", "-s", "doctor", "--", ...args], { check: false, timeoutMs: 400_000 });
  const problems = async (): Promise<string[]> => {
    const found: readonly HealthProblem[] = JSON.parse((await doctor("--json")).stdout).problems;
    return found.map(({ location: { agent, host }, message }) => `${agent ?? host}: ${message}`);
  };
  const expectNothingWrong = async () => {
    expect(await problems()).toEqual([]);
    expect((await project.cdktf(["diff"])).stdout).toContain("No changes.");
  };

  beforeAll(async () => {
    await testBed.reset();
    write();
    await project.deploy();
  });
  afterAll(async () => {
    await project.destroy();
    project.remove();
  });

  test("a container that is missing in the Terraform state: a deploy fails, until --fix removes it", async () => {
    await project.terraform("consul", ["state", "rm", "docker_container.consul-server2"]);
    const refused = await project.deploy({ check: false });
    expect(refused.stdout + refused.stderr).toMatch(/already in use/);
    expect(await problems()).toEqual([
      "consul-server2: its container consul-server2 is not in the Terraform state: a deploy was killed before it recorded it",
    ]);
    expect((await doctor("--fix")).stderr).toContain("consul-server2: stop allowed");
    await project.deploy();
    await expectNothingWrong();
  });

  test("a state file that a killed deploy left half written: --fix restores its backup", async () => {
    const file = join(project.folder, "terraform.consul.tfstate");
    const whole = JSON.parse(readFileSync(file, "utf8"));
    writeFileSync(file, "");
    expect((await project.deploy({ check: false })).exitCode).not.toBe(0);
    expect(await problems()).toEqual([
      expect.stringMatching(
        /its container is not in terraform.consul.tfstate, but in terraform.consul.tfstate.backup: a deploy was killed while it wrote the Terraform state$/,
      ),
    ]);
    for (let round = 0; round < 5 && (await doctor("--fix")).exitCode !== 0; round++)
      await project.deploy({ check: false });
    await project.deploy();
    await expectNothingWrong();
    expect(JSON.parse(readFileSync(file, "utf8")).lineage).toBe(whole.lineage);
  });

  test("a container recreated by hand, without our label, is replaced after its pre-stop check", async () => {
    const host = testBed.host("consul-server3");
    const { Image, Cmd } = JSON.parse((await host.docker("inspect", "consul-server3")).stdout)[0].Config;
    await host.docker("stop", "-t", "30", "consul-server3");
    await host.docker("rm", "consul-server3");
    await host.docker(
      ...[
        "run",
        "-d",
        "--name=consul-server3",
        "--net=host",
        "--restart=always",
        "--label=SERVICE_IGNORE=false",
        "-h",
        "consul-server3",
      ],
      ...["-v", "consul-server3-data:/consul/data", "-v", "consul-server3-declared:/consul/declared", Image, ...Cmd],
    );
    await eventually(async () => expect(await server(3).json("/v1/status/leader")).not.toBe(""));
    expect(await problems()).toEqual([
      "consul-server3: its container consul-server3 is not in the Terraform state: it was created by hand, with another entrypoint, label SERVICE_IGNORE, label consul-cdktf.agent, label consul-cdktf.cluster, label consul-cdktf.role",
    ]);
    expect((await doctor("--fix")).stderr).toContain("consul-server3: stop allowed");
    await project.deploy();
    await expectNothingWrong();
  });

  test("two servers edited by hand are recreated one after the other, and users continue to write", async () => {
    for (const name of ["consul-server1", "consul-server2"])
      await testBed.host(name).docker("exec", name, "sh", "-c", "rm /consul/leave-leadership.sh");
    expect(await problems()).toEqual(
      ["consul-server1", "consul-server2"].map(
        (name) => `${name}: files in its container were changed by hand: /consul/leave-leadership.sh (missing)`,
      ),
    );
    const load = await Load.start(testBed.operator, USERS);
    const { exitCode } = await doctor("--fix");
    const seen = await load.stop();
    process.stderr.write(`    users saw: ${JSON.stringify({ ...seen, unacknowledged: undefined })}\n`);
    expect(exitCode).toBe(0);
    // Two elections at most: without its script a leader does not hand leadership over. Two servers down together would
    // be half a minute.
    expect(seen.longestGap).toBeLessThan(10);
    await project.deploy();
    await expectNothingWrong();
  });

  test("an unreachable host, with a server", async () => {
    await testBed.host("consul-server3").disconnect();
    const found = await problems();
    expect(found).toContainEqual(expect.stringMatching(/^consul-server3: its Docker daemon is unreachable/));
    await testBed.host("consul-server3").connect();
    await eventually(expectNothingWrong, 90);
  });

  test("a server that crashes on its flags is found with its exit code, and keeps the lock that it holds", async () => {
    write("config: { log_level: info }");
    const bad = BASE.replace(
      "servers: [consul-server1,",
      "servers: [{ name: consul-server1, flags: [-no-such-flag] },",
    ).replace("ready_timeout: 60", "ready_timeout: 20");
    writeFileSync(join(project.folder, "clusters/unhealthy.yaml"), bad);
    await project.deploy({ check: false });
    expect(await problems()).toEqual([
      expect.stringMatching(/^consul-server1: its container (restarts again and again|is)/),
    ]);
    await doctor("--fix");
    expect(await server(2).get("/v1/kv/consul-cdktf/replacing?raw")).toBe("consul-server1");
    write();
    await project.deploy();
    await expectNothingWrong();
  });

  test("a deploy that is killed four times: doctor --fix and a deploy recover it, and nothing is lost", async () => {
    const load = await Load.start(testBed.operator, USERS);
    for (const [round, seconds] of [4, 6, 8, 10].entries()) {
      write(`labels: { round: "${round}" }`);
      const deploy = project.startDeploy();
      await new Promise((resume) => setTimeout(resume, seconds * 1000));
      deploy.killAll();
      await deploy.finished;
      const alive = await Promise.all(
        [1, 2, 3].map((number) =>
          server(number)
            .json("/v1/status/leader")
            .catch(() => ""),
        ),
      );
      expect(alive.filter((leader) => leader !== "").length).toBeGreaterThanOrEqual(2);
    }
    const { stdout, stderr } = await doctor("--fix");
    process.stderr.write(`${stdout}${stderr}\n`);
    await project.deploy();
    const seen = await load.stop();
    for (const number of [1, 2, 3])
      await eventually(async () => expect(await missingKeys(server(number), seen)).toEqual([]));
    await expectNothingWrong();
  });
});
