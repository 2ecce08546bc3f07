import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DEFAULTS } from "../../../cluster/resolve/defaults";
import { FOUR_HOSTS } from "../../cluster-files";
import { HostsStandIn, self } from "../backups/hosts-stand-in";

const NAME = /^\d{4}-\d\d-\d\dT\d{6}Z\.snap$/;
const kept = ({ project }: HostsStandIn): string[] =>
  existsSync(join(project, "backups/c")) ? readdirSync(join(project, "backups/c")) : [];
const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);

describe("npm run backup", () => {
  test("saves a snapshot from the leader, for this user alone, and describes it", async () => {
    const hosts = new HostsStandIn();
    const { status, stdout } = await hosts.run("backup");
    const [name = "", ...more] = kept(hosts);
    expect([status, name, more]).toEqual([0, expect.stringMatching(NAME), []]);
    expect(stdout).toBe(`cluster file: ${hosts.cluster}
saved backups/c/${name}
  index 33, term 2, taken 2026-11-25 01:05:16 UTC, 5 bytes: 3 keys, 6 nodes, services and checks
`);
    const folder = join(hosts.project, "backups/c");
    expect([mode(folder), mode(join(folder, name)), readFileSync(join(folder, name), "utf8")]).toEqual([
      "700",
      "600",
      "good\n",
    ]);
    expect(hosts.calls.filter((call) => call.includes("snapshot.sh"))).toEqual([
      expect.stringMatching(/^-H ssh:\/\/root@10\.0\.0\.2 exec .* s2 sh -c snapshot\.sh/),
    ]);
  }, 60_000);

  test("prints the same as JSON, and nothing else on standard output", async () => {
    const hosts = new HostsStandIn();
    const { stdout } = await hosts.run("backup", "--json", "--output", "mine.snap");
    expect(JSON.parse(stdout)).toEqual({
      file: hosts.cluster,
      saved: "mine.snap",
      from: "s2",
      snapshot: { index: 33, term: 2, taken: "2026-11-25T01:05:16.165Z", bytes: 5, records: { KVS: 3, Register: 6 } },
    });
    expect(mode(join(hosts.project, "mine.snap"))).toBe("600");
  }, 60_000);

  test("uses another server when the leader's host is unreachable", async () => {
    const hosts = new HostsStandIn(FOUR_HOSTS, {
      "*' version --format '*": 'if [ "$host" = 10.0.0.2 ]; then echo "no route" >&2; exit 1; else echo 27; fi',
    });
    const { status, stderr } = await hosts.run("backup", "--output", "mine.snap");
    expect([status, stderr]).toEqual([0, expect.stringContaining("s2: its host is unreachable: no route")]);
    expect(hosts.calls.find((call) => call.includes("snapshot.sh"))).toContain("root@10.0.0.3");
  }, 60_000);

  test.each([
    [
      "the server denies it",
      { "*'# snapshot.sh'*": "echo 'Permission denied'; echo 'curl: (22) 403' >&2; exit 22" },
      "s2 gives no snapshot: curl: (22) 403: Permission denied",
    ],
    ["the snapshot is damaged", { "*'# snapshot.sh'*": "echo half" }, "Error reading snapshot: unexpected EOF"],
    [
      "no server is reachable",
      { "*'exec nc '*": "echo 'Error: No such container: s' >&2; exit 1" },
      "s1: Error: No such container: s",
    ],
  ])(
    "leaves no file when %s",
    async (_, answers, why) => {
      const hosts = new HostsStandIn(FOUR_HOSTS, answers);
      const { status, stdout, stderr } = await hosts.run("backup");
      expect([status, stdout, stderr]).toEqual([1, expect.not.stringContaining("saved"), expect.stringContaining(why)]);
      expect(kept(hosts)).toEqual([]);
    },
    60_000,
  );

  test("without a leader saves nothing, and with --stale the newest data of a server", async () => {
    const hosts = new HostsStandIn(FOUR_HOSTS, {}, [
      [/GET \/v1\/agent\/self/, (host: string) => self("Candidate", host === "10.0.0.3" ? 95 : 80)],
      [/GET \/v1\/status\/leader/, ""],
    ]);
    expect(await hosts.run("backup")).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("no reachable server knows a leader"),
    });
    expect((await hosts.run("backup", "--stale")).status).toBe(0);
    expect(hosts.calls.find((call) => call.includes("snapshot.sh"))).toMatch(/root@10\.0\.0\.3 .* -G -d stale=1/);
  }, 60_000);

  test("overwrites no file, and creates no folder that was not asked for", async () => {
    const hosts = new HostsStandIn();
    writeFileSync(join(hosts.project, "mine.snap"), "before");
    expect(await hosts.run("backup", "--output", "mine.snap")).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("mine.snap exists already"),
    });
    expect(readFileSync(join(hosts.project, "mine.snap"), "utf8")).toBe("before");
    expect(await hosts.run("backup", "--output", "no/where.snap")).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("no is no folder"),
    });
  }, 60_000);

  test.each([
    [["--list", "--stale"], "option '--list' cannot be used with option '--stale'"],
    [["--fetch", "s1"], "--fetch needs HOST and NAME"],
    [["s1", "x.snap"], "HOST and NAME need --fetch"],
    [["--list", "--fetch", "s1", "x.snap"], "option '--list' cannot be used with option '--fetch'"],
  ])("%j is rejected", async (words, reason) =>
    expect(await new HostsStandIn().run("backup", ...words)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining(`error: ${reason}`),
    }),
  );
});

