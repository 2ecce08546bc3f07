import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Project } from "./project";
import type { CommandResult } from "./test-bed/command";
import { TestBed } from "./test-bed/test-bed";

const AGENTS = ["consul-server1", "consul-server2", "consul-server3", "consul-client1"];
/** The article's cluster, its third server in a group. */
const GROUPED = `name: consul
security: off
ignore: [open-http, two-servers]
client_addr: 0.0.0.0
daemon: ssh://root@{address}
hosts:
  consul-server1: 172.16.8.120
  consul-server2: 172.16.8.121
  consul-server3: { address: 172.16.8.122, group: third }
  consul-client1: 172.16.8.110
servers: [consul-server1, consul-server2, consul-server3]
clients: [consul-client1]
`;

describe("npm run diff, and changes that npm run deploy rejects", () => {
  const testBed = TestBed.standing();
  const project = new Project(testBed.operator, "clusters/grouped.yaml");
  const write = (text: string) => writeFileSync(join(project.folder, "clusters/grouped.yaml"), text);
  const npm = (...args: string[]): Promise<CommandResult> =>
    project.run("npm", ["run", "-s", ...args], { check: false });
  const diff = (...args: string[]) => npm("diff", "--", ...args);
  const running = () => Promise.all(AGENTS.map((name) => testBed.host(name).incarnation(name)));

  /** Expects that a deploy of this file prints the location and the hint, and touches no container. */
  async function expectRejected(file: string, message: RegExp): Promise<void> {
    const before = await running();
    write(file);
    const { stdout, stderr, exitCode } = await npm("deploy", "--", "--auto-approve");
    expect(stderr).toMatch(message);
    expect(stderr).toContain("rejected; nothing was changed");
    expect(stdout).toBe("cluster file: clusters/grouped.yaml\n");
    expect(exitCode).toBe(1);
    expect(await running()).toEqual(before);
  }

  beforeAll(async () => {
    await testBed.reset();
    write(GROUPED);
  });
  afterAll(() => project.remove());

  test("of a cluster that does not exist yet: all is new", async () => {
    const { stdout, exitCode } = await diff();
    expect(stdout.split("\n")).toEqual([
      "cluster file: clusters/grouped.yaml",
      "",
      "consul",
      "    + create          consul-client1, consul-server1, consul-server2",
      "        container  new",
      "  with 3 docker_image, 9 terraform_data",
      "",
      "consul-third",
      "    + create          consul-server3",
      "        container  new",
      "  with 1 docker_image, 2 terraform_data",
      "",
      "containers: 4 to create, 0 to replace, 0 to change in place, 0 to remove, 0 unchanged",
      "",
    ]);
    expect(exitCode).toBe(0);
  });

  test("deploy brings all stacks up, in order", async () => {
    const { stdout, exitCode } = await npm("deploy", "--", "--auto-approve");
    expect(stdout).toContain("cluster file: clusters/grouped.yaml");
    expect(stdout).toContain("voters: consul-server1 consul-server2 consul-server3");
    expect(exitCode).toBe(0);
  });

  test("of a cluster that matches its file: nothing to do", async () => {
    const { stdout, exitCode } = await diff("--detailed-exitcode");
    expect(stdout).toBe("cluster file: clusters/grouped.yaml\n\nnothing to do; containers: 4 unchanged\n");
    expect(exitCode).toBe(0);
  });

  describe("of a changed file", () => {
    beforeAll(() =>
      write(
        GROUPED.replace(
          "servers: [consul-server1,",
          "servers: [{ name: consul-server1, image: 'hashicorp/consul:1.21.5', bind_addr: 0.0.0.0, advertise_addr: 172.16.8.120 },",
        )
          .replace("clients: [consul-client1]", "clients: [{ name: consul-client1, restart: on-failure }]")
          .concat("config: { log_level: debug }\n"),
      ),
    );

    test("it gives the reasons, container by container; containers with the same changes form one group", async () => {
      const { stdout, exitCode } = await diff("--detailed-exitcode");
      expect(stdout.split("\n").slice(2)).toEqual([
        "consul",
        "  -/+ replace         consul-client1",
        "        restart    always -> on-failure",
        '        upload     /consul/config/agent.json: log_level: + "debug"',
        "  -/+ replace         consul-server1",
        "        command    -bind=172.16.8.120 -> -bind=0.0.0.0",
        "        command    + -advertise=172.16.8.120",
        "        image      hashicorp/consul:1.22.7 -> hashicorp/consul:1.21.5",
        '        upload     /consul/config/agent.json: log_level: + "debug"',
        "  -/+ replace         consul-server2",
        '        upload     /consul/config/agent.json: log_level: + "debug"',
        "  with 1 docker_image, 7 terraform_data",
        "",
        "consul-third",
        "  -/+ replace         consul-server3",
        '        upload     /consul/config/agent.json: log_level: + "debug"',
        "  with 2 terraform_data",
        "",
        "containers: 0 to create, 4 to replace, 0 to change in place, 0 to remove, 0 unchanged",
        "",
      ]);
      expect(exitCode).toBe(2);
    });

    test("--markdown has the same, as a comment on a pull request", async () => {
      const { stdout, exitCode } = await diff("--markdown", "--detailed-exitcode", "consul-third");
      expect(stdout.split("\n")).toEqual([
        "### consul: containers: 0 to create, 1 to replace, 0 to change in place, 0 to remove, 0 unchanged",
        "",
        "```text",
        "consul-third",
        "  -/+ replace         consul-server3",
        '        upload     /consul/config/agent.json: log_level: + "debug"',
        "  with 2 terraform_data",
        "```",
        "",
      ]);
      expect(exitCode).toBe(2);
    });

    test("--json has the same, for one stack if one is named", async () => {
      const { stdout, exitCode } = await diff("--json", "consul-third");
      const { file, stacks, problems, unreachable } = JSON.parse(stdout);
      expect({ file, problems, unreachable }).toEqual({ file: "clusters/grouped.yaml", problems: [], unreachable: {} });
      expect(stacks).toHaveLength(1);
      expect(stacks[0].changes[0]).toEqual({
        address: "docker_container.consul-server3",
        name: "consul-server3",
        type: "docker_container",
        action: "replace",
        reasons: [{ what: "upload", item: "/consul/config/agent.json: log_level", after: '"debug"' }],
      });
      expect(exitCode).toBe(0);
    });
  });

  test("of agents with `decommission: true`: that they are decommissioned", async () => {
    write(
      GROUPED.replace("consul-server3]", "{ name: consul-server3, decommission: true }]").replace(
        "clients: [consul-client1]",
        "clients: [{ name: consul-client1, decommission: true }]",
      ),
    );
    const { stdout, exitCode } = await diff();
    for (const agent of ["consul-client1", "consul-server3"])
      expect(stdout).toContain(`    - remove          ${agent}\n        container  decommissioned\n`);
    expect(exitCode).toBe(0);
  });

  test("a server's line that is deleted without decommission is rejected; diff shows the changes too", async () => {
    const message =
      /clusters\/grouped\.yaml:11:1: error line-deleted: server "consul-server2" is no longer in the file.*\n {4}hint: restore its line with `decommission: true`/;
    await expectRejected(GROUPED.replace("consul-server2, ", ""), message);
    const { stdout, stderr, exitCode } = await diff("--detailed-exitcode");
    expect(stderr).toMatch(message);
    expect(stdout).toContain("    - remove          consul-server2\n        container  no longer in the file\n");
    expect(exitCode).toBe(1);
    // Options keep working under their former names.
    for (const option of ["--allow", "--accept"])
      expect((await diff("--detailed-exitcode", option, "line-deleted", "consul")).exitCode).toBe(2);
  });

  test("an agent on another host than its container is rejected", () =>
    expectRejected(
      GROUPED.replace(
        "clients: [consul-client1]",
        "clients: [{ name: consul-client1, host: consul-server1, ports: { http: 18500, dns: 18600, serf_lan: 18301 } }]",
      ),
      /error host-moved: the file has "consul-client1" on host "consul-server1", and its container is on host "consul-client1"/,
    ));

  test("a host in another group than its container is rejected", () =>
    expectRejected(
      GROUPED.replace("group: third", "group: fourth"),
      /yaml:11:43: error stack-moved: the file has "consul-server3" in stack "consul-fourth", and its container is in stack "consul-third"/,
    ));

  test("a group without a host is rejected while its stack has resources", () =>
    expectRejected(
      GROUPED.replace(/^ {2}consul-server3:.*\n/m, "").replace(", consul-server3]", "]"),
      /yaml:6:1: error stack-gone: no host of the file is in stack "consul-third" any more, and its Terraform state has docker_container\.consul-server3: /,
    ));

  test("of a container that was removed by hand, and one that was stopped: what happened to each", async () => {
    write(GROUPED);
    await Promise.all([
      testBed.host("consul-client1").docker("rm", "-f", "consul-client1"),
      testBed.host("consul-server3").docker("stop", "consul-server3"),
    ]);
    const { stdout } = await diff();
    expect(stdout).toContain("    + create          consul-client1\n        container  gone from its host\n");
    expect(stdout).toContain("    ~ change in place consul-server3\n        container  not running\n");
  });

  test("destroy takes all stacks down, and keeps the data", async () => {
    write(GROUPED);
    const { stdout, exitCode } = await npm("destroy", "--", "--auto-approve");
    expect(exitCode).toBe(0);
    expect(stdout).toContain("cluster file: clusters/grouped.yaml");
    for (const agent of AGENTS) {
      expect((await testBed.host(agent).docker("ps", "-aq")).stdout).toBe("");
      expect((await testBed.host(agent).docker("volume", "ls", "-q")).stdout).toContain(`${agent}-data\n`);
    }
  });
});
