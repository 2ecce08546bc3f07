import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { folder, PROJECT } from "../cluster-files";

const SCRIPT = readFileSync(join(PROJECT, "container/backups.sh"), "utf8");
const INSPECTED = '{"Meta": {"Index": 33, "Term": 2}}';

/**
 * The container of scheduled backups, with folders elsewhere, and stand-ins for curl and consul. The end-to-end tests use
 * the real ones.
 */
class BackupsContainer {
  readonly root = folder();
  readonly backups = join(this.root, "backups");
  readonly log = join(this.root, "calls");
  private readonly bin = join(this.root, "bin");
  private readonly script = join(this.root, "backups.sh");
  private child?: ChildProcess;
  output = "";

  constructor() {
    for (const made of [this.backups, this.bin, join(this.root, "secrets")]) mkdirSync(made);
    writeFileSync(this.log, "");
    writeFileSync(this.script, SCRIPT.replaceAll("/tmp/", `${this.root}/`).replaceAll("/consul/", `${this.root}/`));
    this.server({});
  }

  /** Sets the server's responses. */
  server({
    state = "Leader",
    snapshot = "echo snapshot >$file",
    inspect = `echo '${INSPECTED}'`,
  }: {
    state?: string;
    snapshot?: string;
    inspect?: string;
  }): void {
    this.program(
      "curl",
      `echo "$*" >>"${this.log}"
while [ $# -gt 1 ]; do [ "$1" = -o ] && file=$2; shift; done
case $1 in
*/v1/agent/self) ${state === "" ? "echo refused; exit 7" : `echo '{"Stats": {"raft": {"state": "${state}"}}}'`} ;;
*/v1/snapshot) ${snapshot} ;;
esac`,
    );
    this.program("consul", inspect);
  }

  private program(name: string, body: string): void {
    const file = join(this.bin, name);
    rmSync(file, { force: true });
    writeFileSync(file, `#!/bin/sh\n${body}\n`);
    chmodSync(file, 0o755);
  }

  private get env() {
    return { PATH: `${this.bin}:/usr/bin:/bin` };
  }

