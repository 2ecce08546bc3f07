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

/** A container as backups.sh finds it: its folders elsewhere, and stand-ins for curl and consul, whose real ones the live suite uses. */
class Beside {
  readonly place = folder();
  readonly backups = join(this.place, "backups");
  readonly log = join(this.place, "calls");
  private readonly bin = join(this.place, "bin");
  private readonly script = join(this.place, "backups.sh");
  private child?: ChildProcess;
  said = "";

  constructor() {
    for (const made of [this.backups, this.bin, join(this.place, "secrets")]) mkdirSync(made);
    writeFileSync(this.log, "");
    writeFileSync(this.script, SCRIPT.replaceAll("/tmp/", `${this.place}/`).replaceAll("/consul/", `${this.place}/`));
    this.server({});
  }

  /** What the server answers from now on. */
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
    for (const stream of [this.child.stdout, this.child.stderr]) stream?.on("data", (text) => (this.said += text));
    return this;
  }

  /** With whatever it sleeps in. */
  async stop(): Promise<void> {
    const { child } = this;
    if (!child?.pid || child.exitCode !== null) return;
    const ended = new Promise((done) => child.once("close", done));
    process.kill(-child.pid, "SIGKILL");
    await ended;
  }

  get kept(): string[] {
    return readdirSync(this.backups).sort();
  }

  health(): { status: number | null; stdout: string } {
    return spawnSync("/bin/sh", [this.script, "health"], { env: this.env, encoding: "utf8" });
  }

  async until(holds: () => boolean): Promise<void> {
    for (let tenths = 0; tenths < 300 && !holds(); tenths++) await new Promise((resume) => setTimeout(resume, 100));
    if (!holds()) throw new Error(`not within 30 s; it said: ${this.said}`);
  }
}

// It counts in seconds, on a machine that may be busy.
jest.setTimeout(60_000);

let beside: Beside;
beforeEach(() => {
  beside = new Beside();
});
afterEach(() => beside.stop());

const NAME = /^\d{4}-\d\d-\d\dT\d{6}Z\.snap$/;

test("the leader's saves at once, says what, and is well", async () => {
  await beside.start(3600, 24).until(() => beside.said.includes("saved"));
  const [name = "", ...more] = beside.kept;
  expect([name, more]).toEqual([expect.stringMatching(NAME), []]);
  expect(beside.said).toBe(`saved ${name}, index 33, term 2, 9 bytes\n`);
  expect(statSync(join(beside.backups, name)).mode & 0o777).toBe(0o600);
  expect(beside.health().status).toBe(0);
});

test("the newest are kept, and nothing else is touched", async () => {
  for (const name of [
    "2020-01-01T000000Z.snap",
    "2020-01-02T000000Z.snap",
    "2020-01-03T000000Z.snap",
    "mine.snap",
    "notes",
  ])
    writeFileSync(join(beside.backups, name), "");
  for (const name of beside.kept) utimesSync(join(beside.backups, name), 0, 0);
  await beside.start(3600, 2).until(() => beside.said.includes("removed 2020-01-01"));
  expect(beside.kept).toEqual(["2020-01-03T000000Z.snap", expect.stringMatching(NAME), "mine.snap", "notes"]);
});

test("another's saves nothing, and saves when its server has become the leader", async () => {
  beside.server({ state: "Follower" });
  await beside.start(1, 24).until(() => beside.said.includes("not the leader"));
  expect([beside.kept, beside.health().status]).toEqual([[], 0]);
  beside.server({});
  await beside.until(() => beside.kept.length > 0);
});

test("it saves again when so many seconds have passed", async () => {
  await beside.start(1, 24).until(() => beside.kept.length >= 3);
});

test("one that starts anew waits until the next one is due", async () => {
  writeFileSync(join(beside.backups, "2020-01-01T000000Z.snap"), "");
  beside.start(3600, 24);
  await new Promise((resume) => setTimeout(resume, 1500));
  expect([beside.said, readFileSync(beside.log, "utf8")]).toEqual(["", ""]);
});

test("one that was made in the future, before the clock was set back, does not count", async () => {
  writeFileSync(join(beside.backups, "2099-01-01T000000Z.snap"), "");
  const future = Date.now() / 1000 + 86_400;
  utimesSync(join(beside.backups, "2099-01-01T000000Z.snap"), future, future);
  await beside.start(3600, 24).until(() => beside.said.includes("saved"));
});

describe("when it cannot save, nothing half is left, it is unhealthy, and tries again:", () => {
  test.each([
    [
      "the server refuses",
      { snapshot: "echo 'Permission denied' >$file; echo 'curl: (22) 403' >&2; exit 22" },
      /no snapshot: curl: \(22\) 403 Permission denied/,
    ],
    [
      "what comes is broken",
      { inspect: "echo 'Error reading snapshot: unexpected EOF'; exit 1" },
      /broken: Error reading snapshot: unexpected EOF/,
    ],
    ["its server is unreachable", { state: "" }, /does not say whether it leads: refused/],
  ])("%s", async (_, answers, why) => {
    beside.server(answers);
    await beside.start(1, 24).until(() => beside.said.includes("failed: "));
    expect(beside.said).toMatch(why);
    expect(beside.health()).toMatchObject({ status: 1, stdout: expect.stringMatching(why) });
    expect(beside.kept.filter((name) => NAME.test(name))).toEqual([]);
    beside.server({});
    await beside.until(() => beside.said.includes("saved"));
    expect(beside.health().status).toBe(0);
    expect(beside.kept.filter((name) => !NAME.test(name))).toEqual([]);
  });
});

test("what a container that was killed left unfinished goes, and another's stays", async () => {
  for (const name of [".unfinished.co", ".unfinished.other"]) writeFileSync(join(beside.backups, name), "half");
  beside.server({ state: "Follower" });
  await beside.start(1, 24).until(() => beside.said !== "");
  expect(beside.kept).toEqual([".unfinished.other"]);
});

test("the token reaches curl by a file, and nothing else", async () => {
  writeFileSync(join(beside.place, "secrets/backups.header"), "X-Consul-Token: secret\n");
  await beside.start(3600, 24).until(() => beside.said.includes("saved"));
  const calls = readFileSync(beside.log, "utf8");
  expect(calls.match(/-H @\S+\/secrets\/backups\.header/g)).toHaveLength(2);
  expect(calls).not.toContain("X-Consul-Token");
  expect(existsSync(join(beside.backups, ".unfinished.co"))).toBe(false);
});
