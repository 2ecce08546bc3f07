import { type SpawnSyncReturns, spawn, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { rolloutBundle } from "../../constructs/rollout-bundle";
import { REQUEST_VARIABLE, REQUEST_VERSION, type StepRequest } from "../../rollout/request";
import { folder } from "../cluster-files";

const VOTERS: StepRequest = {
  step: "voters",
  nodes: ["s1"],
  servers: [{ daemon: "ssh://root@h1", container: "s1" }],
  seconds: 1,
};

/** Where the program runs: a folder, and a stand-in for the docker CLI. */
function operator(docker: string) {
  const root = folder();
  writeFileSync(join(root, "docker"), `#!/bin/sh\n${docker}\n`);
  chmodSync(join(root, "docker"), 0o755);
  return { root, env: { PATH: `${root}:${process.env.PATH}`, ROOT: root } };
}

function runs(request: string | undefined, docker = "exit 1", more: NodeJS.ProcessEnv = {}): SpawnSyncReturns<string> {
  const { root, env } = operator(docker);
  return spawnSync(process.execPath, [rolloutBundle(), "voters c"], {
    cwd: root,
    encoding: "utf8",
    env: { ...env, ...more, ...(request === undefined ? {} : { [REQUEST_VARIABLE]: request }) },
  });
}

const text = (request: StepRequest, version: number = REQUEST_VERSION) => JSON.stringify({ version, ...request });

test("what is denied ends with 1, and the last line on standard error has the reason and the hint", () => {
  const { status, stdout, stderr } = runs(text(VOTERS), "echo 'No such container: s1' >&2; exit 1");
  expect(status).toBe(1);
  expect(stdout).toBe("s1: unreachable so far: No such container: s1\n");
  expect(stderr).toMatch(/^voters: s1: No such container: s1, for 1 s; hint: .+\n$/);
});

test("a request of another version is refused", () => {
  const { status, stderr } = runs(text(VOTERS, 2));
  expect(status).toBe(1);
  expect(stderr).toMatch(/requests of version 2, .* understands version 1; synthesize again\n$/);
});

test.each([
  ["no request", undefined, /CONSUL_CDKTF_REQUEST is not set/],
  ["half a request", text(VOTERS).slice(0, 40), /JSON/],
])("with %s it fails", (_, request, reason) => {
  const { status, stderr } = runs(request);
  expect(status).toBe(1);
  expect(stderr).toMatch(reason);
});

test("the docker CLI does not get variables that redirect it, and gets all others", () => {
  const { stdout } = runs(text(VOTERS), 'echo "<$DOCKER_HOST$DOCKER_DEFAULT_PLATFORM$SSH_AUTH_SOCK>" >&2; exit 1', {
    DOCKER_HOST: "tcp://elsewhere",
    DOCKER_DEFAULT_PLATFORM: "linux/arm64",
    SSH_AUTH_SOCK: "/agent",
  });
  expect(stdout).toBe("s1: unreachable so far: </agent>\n");
});

describe("a check that waits has not loaded what it needs later: each of a hundred would need memory for it", () => {
  /** Ends the program when it has a ticket of a queue, and prints what it has loaded. */
  const WATCH = `const { readdirSync } = require("node:fs");
setInterval(() => {
  if (!readdirSync(process.env.QUEUE).some((name) => name.startsWith("2."))) return;
  console.log(process.moduleLoadList.join("\\n"));
  process.exit();
}, 10);`;
  const DOCKER = `case "$*" in
*"container inspect"*) echo running sha256:a ;;
*"image inspect"*) echo sha256:a ;;
*) cat >/dev/null && printf 'Consul v1.22.2\\naccepted\\n' ;;
esac`;
  const CHECK: StepRequest = {
    step: "pre-stop",
    target: { daemon: "ssh://root@h1", container: "c1" },
    role: "client",
    owner: "c1",
    node: "c1",
    servers: [],
    limit: 1,
    next: { image: "consul:next", network: "host", stage: "off" },
    seconds: 60,
  };

  test.each([
    ["to begin", "queue.docker", ["child_process", "crypto", "http", "stream"]],
    ["to ask the cluster", "queue.client", ["crypto", "http"]],
  ])("%s", (_, queue, later) => {
    const { root, env } = operator(DOCKER);
    const full = join(root, ".terraform", "questions", String(process.pid), queue);
    mkdirSync(full, { recursive: true });
    for (const other of ["a", "b", "c", "d"]) writeFileSync(join(full, `1.${process.pid}..${other}`), "");
    writeFileSync(join(root, "watch.cjs"), WATCH);
    const { stdout, stderr } = spawnSync(process.execPath, ["--require", "./watch.cjs", rolloutBundle()], {
      cwd: root,
      encoding: "utf8",
      env: { ...env, QUEUE: full, [REQUEST_VARIABLE]: text(CHECK) },
    });
    expect(stderr).toBe("");
    const loaded = stdout.split("\n").map((line) => line.replace("NativeModule ", ""));
    expect(loaded).toContain("fs");
    expect(later.filter((name) => loaded.includes(name))).toEqual([]);
  });
});

/** A process that has ended may be listed until its parent has taken notice of that: Z. */
const isAlive = (pid: number): boolean =>
  /^[^Z]/.test(spawnSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" }).stdout.trim());

async function until(condition: () => boolean): Promise<void> {
  for (let looks = 0; looks < 100 && !condition(); looks += 1) await sleep(50);
  expect(condition()).toBe(true);
}

test("when Terraform is killed, the program ends within a second, and its docker CLI with it", async () => {
  const { root, env } = operator('echo $$ >"$ROOT/cli"; exec sleep 30');
  const terraform = spawn(
    process.execPath,
    [
      "-e",
      `const { spawn } = require("node:child_process");
const program = spawn(process.execPath, process.argv.slice(1), { stdio: "ignore" });
require("node:fs").writeFileSync(process.env.ROOT + "/program", String(program.pid));`,
      rolloutBundle(),
    ],
    { cwd: root, env: { ...env, [REQUEST_VARIABLE]: text({ ...VOTERS, seconds: 60 }) }, stdio: "ignore" },
  );
  await until(() => existsSync(join(root, "cli")) && readFileSync(join(root, "cli"), "utf8") !== "");
  const pids = ["program", "cli"].map((name) => Number(readFileSync(join(root, name), "utf8")));
  expect(pids.map(isAlive)).toEqual([true, true]);
  terraform.kill("SIGKILL");
  await sleep(1000);
  expect(pids.map(isAlive)).toEqual([false, false]);
});