const SCHEDULED = `${FOUR_HOSTS}backups: {}\n`;
/** A line of store.sh. */
const line = (name: string, flaw = "") =>
  JSON.stringify({
    name,
    bytes: 5,
    inspected: flaw ? "" : '{"Meta": {"ID": "2-7-1795568716165", "Index": 7, "Term": 2}, "Stats": []}',
    flaw,
  });

describe("npm run backup -- --list", () => {
  const here = (hosts: HostsStandIn) => {
    mkdirSync(join(hosts.project, "backups/c"), { recursive: true });
    writeFileSync(join(hosts.project, "backups/c/2026-01-01T000000Z.snap"), "good\n");
  };

  test("lists the snapshots here and on the servers' hosts, each verified", async () => {
    const hosts = new HostsStandIn(SCHEDULED, {
      "*'# store.sh'*": `[ "$host" = 10.0.0.2 ] && echo '${line("2026-01-02T000000Z.snap")}' || true`,
    });
    here(hosts);
    const { status, stdout } = await hosts.run("backup", "--list");
    expect([status, stdout]).toEqual([
      0,
      `cluster file: ${hosts.cluster}
backups/c
  2026-01-01T000000Z.snap  index 33, term 2, taken 2026-11-25 01:05:16 UTC, 5 bytes: 3 keys, 6 nodes, services and checks
s1, container s1-backups
  no snapshots
s2, container s2-backups
  2026-01-02T000000Z.snap  index 7, term 2, taken 2026-11-25 01:05:16 UTC, 5 bytes
s3, container s3-backups
  no snapshots
`,
    ]);
  }, 60_000);

  test("names damaged snapshots and unreachable hosts: exit code 1", async () => {
    const answer = `case $host in 10.0.0.1) echo '${line("a.snap", "Error reading snapshot: EOF")}' ;; 10.0.0.2) echo 'No such container: s2-backups' >&2; exit 1 ;; esac`;
    const hosts = new HostsStandIn(SCHEDULED, { "*'# store.sh'*": answer });
    here(hosts);
    writeFileSync(join(hosts.project, "backups/c/bad.snap"), "half");
    const { status, stdout } = await hosts.run("backup", "--list", "--json");
    const { here: local, hosts: shelves } = JSON.parse(stdout);
    expect(status).toBe(1);
    expect(local.snapshots).toMatchObject([
      { name: "2026-01-01T000000Z.snap", snapshot: { index: 33 } },
      { name: "bad.snap", flaw: expect.stringContaining("unexpected EOF") },
    ]);
    expect(shelves).toMatchObject([
      { server: "s1", snapshots: [{ name: "a.snap", flaw: "Error reading snapshot: EOF" }] },
      { server: "s2", snapshots: [], error: "No such container: s2-backups" },
      { server: "s3", snapshots: [] },
    ]);
  }, 60_000);

  test("lists the local snapshots if no server is reachable, unverified", async () => {
    const hosts = new HostsStandIn(FOUR_HOSTS, {
      "*'snapshot inspect -format=json /dev/stdin'": "echo 'Cannot connect to the Docker daemon' >&2; exit 1",
    });
    here(hosts);
    const { status, stdout } = await hosts.run("backup", "--list");
    expect([status, stdout]).toEqual([1, expect.stringContaining("2026-01-01T000000Z.snap  not verified")]);
    expect(stdout).toContain("Cannot connect to the Docker daemon");
  }, 60_000);

  test("verifies with the image if no container of a server runs", async () => {
    const hosts = new HostsStandIn(FOUR_HOSTS, {
      "*' exec -i '*' consul snapshot inspect '*": "echo 'No such container' >&2; exit 1",
    });
    here(hosts);
    expect(await hosts.run("backup", "--list")).toMatchObject({
      status: 0,
      stdout: expect.stringContaining("index 33"),
    });
    expect(hosts.calls.find((call) => call.includes(" run "))).toContain(
      `run --rm -i --network none --entrypoint consul ${DEFAULTS.image} snapshot inspect`,
    );
  }, 60_000);
});

describe("npm run backup -- --fetch", () => {
  test("downloads a snapshot from a host, and verifies it", async () => {
    const hosts = new HostsStandIn(SCHEDULED, { "*' cat /consul/backups/a.snap'": "echo good" });
    const { status, stdout } = await hosts.run("backup", "--fetch", "s2", "a.snap");
    expect([status, stdout]).toEqual([0, expect.stringContaining("saved backups/c/a.snap\n  index 33")]);
    expect(hosts.calls.find((call) => call.includes(" cat "))).toBe(
      "-H ssh://root@10.0.0.2 exec s2-backups cat /consul/backups/a.snap",
    );
    expect(readFileSync(join(hosts.project, "backups/c/a.snap"), "utf8")).toBe("good\n");
  }, 60_000);

  test.each([
    ["s9", "a.snap", "s9 is no server, and no server's host; there are s1, s2, s3"],
    ["s1", "../../etc/passwd", "../../etc/passwd is not the name of a snapshot"],
    ["s1", "a.snap", "s1 has no a.snap"],
  ])(
    "%s %s: reports why not, and leaves nothing",
    async (host, name, why) => {
      const hosts = new HostsStandIn(SCHEDULED, { "*' test -e '*": "exit 1" });
      expect(await hosts.run("backup", "--fetch", host, name)).toMatchObject({
        status: 1,
        stderr: expect.stringContaining(why),
      });
      expect(kept(hosts)).toEqual([]);
    },
    60_000,
  );

  test("needs a schedule", async () => {
    expect(await new HostsStandIn().run("backup", "--fetch", "s1", "a.snap")).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("has no `backups:`"),
    });
  }, 60_000);
});
