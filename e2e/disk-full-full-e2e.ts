import { eventually } from "./consul";
import { expectElection, expectUndisturbed, LiveCluster, type Seen } from "./live-cluster";
import { expectPrinted, Page } from "./page";
import { pause } from "./pause";
import { PAYMENTS } from "./payments";
import type { DockerHost } from "./test-bed/docker-host";
import { TestBed } from "./test-bed/test-bed";
import { CONSUL_VERSIONS } from "./test-bed/world";

const [, OLDER, OLDEST] = CONSUL_VERSIONS;
const SERVERS = ["consul-server1", "consul-server2", "consul-server3"];
/** More than a segment of Consul's log of writes, whose place is reserved before it is written. */
const SEGMENT_BYTES = 80 * 1024 * 1024;
/** Consul accepts values of up to 512 KiB. */
const VALUE_BYTES = 500 * 1024;
const DISK_MEBIBYTES = 1500;
/** Autopilot's default `max_trailing_logs`. */
const TRAILING_LOGS = 250;
/** Seconds in which a server that has space again has caught up: its leader pauses longer and longer between attempts. */
const CAUGHT_UP = 120;
/** So many writes fail one after the other when most servers store none. */
const MOST_FAILED = 8;

describe("the disks of hosts are full: docs/disk-full.md, on a secured cluster", () => {
  const testBed = TestBed.standing();
  let cluster: LiveCluster;
  const pages: Page[] = [];

  beforeAll(async () => {
    for (const server of SERVERS) await testBed.host(server).useDisk(DISK_MEBIBYTES);
    cluster = await LiveCluster.up(testBed, "disk", {
      security: "on",
      settings: { ...PAYMENTS, backups: { every: "10s", keep: 4 } },
    });
  });
  afterAll(async () => {
    await cluster?.down();
    for (const server of SERVERS) await testBed.host(server).useDisk();
  });

  const pageOf = (server: string): Page => {
    const host = testBed.host(server);
    const here = { "10.0.0.12": host.address, node2: server, "/var/lib/docker": host.dataRoot };
    const page = Page.open("docs/disk-full.md", cluster.project, here);
    pages.push(page);
    return page;
  };
  const run = (...words: string[]) =>
    cluster.project.run("npm", ["run", "-s", ...words], { check: false, env: cluster.env });
  const logOf = async (container: string, server: string, lines: number): Promise<string> => {
    const { stdout, stderr } = await cluster.docker(server, "logs", "--tail", String(lines), container);
    return stdout + stderr;
  };

  /** What fills disks: images of former versions, and a container of somebody else's that writes without a limit. */
  async function fill(host: DockerHost): Promise<void> {
    for (const version of [OLDER, OLDEST]) await host.docker("pull", "-q", `hashicorp/consul:${version}`);
    const { stdout: image } = await host.docker("inspect", "-f", "{{.Image}}", host.name);
    const logs = "yes 'a line of a log that has no limit' | head -c 50000000; exec sleep infinity";
    await host.docker("run", "-d", "--name=noisy", "--network=none", "--entrypoint=sh", image.trim(), "-c", logs);
    await host.dockerWith({ check: false }, "exec", "noisy", "sh", "-c", "dd if=/dev/zero of=/full bs=1M; sync");
    const { stdout } = await host.run("df", ["--output=avail", "-k", host.dataRoot]);
    expect(Number(stdout.split("\n")[1])).toBeLessThan(1024);
  }

  /** Writes until the servers need space for their logs of writes, or accept none any more. */
  async function writeMuch(): Promise<void> {
    const value = "x".repeat(VALUE_BYTES);
    let failed = 0;
    for (let bytes = 0; bytes < SEGMENT_BYTES && failed < MOST_FAILED; bytes += VALUE_BYTES)
      try {
        await cluster.api("consul-client1").put("/v1/kv/load/large", value);
        failed = 0;
      } catch {
        failed++;
        await pause(0.5);
      }
  }

  /** The page's symptoms at one server, while the others are the quorum. */
  async function expectSymptoms(server: string): Promise<void> {
    const contradictions: string[] = [];
    await eventually(async () => {
      const { stdout } = await run("status");
      const problem = new RegExp(
        `^ +${server}: autopilot reports server ${server} as unhealthy \\(alive, \\d+ entries`,
        "m",
      );
      const [, behind] = new RegExp(`^${server} .* up .* votes, (\\d+) behind`, "m").exec(stdout) ?? [];
      // Autopilot takes the leader's newest entry a second before it asks the servers for theirs.
      if (Number(behind) > 2 * TRAILING_LOGS && !problem.test(stdout)) contradictions.push(stdout);
      expect([Number(behind) > 2 * TRAILING_LOGS, stdout]).toEqual([true, stdout]);
    }, 120);
    expect(contradictions).toEqual([]);
    expect(await logOf(server, server, 20)).toContain("no space left on device");
  }

  /** The container that takes scheduled snapshots beside the leader. */
  async function expectUnhealthySchedule(leader: string): Promise<void> {
    const container = `${leader}-backups`;
    await eventually(async () => {
      const { stdout } = await cluster.docker(leader, "inspect", "-f", "{{.State.Health.Status}}", container);
      expect([stdout.trim(), await logOf(container, leader, 5)]).toEqual(["unhealthy", expect.any(String)]);
    }, 180);
  }

  /** What the page has the operator do on one host. */
  async function freeSpace(server: string): Promise<void> {
    const page = pageOf(server);
    const host = testBed.host(server);
    const shown = await page.follow("## Check", { check: false });
    expect(shown).toMatch(/ 100% /);
    expect(shown).toContain("noisy");
    expect(await page.follow("### 1. ")).toContain("Total reclaimed space: ");
    // Step 2: that container is recreated, with a limit.
    await host.docker("rm", "--force", "noisy");
    // Which snapshots a server has, depends on how long it has led.
    const compare = (shown: string, printed: string) => expectPrinted(shown.split("\n")[0] as string, printed);
    await page.follow("### 3. ", { check: false, compare });
    await page.follow("### 4. ", { check: false });
  }

  async function expectRepaired(server: string, { users }: Pick<Seen, "users">): Promise<void> {
    const page = pages.at(-1) as Page;
    await eventually(async () => {
      const shown = await page.follow("## Verification");
      expect(shown).toContain("nothing is wrong");
      expect(shown).toMatch(new RegExp(`^${server} .* (votes, \\d behind|leads)`, "m"));
    }, CAUGHT_UP);
    expect(page.untyped).toEqual([]);
    await cluster.expectSound({ users });
  }

  test.each(["a follower", "the leader"])(
    "the disk of %s's host is full: users go on, and lose nothing",
    async (role) => {
      const leader = await cluster.leader();
      const server = role === "the leader" ? leader : (SERVERS.find((name) => name !== leader) as string);
      const seen = await cluster.during(async () => {
        await fill(testBed.host(server));
        if (role === "the leader") await expectUnhealthySchedule(server);
        await writeMuch();
        await expectSymptoms(server);
        await freeSpace(server);
      });
      // The servers may elect the same one again: Raft asks how long a server's log is, not whether it can write.
      if (role === "the leader") expectElection(seen, 2);
      else expectUndisturbed(seen);
      await expectRepaired(server, seen);
    },
  );

  test("the disks of most servers' hosts are full: writes fail until there is space, and no acknowledged one is lost", async () => {
    const full = SERVERS.slice(1);
    const seen = await cluster.during(async () => {
      for (const server of full) await fill(testBed.host(server));
      await writeMuch();
      await expect(cluster.api("consul-client1").put("/v1/kv/load/small", "x")).rejects.toThrow();
      for (const server of full) await freeSpace(server);
      await cluster.expectWhole(180);
    });
    await expectRepaired("consul-server3", seen);
  });

  test("step 3 and its undo: fewer snapshots are kept, and as many as before, by a deploy that restarts no agent", async () => {
    const leader = await cluster.leader();
    const kept = async (): Promise<number> => {
      const { stdout } = await cluster.docker(leader, "exec", `${leader}-backups`, "ls", "/consul/backups");
      return stdout.split("\n").filter((name) => name.endsWith(".snap")).length;
    };
    for (const keep of [1, 4]) {
      cluster.file.backups = { every: "10s", keep };
      expect(await cluster.touchedBy(() => cluster.npmDeploy())).toEqual([]);
      await eventually(async () => expect(await kept()).toBe(keep), 120);
    }
  });
});
