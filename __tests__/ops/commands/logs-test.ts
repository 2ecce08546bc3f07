import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { clusterFile, FOUR_HOSTS, folder, PROJECT } from "../../cluster-files";
import { run } from "../../command-line";

/**
 * `npm run logs` with a stand-in for the docker CLI: `$host` and `$container` are what it is
 * called for, `$*` are its arguments. The end-to-end tests use the real one.
 */
function command(docker: string) {
  const bin = folder();
  const script = `#!/bin/sh
host=\${2#ssh://root@}; shift 2
[ "$1" != version ] || { case $host in 10.0.0.3) echo "ssh: no route to host" >&2; exit 1 ;; esac; echo 28.2.2; exit; }
echo "$*" >>"${bin}/calls"
for container; do :; done
${docker}
`;
  writeFileSync(join(bin, "docker"), script);
  chmodSync(join(bin, "docker"), 0o755);
  const variables = { PATH: `${bin}:${process.env.PATH}`, CLUSTER: clusterFile(FOUR_HOSTS) };
  const env = { ...process.env, ...variables };
  const program = ["--require", "./typescript.cjs", "ops/main.ts", "logs"];
  return {
    run: (...args: string[]) => run(["logs", ...args], { env: variables }),
    start: (...args: string[]) => spawn("node", [...program, ...args], { cwd: PROJECT, env }),
    calls: () => readFileSync(join(bin, "calls"), "utf8").trim().split("\n"),
  };
}

/** A few lines of each agent, on both of its outputs, with times in turn. */
const LINES = `case $container in
s1) echo "2026-11-25T09:00:00.100000000Z first"; echo "2026-11-25T09:00:00.400000000Z fourth" ;;
s2) echo "2026-11-25T09:00:00.200000000Z second" >&2; echo "2026-11-25T09:00:00.500000000Z " ;;
c1) echo "2026-11-25T09:00:00.300000000Z third" ;;
esac`;

test("lines of all agents are in the order of their times, and an agent whose host is unreachable is logged and skipped", async () => {
  const { run, calls } = command(LINES);
  const { stdout, stderr, status } = await run("--no-follow");
  expect(stdout).toBe("s1  first\ns2  second\nc1  third\ns1  fourth\ns2  \n");
  expect([status, stderr]).toEqual([0, "s3: its Docker daemon is unreachable: ssh: no route to host\n"]);
  expect(calls().sort()).toEqual(["c1", "s1", "s2"].map((name) => `logs --timestamps --tail 20 ${name}`));
});

test("agents, times and lines can be selected", async () => {
  const { run, calls } = command(LINES);
  expect((await run("--no-follow", "--grep", "^f", "--since", "10m", "s*")).stdout).toBe("s1  first\ns1  fourth\n");
  expect(calls().sort()).toEqual(["s1", "s2"].map((name) => `logs --timestamps --since 10m ${name}`));
});

test("--json prints each line with its host and time", async () => {
  const { stdout } = await command(LINES).run("--no-follow", "--json", "--tail", "all", "c1");
  expect(JSON.parse(stdout)).toEqual({
    host: "c1",
    agent: "c1",
    time: "2026-11-25T09:00:00.300000000Z",
    line: "third",
  });
});

test("a container that does not exist is logged and skipped", async () => {
  const { stdout, stderr, status } = await command(
    `[ $container = s1 ] || { echo "Error response from daemon: No such container: $container" >&2; exit 1; }\n${LINES}`,
  ).run("--no-follow", "s1", "s2");
  expect([stdout, stderr, status]).toEqual([
    "s1  first\ns1  fourth\n",
    "s2: Error response from daemon: No such container: s2\n",
    0,
  ]);
});

test("if no log can be read, that is a failure", async () => {
  const { stderr, status } = await command("exit 1").run("--no-follow", "s3");
  expect([status, stderr]).toEqual([1, expect.stringContaining("logs: no agent's log can be read")]);
});

