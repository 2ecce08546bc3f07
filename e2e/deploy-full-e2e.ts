import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "./consul";
import { documented } from "./documented";
import { Project } from "./project";
import type { CommandResult } from "./test-bed/command";
import { TestBed } from "./test-bed/test-bed";

const MOVING = documented("docs/layouts.md", "sh", "### Moving a host to another group");
/** Two servers and a client in one stack, the third server in a group. */
const GROUPED = `name: consul
security: off
ignore: [open-http]
client_addr: 0.0.0.0
ready_timeout: 60
daemon: ssh://root@{address}
hosts:
  consul-server1: 172.16.8.120
  consul-server2: 172.16.8.121
  consul-server3: { address: 172.16.8.122, group: third }
  consul-client1: 172.16.8.110
servers: [consul-server1, consul-server2, consul-server3]
clients: [consul-client1]
`;
const AGENTS = ["consul-server1", "consul-server2", "consul-server3", "consul-client1"];

describe("npm run deploy with unreachable hosts, and with hosts that get another group or name", () => {
  const testBed = TestBed.standing();
  const project = new Project(testBed.operator, "clusters/grouped.yaml");
  const write = (text: string) => writeFileSync(join(project.folder, "clusters/grouped.yaml"), text);
  const npm = (...args: string[]): Promise<CommandResult> =>
    project.run("npm", ["run", "-s", ...args], { check: false });
  const deploy = (...args: string[]) => npm("deploy", "--", "--auto-approve", ...args);
  const inspected = async (agent: string, format: string) =>
    (await testBed.host(agent).docker("inspect", "-f", format, agent)).stdout.trim();
  /** The label that tells each round's containers from those of the round before. */
  const rounds = () => Promise.all(AGENTS.map((agent) => inspected(agent, '{{index .Config.Labels "round"}}')));
  const containers = () => Promise.all(AGENTS.map((agent) => inspected(agent, "{{.Id}} {{.State.StartedAt}}")));
  const eventuallyAllVoters = () =>
    eventually(async () => {
      const { stdout } = await testBed
        .host("consul-server1")
        .docker("exec", "consul-server1", "curl", "-s", "http://172.16.8.120:8500/v1/operator/autopilot/health");
      expect(JSON.parse(stdout)).toMatchObject({ Healthy: true, FailureTolerance: 1 });
    }, 60);
  async function expectNothingToDo(): Promise<void> {
    const { stdout, exitCode } = await npm("diff", "--", "--detailed-exitcode");
    expect(stdout).toContain("nothing to do; containers: 4 unchanged");
    expect(exitCode).toBe(0);
  }
  /** The file with a label for the client agent and for one or more servers. */
  const labelled = (round: string, ...servers: string[]) =>
    ["consul-client1", ...servers].reduce(
      (text, agent) =>
        text.replace(
          new RegExp(`^((?:servers|clients): .*)${agent}`, "m"),
          `$1{ name: ${agent}, labels: { round: "${round}" } }`,
        ),
      GROUPED,
    );

  beforeAll(async () => {
    await testBed.reset();
    write(GROUPED);
    expect((await deploy()).exitCode).toBe(0);
  });
  afterAll(async () => {
    await Promise.all(testBed.hosts.map((host) => host.connect()));
    await npm("destroy", "--", "--auto-approve");
    project.remove();
  });

  test("an unreachable host with its own group is skipped; the others are deployed; the exit code is 1", async () => {
    await testBed.host("consul-server3").disconnect();
    write(labelled("1", "consul-server3"));
    const { stdout, stderr, exitCode } = await deploy();
    expect(stderr).toContain("skipped: stack consul-third, with consul-server3");
    expect(stdout).toContain("consul-client1: ready, leader");
    expect(stderr.trim()).toMatch(/not deployed: host "consul-server3" is unreachable: .+$/);
    expect(exitCode).toBe(1);
    expect(await rounds()).toEqual(["", "", "", "1"]);
  });

  test("after its return, the same command completes", async () => {
    await testBed.host("consul-server3").connect();
    await eventuallyAllVoters();
    expect((await deploy()).exitCode).toBe(0);
    expect(await rounds()).toEqual(["", "", "1", "1"]);
    await expectNothingToDo();
  });

  describe("an unreachable host that shares its stack", () => {
    let before: string[];
    beforeAll(async () => {
      before = await containers();
      await testBed.host("consul-server2").disconnect();
      write(labelled("2", "consul-server2", "consul-server3"));
    });
    afterAll(() => testBed.host("consul-server2").connect());

    test("fails the deploy, which says how to continue", async () => {
      const { stderr, exitCode } = await deploy();
      expect(stderr).toMatch(/host "consul-server2" is unreachable: /);
      expect(stderr).toContain("npm run deploy -- --without consul-server2");
      expect(exitCode).toBe(1);
      expect(await containers()).toEqual(before);
    });

    test("fails the diff, which says the same, shows the other stacks, and has exit code 1", async () => {
      const { stdout, stderr, exitCode } = await npm("diff", "--", "--detailed-exitcode");
      expect(stdout).toContain("consul-third\n  -/+ replace         consul-server3");
      expect(stderr).toContain("npm run diff -- --without consul-server2");
      expect(exitCode).toBe(1);
    });

    test("is skipped by --without: the rest of the stack is shown, and deployed; its own container stays", async () => {
      const { stdout: shown } = await npm("diff", "--", "--without", "consul-server2", "consul");
      expect(shown).toContain("  -/+ replace         consul-client1\n");
      expect(shown).toContain("  skipped: consul-server2\n");
      const { stdout, exitCode } = await deploy("--without", "consul-server2", "consul");
      expect(stdout).toContain("consul-client1: ready, leader");
      expect(exitCode).toBe(0);
      expect((await rounds())[3]).toBe("2");
      expect((await containers())[1]).toBe(before[1]);
    });

    test("is deployed by a plain deploy once it is reachable", async () => {
      await testBed.host("consul-server2").connect();
      await eventuallyAllVoters();
      const { stdout, exitCode } = await deploy();
      expect(stdout).toContain("voters: consul-server1 consul-server2 consul-server3");
      expect(exitCode).toBe(0);
      expect(await rounds()).toEqual(["", "2", "2", "2"]);
      await expectNothingToDo();
    });
  });

  test("docs/layouts.md: a host moves to another group, and its container stays as it is", async () => {
    write(GROUPED);
    expect((await deploy()).exitCode).toBe(0);
    const before = await containers();
    expect(MOVING).toHaveLength(2);
    for (const commands of MOVING) {
      await project.run("sh", ["-euc", commands]);
      write(GROUPED.replace("{ address: 172.16.8.122, group: third }", "172.16.8.122"));
    }
    const { stdout, exitCode } = await deploy();
    expect(stdout).toContain("voters: consul-server1 consul-server2 consul-server3");
    expect(exitCode).toBe(0);
    expect(await containers()).toEqual(before);
    await expectNothingToDo();
  });

  test("a host gets another name with --allow host-moved, and its container stays as it is", async () => {
    const before = await containers();
    const renamed = GROUPED.replace("{ address: 172.16.8.122, group: third }", "172.16.8.122")
      .replace("consul-client1: ", "web: ")
      .replace("clients: [consul-client1]", "clients: [{ name: consul-client1, host: web }]");
    write(renamed);
    expect((await deploy()).stderr).toContain("error host-moved");
    expect((await deploy("--allow", "host-moved")).exitCode).toBe(0);
    expect(await containers()).toEqual(before);
    await expectNothingToDo();
  });
});
