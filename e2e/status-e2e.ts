import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { adaptiveTimeoutSeconds } from "../ops/docker/hosts";
import type { Status } from "../ops/status/status";
import { eventually } from "./consul";
import { LiveCluster } from "./live-cluster";
import { pause } from "./pause";
import type { CommandResult } from "./test-bed/command";
import { TestBed } from "./test-bed/test-bed";

describe("the status and the logs of a running cluster", () => {
  const testBed = TestBed.standing();
  const secured = process.env.SECURITY !== "off";
  let cluster: LiveCluster;
  const npm = (script: string, ...args: string[]): Promise<CommandResult> =>
    cluster.project.run("npm", ["run", "-s", script, "--", ...args], { check: false });
  const status = async (): Promise<Status> => JSON.parse((await npm("status", "--json")).stdout);
  const expectHealthy = () =>
    eventually(async () => expect(await status()).toMatchObject({ healthy: true, problems: [] }), 60);

  beforeAll(async () => {
    cluster = await LiveCluster.up(testBed, "status");
  });
  afterAll(() => cluster.down());

  test("a healthy cluster: members, leader, voters, versions, containers, certificates", async () => {
    await expectHealthy();
    const { leader, voters, agents, hosts, notices } = await status();
    expect(leader).toEqual({
      agent: await cluster.leader(),
      address: expect.stringMatching(/^172\.16\.8\.12[012]:8300$/),
    });
    expect([...(voters ?? [])].sort()).toEqual(cluster.serverNames);
    expect(hosts.map(({ docker }) => docker)).toEqual(hosts.map(() => expect.stringMatching(/^\d+\.\d+/)));
    expect(notices).toEqual([]);
    for (const agent of agents) {
      expect(agent).toMatchObject({
        ...{ healthy: true, version: "1.22.7", leader: leader?.agent },
        member: { address: `${cluster.file.hosts[agent.host]}:8301`, status: "alive" },
        container: { status: "running", image: "hashicorp/consul:1.22.7", drifted: false },
      });
      const days = (Date.parse(agent.certificateUntil ?? "") - Date.now()) / 86_400_000;
      if (!secured) expect(days).toBeNaN();
      else expect(Math.round(days)).toBe(agent.role === "server" ? 365 : 3);
    }
    expect(agents.filter(({ raft }) => raft?.leads).map(({ name }) => name)).toEqual([leader?.agent]);
    const { stdout, exitCode } = await npm("status");
    // This comes first, since its failure shows the whole screen.
    expect(stdout).not.toContain("unhealthy");
    expect([exitCode, stdout]).toEqual([
      0,
      expect.stringMatching(/^consul-server1 +172\.16\.8\.120:8301 +alive +server +1\.22\.7 +up /m),
    ]);
  });

  test("a service with a failing check is shown with the check's output, and the cluster is healthy", async () => {
    const check = { CheckID: "nginx-http", Name: "http", TTL: "10m", Status: "critical" };
    const register = (service: object) => cluster.api("consul-client1").put("/v1/agent/service/register", service);
    await register({ Name: "redis", Port: 6379 });
    await register({ Name: "nginx", Port: 80, Check: check });
    await cluster.api("consul-client1").put("/v1/agent/check/fail/nginx-http?note=HTTP%20502%20Bad%20Gateway", "");
    await eventually(async () => {
      const { healthy, services, notices } = await status();
      expect([healthy, services?.names]).toEqual([true, ["nginx", "redis"]]);
      expect(notices.map(({ message }) => message)).toEqual([
        expect.stringContaining('check "http" of service nginx on consul-client1 is critical'),
      ]);
    });
  });

  test("a stopped container is named, and its hint fixes it; the diagram has the colour for it", async () => {
    await cluster.docker("consul-client2", "stop", "consul-client2");
    const { stdout, exitCode } = await npm("status");
    expect([exitCode, stdout]).toEqual([1, expect.stringContaining("unhealthy: 1 of 5 agents\n")]);
    expect(stdout).toContain(
      "  consul-client2: its container has exited\n      hint: npm run doctor -- --fix; by hand: docker start consul-client2\n",
    );

    mkdirSync(join(__dirname, "screenshots"), { recursive: true });
    // The cluster's file has a path of this machine.
    const { file: _, ...recorded } = (await status()) as Status & { readonly file: string };
    writeFileSync(join(__dirname, "screenshots/status.json"), `${JSON.stringify(recorded, null, 2)}\n`);
    const live = await npm("diagram", "--live");
    expect(live.stdout).toMatch(/class="client unhealthy"/);
    expect(live.stdout.match(/class="(server|client) healthy"/g)).toHaveLength(4);
    writeFileSync(join(__dirname, "screenshots/live.svg"), live.stdout);
    expect((await npm("diagram", "--live", "--format", "mermaid")).stdout).toContain(
      "class agent_consul_client2 unhealthy",
    );

    expect((await npm("doctor", "--fix")).exitCode).toBe(0);
    await expectHealthy();
  });

  test("an unreachable host is named within 5 s, and the others are shown", async () => {
    const [usual] = await timed(() => npm("status"));
    await testBed.host("consul-client2").disconnect();
    try {
      const [seconds, { stdout, stderr, exitCode }] = await timed(() => npm("status"));
      process.stderr.write(`    ${seconds} s, and ${usual} s when all answer\n`);
      expect(exitCode).toBe(1);
      // On a busy machine, status itself takes longer, and so does its timeout.
      expect(seconds).toBeLessThan(usual < 2 ? 5 : usual + 2 + (await adaptiveTimeoutSeconds()));
      expect(stderr).toMatch(/^consul-client2: its Docker daemon is unreachable: no answer within \d+ s$/m);
      expect(stdout).toMatch(/^consul-client2 .*host unreachable$/m);
      for (const name of cluster.agentNames.filter((one) => one !== "consul-client2"))
        expect(stdout).toMatch(new RegExp(`^${name} .*up \\d+ `, "m"));
    } finally {
      await testBed.host("consul-client2").connect();
    }
    await expectHealthy();
  });

  test("--watch at a terminal redraws one screen, and Ctrl-C ends it", async () => {
    const { stdout, exitCode } = await testBed.operator.run("node", ["-e", WATCHER, "npm run status -- --watch 1"], {
      cwd: cluster.project.folder,
      env: { CLUSTER: cluster.project.clusterFile },
      check: false,
    });
    expect(exitCode).toBe(130);
    expect(stdout.split("\x1b[2J")).toHaveLength(2);
    expect(stdout.split("\x1b[H").length).toBeGreaterThan(3);
    expect(stdout).toContain("consul-server1");
    // The cursor is visible again, and there is no further output.
    expect(stdout.endsWith("\x1b[?25h\x1b[?7h")).toBe(true);
  });

  describe("logs", () => {
    test("of all agents, ordered by time, and filtered by name, pattern and content", async () => {
      const { stdout, exitCode } = await npm(
        "logs",
        "--no-follow",
        "--tail",
        "all",
        "--json",
        "--grep",
        "Consul agent running|agent: (Starting|started)|Started",
      );
      const lines = stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
      expect(exitCode).toBe(0);
      expect([...new Set(lines.map(({ agent }) => agent))].sort()).toEqual([...cluster.agentNames].sort());
      expect(lines.map(({ time }) => time)).toEqual(lines.map(({ time }) => time).sort());
      const chosen = await npm("logs", "--no-follow", "--tail", "3", "consul-server*");
      expect(chosen.stdout.match(/^consul-server[123] {2}\S/gm)).toHaveLength(9);
    });

    test("an unreachable host is reported and skipped", async () => {
      await testBed.host("consul-client2").disconnect();
      try {
        const { stdout, stderr, exitCode } = await npm("logs", "--no-follow", "--tail", "1");
        expect([exitCode, stderr]).toEqual([
          0,
          expect.stringContaining("consul-client2: its Docker daemon is unreachable"),
        ]);
        expect(stdout.trim().split("\n")).toHaveLength(4);
      } finally {
        await testBed.host("consul-client2").connect();
      }
      await expectHealthy();
    });

    test("--follow continues with a container's successor, until Ctrl-C", async () => {
      const env = { CLUSTER: cluster.project.clusterFile };
      const following = testBed.operator.spawn("npm", ["run", "-s", "logs", "--", "--tail", "1"], {
        cwd: cluster.project.folder,
        env,
      });
      const seen = (pattern: RegExp) => eventually(async () => expect(following.stdout).toMatch(pattern));
      await seen(/^consul-client1 {2}/m);
      // Waits until it follows all of them.
      await pause(2);
      await cluster.docker("consul-client1", "stop", "-t", "30", "consul-client1");
      await seen(/^consul-client1 {2}.*shutdown/m);
      await cluster.docker("consul-client1", "rm", "consul-client1");
      await cluster.deploy();
      await seen(/^consul-client1 {2}.*Consul agent running/m);
      following.signal("SIGINT");
      // It ends by that signal.
      expect((await following.finished).exitCode).toBe(-1);
      expect(following.stderr).toMatch(/^consul-client1: .*No such container/m);
      // The docker CLIs end too, and this is not reported.
      expect(following.stderr).not.toMatch(/^(?!consul-client1: )./m);
    });
  });
});

/** The result of some work, and how many seconds it took. */
async function timed<Result>(work: () => Promise<Result>): Promise<[seconds: number, result: Result]> {
  const begun = Date.now();
  const result = await work();
  return [(Date.now() - begun) / 1000, result];
}

/**
 * A user at a terminal, who presses Ctrl-C when the screen has been drawn three times. util-linux's script gives the
 * command a terminal, and has its exit code.
 */
const WATCHER = `
const { spawn } = require("node:child_process");
const terminal = spawn("script", ["-qefc", process.argv[1], "/dev/null"], { env: { ...process.env, TERM: "xterm" }, stdio: ["pipe", "pipe", "inherit"] });
let shown = "";
terminal.stdout.on("data", (text) => {
  process.stdout.write(text);
  const before = shown.split("\\x1b[J").length;
  shown += text;
  if (before <= 3 && shown.split("\\x1b[J").length > 3) terminal.stdin.write("\\x03");
});
terminal.on("exit", (code) => process.exit(code ?? 1));
`;
