import { spawn } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { clusterFile, folder, PROJECT } from "../../cluster-files";
import { run } from "../../command-line";

/** A cluster whose only daemon does not exist. The end-to-end tests see real ones. */
const CLUSTER = clusterFile(`name: nowhere
security: off
network: bridge
daemon: unix:///nowhere/docker.sock
hosts: { local: 127.0.0.1 }
servers: [{ name: s1, host: local }]
`);
/** A stand-in for the docker CLI, as it fails without a daemon. */
const bin = folder();
writeFileSync(join(bin, "docker"), `#!/bin/sh\necho "Cannot connect to the Docker daemon at $2" >&2\nexit 1\n`, {
  mode: 0o755,
});
const variables = { CLUSTER, NO_COLOR: "1", PATH: `${bin}:${process.env.PATH}` };
const program = ["--require", "./typescript.cjs", "ops/main.ts", "status"];
const options = { cwd: PROJECT, env: { ...process.env, ...variables }, encoding: "utf8" } as const;
const status = (...args: string[]) => run(["status", ...args], { env: variables });

test("an unhealthy cluster is exit code 1; an unreachable host is logged at once, and is on the screen", async () => {
  const { status: exitCode, stdout, stderr } = await status();
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/^inspecting 1 host\nlocal: its Docker daemon is unreachable: .*docker\.sock/);
  expect(stdout).toMatch(/^cluster file: .*\n\nnowhere · datacenter dc1 · 1 server on 1 host · security off\n/);
  expect(stdout).toContain("unhealthy: 1 of 1 agent; 1 of 1 host unreachable");
});

test("a narrow terminal gets fewer columns than a pipe", async () => {
  const headOf = (stdout: string) => /^AGENT.*$/m.exec(stdout)?.[0].split(/\s+/);
  expect(headOf((await status()).stdout)).toContain("ADDRESS");
  const { stdout } = await run(["status"], { env: variables, columns: 40 });
  expect(headOf(stdout)).toEqual(["AGENT", "HOST", "CONTAINER", "RAFT"]);
});

test("--json prints everything, and nothing else is on standard output", async () => {
  const { status: exitCode, stdout } = await status("--json");
  expect(exitCode).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({
    file: CLUSTER,
    cluster: { name: "nowhere", datacenter: "dc1", security: "off" },
    healthy: false,
    problems: [
      { code: "host-unreachable", location: { host: "local" }, hint: expect.stringContaining("start the host") },
    ],
    notices: [],
    hosts: [{ name: "local", address: "127.0.0.1", why: expect.stringContaining("docker.sock") }],
    agents: [{ name: "s1", role: "server", host: "local", healthy: false, ui: "http://s1:8500/ui" }],
  });
});

test("--prometheus prints metrics alone, or replaces a file by them, also of an unhealthy cluster", async () => {
  const file = join(folder(), "consul.prom");
  writeFileSync(file, "before");
  const printed = await status("--prometheus");
  expect(printed.stdout).toMatch(/^# HELP consul_cdktf_status_timestamp_seconds /);
  expect(printed.stdout).toContain('consul_cdktf_host_reachable{cluster="nowhere",datacenter="dc1",host="local"} 0\n');
  const written = await status("--prometheus", file);
  expect([printed.status, written.status, written.stdout]).toEqual([1, 1, ""]);
  expect(written.stderr).toContain(`wrote ${file}\n`);
  expect(readFileSync(file, "utf8")).toContain('code="host-unreachable",host="local"} 1\n');
  expect(readdirSync(dirname(file))).toEqual(["consul.prom"]);
});

test.each([
  [[], /\n\nnowhere/],
  [["--json"], /^\{"file":/],
])(
  "--watch %j refreshes until Ctrl-C",
  async (more, form) => {
    const child = spawn("node", [...program, "--watch", "0.2", ...more], options);
    const begun = Date.now();
    let text = "";
    let looks = 0;
    for await (const line of createInterface(child.stdout)) {
      text += `${line}\n`;
      if (/^nowhere|^\{/.test(line) && ++looks === 3) child.kill("SIGINT");
    }
    if (child.signalCode === null) await new Promise((done) => child.once("exit", done));
    expect([child.signalCode, looks >= 3, Date.now() - begun < 10_000]).toEqual(["SIGINT", true, true]);
    expect(text).toMatch(form);
    expect(text).not.toContain("\x1b");
  },
  20_000,
);

test.each([
  [["--watch", "0"], "option '--watch [SECONDS]' argument '0' is invalid. It must be a number of seconds."],
  [["--timeout", "soon"], "option '--timeout <SECONDS>' argument 'soon' is invalid."],
  [["--al"], "unknown option '--al'\n(Did you mean --all?)"],
  [["s1"], "too many arguments for 'status'"],
])("%j is rejected", async (args, reason) =>
  expect(await status(...args)).toEqual({ status: 1, stdout: "", stderr: expect.stringContaining(`error: ${reason}`) }),
);