  start(every: number, keep: number): this {
    this.child = spawn("/bin/sh", [this.script, String(every), String(keep), "co"], {
      env: this.env,
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    for (const stream of [this.child.stdout, this.child.stderr]) stream?.on("data", (text) => (this.output += text));
    return this;
  }

  /** Kills the script and its sleep. */
  async stop(): Promise<void> {
    const { child } = this;
    if (!child?.pid || child.exitCode !== null) return;
    const ended = new Promise((done) => child.once("close", done));
    process.kill(-child.pid, "SIGKILL");
    await ended;
  }

  get stored(): string[] {
    return readdirSync(this.backups).sort();
  }

  health(): { status: number | null; stdout: string } {
    return spawnSync("/bin/sh", [this.script, "health"], { env: this.env, encoding: "utf8" });
  }

  async until(holds: () => boolean): Promise<void> {
    for (let tenths = 0; tenths < 300 && !holds(); tenths++) await new Promise((resume) => setTimeout(resume, 100));
    if (!holds()) throw new Error(`not within 30 s; its output: ${this.output}`);
  }
}

// The script's intervals are seconds, and the machine may be busy.
jest.setTimeout(60_000);

let container: BackupsContainer;
beforeEach(() => {
  container = new BackupsContainer();
});
afterEach(() => container.stop());

const NAME = /^\d{4}-\d\d-\d\dT\d{6}Z\.snap$/;

test("on the leader a snapshot is saved at once and logged, and the container is healthy", async () => {
  await container.start(3600, 24).until(() => container.output.includes("saved"));
  const [name = "", ...more] = container.stored;
  expect([name, more]).toEqual([expect.stringMatching(NAME), []]);
  expect(container.output).toBe(`saved ${name}, index 33, term 2, 9 bytes\n`);
  expect(statSync(join(container.backups, name)).mode & 0o777).toBe(0o600);
  expect(container.health().status).toBe(0);
});

test("the newest snapshots stay, and no other file is deleted", async () => {
  for (const name of [
    "2020-01-01T000000Z.snap",
    "2020-01-02T000000Z.snap",
    "2020-01-03T000000Z.snap",
    "mine.snap",
    "notes",
  ])
    writeFileSync(join(container.backups, name), "");
  for (const name of container.stored) utimesSync(join(container.backups, name), 0, 0);
  await container.start(3600, 2).until(() => container.output.includes("removed 2020-01-01"));
  expect(container.stored).toEqual(["2020-01-03T000000Z.snap", expect.stringMatching(NAME), "mine.snap", "notes"]);
});

test("on a follower no snapshot is saved until its server becomes the leader", async () => {
  container.server({ state: "Follower" });
  await container.start(1, 24).until(() => container.output.includes("another server is the leader"));
  expect([container.stored, container.health().status]).toEqual([[], 0]);
  container.server({});
  await container.until(() => container.stored.length > 0);
});

test("a snapshot is saved again after the interval", async () => {
  await container.start(1, 24).until(() => container.stored.length >= 3);
});

test("a container that restarts waits until the next snapshot is due", async () => {
  writeFileSync(join(container.backups, "2020-01-01T000000Z.snap"), "");
  container.start(3600, 24);
  await new Promise((resume) => setTimeout(resume, 1500));
  expect([container.output, readFileSync(container.log, "utf8")]).toEqual(["", ""]);
});

test("a snapshot with a future time, from before the clock was set back, does not count", async () => {
  writeFileSync(join(container.backups, "2099-01-01T000000Z.snap"), "");
  const future = Date.now() / 1000 + 86_400;
  utimesSync(join(container.backups, "2099-01-01T000000Z.snap"), future, future);
  await container.start(3600, 24).until(() => container.output.includes("saved"));
});

describe("after a failure no partial file is left, the container is unhealthy, and it tries again:", () => {
  test.each([
    [
      "the server denies the request",
      { snapshot: "echo 'Permission denied' >$file; echo 'curl: (22) 403' >&2; exit 22" },
      /no snapshot: curl: \(22\) 403 Permission denied/,
    ],
    [
      "the snapshot is broken",
      { inspect: "echo 'Error reading snapshot: unexpected EOF'; exit 1" },
      /broken: Error reading snapshot: unexpected EOF/,
    ],
    ["its server is unreachable", { state: "" }, /unknown whether its server is the leader: refused/],
  ])("%s", async (_, answers, why) => {
    container.server(answers);
    await container.start(1, 24).until(() => container.output.includes("failed: "));
    expect(container.output).toMatch(why);
    expect(container.health()).toMatchObject({ status: 1, stdout: expect.stringMatching(why) });
    expect(container.stored.filter((name) => NAME.test(name))).toEqual([]);
    container.server({});
    await container.until(() => container.output.includes("saved"));
    expect(container.health().status).toBe(0);
    expect(container.stored.filter((name) => !NAME.test(name))).toEqual([]);
  });
});

test("an unfinished file of a killed container is deleted, and another container's stays", async () => {
  for (const name of [".unfinished.co", ".unfinished.other"]) writeFileSync(join(container.backups, name), "half");
  container.server({ state: "Follower" });
  await container.start(1, 24).until(() => container.output !== "");
  expect(container.stored).toEqual([".unfinished.other"]);
});

test("the token reaches curl by a file alone", async () => {
  writeFileSync(join(container.root, "secrets/backups.header"), "X-Consul-Token: secret\n");
  await container.start(3600, 24).until(() => container.output.includes("saved"));
  const calls = readFileSync(container.log, "utf8");
  expect(calls.match(/-H @\S+\/secrets\/backups\.header/g)).toHaveLength(2);
  expect(calls).not.toContain("X-Consul-Token");
  expect(existsSync(join(container.backups, ".unfinished.co"))).toBe(false);
});