test.each([
  [["--since", "yesterday"], "error: option '--since <TIME>' argument 'yesterday' is invalid."],
  [["--tail", "few"], "error: option '--tail <N>' argument 'few' is invalid. It must be a number of lines, or all."],
  [["--grep", "("], "Invalid regular expression"],
  [["s9"], "logs: there is no agent s9"],
  [["--follow"], "error: unknown option '--follow'"],
])("%j is rejected", async (args, reason) =>
  expect(await command("exit 1").run(...args)).toMatchObject({ status: 1, stderr: expect.stringContaining(reason) }),
);

describe("following", () => {
  const children: ChildProcess[] = [];
  afterEach(() => {
    for (const child of children.splice(0)) child.kill("SIGKILL");
  });
  const pause = (ms: number) => new Promise((resume) => setTimeout(resume, ms));
  async function follow(docker: string, ...args: string[]) {
    const { start, calls } = command(docker);
    const child = start(...args);
    children.push(child);
    const said = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name]?.on("data", (chunk) => {
        said[name] += chunk;
      });
    }
    const until = async (text: string) => {
      for (let tenths = 0; tenths < 150 && !(said.stdout + said.stderr).includes(text); tenths++) await pause(100);
      expect(said.stdout + said.stderr).toContain(text);
    };
    return { child, said, until, calls };
  }

  test("continues with the next container's log, and repeats no line", async () => {
    const followed = `case $* in
*--follow*--since*.1*|*--since*.1*--follow*) echo "2026-11-25T09:00:00.100000000Z first"; echo "2026-11-25T09:00:00.200000000Z second" ;;
*--follow*--since*.2*|*--since*.2*--follow*) echo "2026-11-25T09:00:00.200000000Z second"; echo "2026-11-25T09:00:00.300000000Z third"; exec sleep 60 ;;
*) echo "2026-11-25T09:00:00.100000000Z first" ;;
esac`;
    const { child, said, until, calls } = await follow(followed, "s1");
    await until("third");
    expect(said).toEqual({ stdout: "s1  first\ns1  second\ns1  third\n", stderr: "s1: its container does not run\n" });
    expect(calls()[1]).toBe("logs --timestamps --since 2026-11-25T09:00:00.100000000Z --follow s1");
    child.kill("SIGINT");
    await new Promise((done) => child.once("exit", done));
    expect(child.signalCode).toBe("SIGINT");
  }, 30_000);

  test("Ctrl-C leaves no docker CLI behind", async () => {
    const { child, said, until } = await follow(
      `case $* in *--follow*) echo "2026-11-25T09:00:01.000000000Z pid $$"; exec sleep 61 ;; *) echo "2026-11-25T09:00:00.000000000Z x" ;; esac`,
      "s1",
    );
    await until("pid");
    const pid = Number(/pid (\d+)/.exec(said.stdout)?.[1]);
    expect(existsSync(`/proc/${pid}`)).toBe(true);
    child.kill("SIGINT");
    for (let tenths = 0; tenths < 50 && existsSync(`/proc/${pid}`); tenths++) await pause(100);
    expect(existsSync(`/proc/${pid}`)).toBe(false);
  }, 30_000);

  test("a slow reader makes the writers wait, and memory does not grow", async () => {
    const endless = `case $* in *--follow*) exec seq -f "2026-11-25T09:00:01.%09.0fZ ${"x".repeat(200)}" 1 999999999 ;; *) echo "2026-11-25T09:00:00.000000000Z x" ;; esac`;
    const { start } = command(endless);
    const child = start("s1", "s2", "c1");
    children.push(child);
    const resident = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1]) / 1024;
    const peak = async (tenths: number) => {
      let most = 0;
      for (; tenths > 0; tenths--) {
        most = Math.max(most, resident());
        await pause(100);
      }
      return most;
    };
    // Nobody reads. On a busy machine the program takes seconds to start, and to fill its heap for the first time.
    await new Promise((done) => child.stdout.once("readable", done));
    const before = await peak(30);
    expect((await peak(15)) - before).toBeLessThan(10);
  }, 30_000);
});
