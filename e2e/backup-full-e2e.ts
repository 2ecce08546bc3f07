import { readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "./consul";
import { expectUndisturbed, LiveCluster } from "./live-cluster";
import { pause } from "./pause";
import type { CommandOptions, CommandResult } from "./test-bed/command";
import { TestBed } from "./test-bed/test-bed";

const testBed = TestBed.standing();
const secured = process.env.SECURITY !== "off";
const SERVER = "consul-server1";

const npm = (
  cluster: LiveCluster,
  name: "backup" | "restore",
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> =>
  cluster.project.run("npm", ["run", "-s", name, "--", ...args], { ...options, env: cluster.env });

interface Entries {
  readonly [key: string]: string;
}
/** The keys that users have written, as the leader has them. */
async function entriesOf(cluster: LiveCluster, server = SERVER): Promise<Entries> {
  const entries: { Key: string; Value: string }[] = await cluster.api(server).json("/v1/kv/load/?recurse&consistent");
  return Object.fromEntries(entries.map(({ Key, Value }) => [Key, Buffer.from(Value, "base64").toString()]));
}

/** After a restore, each server has all keys of the snapshot, a plan is empty, and users work with their tokens. */
async function expectRestored(cluster: LiveCluster, before: Entries): Promise<void> {
  for (const server of cluster.serverNames) expect(await entriesOf(cluster, server)).toMatchObject(before);
  await cluster.expectWhole();
  expect((await cluster.diff()).stdout).toContain("No changes.");
  // Users of client agents' HTTPS learn the CA that these agents have now.
  expect(await cluster.touchedBy(() => cluster.deploy())).toEqual([]);
  const seen = await cluster.during(() => pause(3));
  expectUndisturbed(seen);
  expect(seen.users.failed).toBe(0);
}

/** A change of all agents works as before, and loses no key that was restored. */
async function expectRolling(cluster: LiveCluster, before: Entries): Promise<void> {
  cluster.changeAll();
  const seen = await cluster.during(() => cluster.deploy());
  expectUndisturbed(seen);
  await cluster.expectSound(seen);
  expect(await entriesOf(cluster)).toMatchObject(before);
}

/** The HTTP status of a request with a token, which is given by its SecretID. */
async function answerTo(secret: string): Promise<string> {
  const script = `read -r header; curl -sS -o /dev/null -w '%{http_code}' -H @/dev/fd/3 http://127.0.0.1:8500/v1/acl/token/self 3<<HEADER
$header
HEADER`;
  const { stdout } = await testBed
    .host(SERVER)
    .dockerWith({ input: `X-Consul-Token: ${secret}\n` }, "exec", "-i", SERVER, "sh", "-c", script);
  return stdout;
}
const tokensOf = (cluster: LiveCluster): Record<string, string> =>
  JSON.parse(readFileSync(join(cluster.project.folder, "secrets", cluster.file.name, "tokens.json"), "utf8")).current;

/** All tokens of a cluster get other SecretIDs, and the old ones are revoked. */
async function replaceTokens(cluster: LiveCluster): Promise<void> {
  for (const args of [["rotate", "tokens"], ["revoke"]]) {
    await cluster.secrets(...args);
    await cluster.deploy();
  }
}

describe("a backup that is taken while users write", () => {
  const file = join(tmpdir(), `consul-cdktf-backup-${process.pid}.snap`);
  const broken = `${file}.broken`;
  let cluster: LiveCluster;
  let before: Entries = {};
  let tokens: Record<string, string>;

  beforeAll(async () => {
    cluster = await LiveCluster.up(testBed, "saved");
    tokens = secured ? tokensOf(cluster) : {};
  });
  afterAll(async () => {
    await cluster.down();
    for (const made of [file, broken]) rmSync(made, { force: true });
  });

  test("disturbs no user, and reports what it contains", async () => {
    const api = cluster.api(SERVER);
    // A deploy that was under way, and a lock's holder that no longer exists, have left these at the time of the
    // backup.
    await api.put("/v1/kv/consul-cdktf/replacing", "consul-server2");
    await api.put("/v1/kv/consul-cdktf/clients/consul-client1", "consul-client1");
    const { ID } = JSON.parse(await api.put("/v1/session/create", { Name: "gone", Node: SERVER }));
    expect(await api.put(`/v1/kv/ghost?acquire=${ID}`, "held")).toContain("true");
    const seen = await cluster.during(async () => {
      await pause(2);
      before = await entriesOf(cluster);
      const { stdout } = await npm(cluster, "backup", ["--output", file, "--json"]);
      const { snapshot, from } = JSON.parse(stdout);
      expect(from).toBe(await cluster.leader());
      expect(snapshot).toMatchObject({
        index: expect.any(Number),
        term: expect.any(Number),
        bytes: readFileSync(file).length,
      });
      expect(snapshot.records.KVS).toBeGreaterThanOrEqual(Object.keys(before).length);
      expect(Math.abs(Date.now() - Date.parse(snapshot.taken))).toBeLessThan(60_000);
    });
    expectUndisturbed(seen);
    expect(seen.users.failed).toBe(0);
    expect(Object.keys(before).length).toBeGreaterThan(20);
    await api.put(`/v1/session/destroy/${ID}`, "");
    for (const key of ["replacing", "clients/consul-client1"])
      await cluster.docker(SERVER, "exec", SERVER, "sh", "-c", remove(`consul-cdktf/${key}`));
  });

  /** The command that an operator types. */
  const remove = (key: string): string => {
    const header = secured ? "-H @/consul/secrets/management.header" : "";
    return `curl -fsS -X DELETE ${header} http://127.0.0.1:8500/v1/kv/${key}`;
  };

  test("is restored on a cluster whose tokens have been replaced since: only the new ones work", async () => {
    if (secured) await replaceTokens(cluster);
    await cluster.api(SERVER).put("/v1/kv/load/later", "written since");
    const untouched = await cluster.touchedBy(async () => {
      const { stdout, stderr } = await npm(cluster, "restore", [file, "--auto-approve"]);
      expect(stdout).toMatch(
        /restored: all servers are voters, consul-server\d is the leader, and every agent's token is accepted/,
      );
      expect(stderr).toMatch(/are lost: keys/);
    });
    expect(untouched).toEqual([]);
    expect(await entriesOf(cluster)).not.toHaveProperty("load/later");
    expect(await cluster.api(SERVER).json("/v1/kv/ghost")).toMatchObject([{ Key: "ghost", Flags: 0 }]);
    expect((await cluster.api(SERVER).json("/v1/kv/ghost"))[0]).not.toHaveProperty("Session");
    expect(await cluster.api(SERVER).json("/v1/session/list")).toEqual([]);
    if (secured) {
      for (const name of ["management", "load", "agent:consul-client1"]) {
        expect([name, await answerTo(tokensOf(cluster)[name] as string)]).toEqual([name, "200"]);
        expect([name, await answerTo(tokens[name] as string)]).toEqual([name, "403"]);
      }
    }
    await expectRestored(cluster, before);
    await expectRolling(cluster, before);
  });

  test("a restore saves a snapshot first, and this snapshot can be restored", async () => {
    const { stdout } = await npm(cluster, "backup", ["--list", "--json"]);
    const [saved] = JSON.parse(stdout).here.snapshots;
    expect(saved).toMatchObject({ snapshot: { index: expect.any(Number) } });
    await npm(cluster, "restore", [join("backups", cluster.file.name, saved.name), "--auto-approve", "--no-backup"]);
    expect(await cluster.api(SERVER).get("/v1/kv/load/later?raw")).toBe("written since");
    await cluster.expectWhole();
  });

  test("is restored again after a restore that was interrupted right after Consul took the snapshot", async () => {
    if (secured) await replaceTokens(cluster);
    const header = secured ? "-H @/consul/secrets/management.header" : "";
    await cluster.docker(SERVER, "cp", file, `${SERVER}:/tmp/by-hand.snap`);
    await cluster.docker(
      SERVER,
      "exec",
      SERVER,
      "sh",
      "-c",
      `curl -fsS ${header} -T /tmp/by-hand.snap http://127.0.0.1:8500/v1/snapshot`,
    );
    if (secured) expect(await answerTo(tokensOf(cluster).load as string)).toBe("403");
    expect((await npm(cluster, "restore", [file, "--auto-approve"])).exitCode).toBe(0);
    await expectRestored(cluster, before);
  });

  test.each<[string, () => void]>([
    ["is cut off", () => truncateSync(broken, 2000)],
    ["is no snapshot", () => writeFileSync(broken, "no snapshot")],
    ["is empty", () => writeFileSync(broken, "")],
  ])("a file that %s is rejected, and touches nothing", async (_, spoil) => {
    writeFileSync(broken, readFileSync(file));
    spoil();
    await cluster.api(SERVER).put("/v1/kv/load/untouched", "yes");
    const touched = await cluster.touchedBy(async () => {
      const { exitCode, stderr } = await npm(cluster, "restore", [broken, "--auto-approve"], { check: false });
      expect([exitCode, stderr]).toEqual([1, expect.stringContaining("cannot be restored; nothing was changed")]);
    });
    expect([touched, await cluster.api(SERVER).get("/v1/kv/load/untouched?raw")]).toEqual([[], "yes"]);
  });
  test("without consent, nothing is touched", async () => {
    const { exitCode, stderr } = await npm(cluster, "restore", [file], { check: false });
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining("--auto-approve")]);
    expect(await cluster.api(SERVER).get("/v1/kv/load/untouched?raw")).toBe("yes");
  });

  test("without a leader, --stale saves one server's data", async () => {
    for (const name of ["consul-server2", "consul-server3"]) await cluster.docker(name, "stop", name);
    await eventually(
      async () =>
        expect((await npm(cluster, "backup", ["--output", broken], { check: false })).stderr).toContain(
          "no reachable server knows a leader",
        ),
      60,
    );
    rmSync(broken, { force: true });
    const { stdout } = await npm(cluster, "backup", ["--stale", "--output", broken, "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ from: SERVER });
    for (const name of ["consul-server2", "consul-server3"]) await cluster.docker(name, "start", name);
    await cluster.expectWhole();
  });

  describe("is restored onto a new, empty cluster with other secrets", () => {
    let other: LiveCluster;
    beforeAll(async () => {
      other = await LiveCluster.up(testBed, "onto");
    });
    afterAll(() => other.project.remove());

    test("of the same agents: they keep their catalog entries, and get certificates from the snapshot's CA", async () => {
      const ids = async () =>
        Object.fromEntries(
          (await other.api(SERVER).json("/v1/catalog/nodes")).map(({ Node, ID }: { Node: string; ID: string }) => [
            Node,
            ID,
          ]),
        );
      const own = await ids();
      const touched = await other.touchedBy(async () => {
        const { stdout } = await npm(other, "restore", [file, "--auto-approve", "--json"]);
        expect(JSON.parse(stdout)).toMatchObject({
          left: [],
          restarted: secured ? other.agentNames.filter((name) => name.includes("client")) : [],
        });
      });
      expect(touched.every((name) => name.includes("client"))).toBe(true);
      expect(await ids()).toEqual(own);
      if (secured) expect(await answerTo(tokens.management as string)).toBe("403");
    });

    test("every write from before the backup is there, and the cluster works as before", async () => {
      await expectRestored(other, before);
      await expectRolling(other, before);
    });
  });
});

describe("backups on a schedule", () => {
  let cluster: LiveCluster;
  const agents = ["consul-server1", "consul-server2", "consul-server3"];
  const containerOf = (server: string): string => `${server}-backups`;
  const exec = async (server: string, ...args: string[]): Promise<string> =>
    (await cluster.docker(server, "exec", containerOf(server), ...args)).stdout.trim();
  const kept = async (server: string): Promise<string[]> =>
    (await exec(server, "ls", "/consul/backups")).split("\n").filter((name) => name.endsWith(".snap"));
  const health = async (server: string): Promise<string> =>
    (await cluster.docker(server, "inspect", "-f", "{{.State.Health.Status}}", containerOf(server))).stdout.trim();
  /** Waits until a server's container has saved another snapshot. */
  const savesAgain = async (server: string, seconds = 40): Promise<void> => {
    const newest = (await kept(server)).at(-1);
    await eventually(async () => expect((await kept(server)).at(-1)).not.toBe(newest), seconds);
  };

  beforeAll(async () => {
    cluster = await LiveCluster.up(testBed, "scheduled");
  });
  afterAll(() => cluster.down());

  test("are turned on, and no agent is touched", async () => {
    cluster.file.backups = { every: "5s", keep: 3 };
    const seen = await cluster.during(async () => {
      expect(await cluster.touchedBy(() => cluster.deploy())).toEqual([]);
    });
    expectUndisturbed(seen);
    expect(seen.users.failed).toBe(0);
    expect((await cluster.diff()).stdout).toContain("No changes.");
  });

  test("are made on the leader's host only, the newest are stored, and all containers are healthy", async () => {
    const leader = await cluster.leader();
    await eventually(async () => expect(await kept(leader)).toHaveLength(3), 40);
    await savesAgain(leader);
    expect(await kept(leader)).toHaveLength(3);
    for (const server of agents.filter((name) => name !== leader)) expect(await kept(server)).toEqual([]);
    for (const server of agents) await eventually(async () => expect(await health(server)).toBe("healthy"), 60);
    expect((await cluster.docker(leader, "logs", containerOf(leader))).stdout).toMatch(
      /saved \S+\.snap, index \d+, term \d+, \d+ bytes\nremoved \S+\.snap/,
    );
  });

  test("are made on the new leader's host when leadership moves", async () => {
    const old = await cluster.leader();
    await cluster.docker(old, "restart", "-t", "30", old);
    await cluster.expectWhole();
    const leader = await cluster.leader();
    expect(leader).not.toBe(old);
    await eventually(async () => expect((await kept(leader)).length).toBeGreaterThan(0), 40);
    await eventually(
      async () =>
        expect((await cluster.docker(old, "logs", containerOf(old))).stdout).toContain("another server is the leader"),
      40,
    );
  });

  test("continue while all agents are replaced, and their containers are not touched", async () => {
    const started = async () =>
      Promise.all(
        agents.map(
          async (name) =>
            (await cluster.docker(name, "inspect", "-f", "{{.Id}} {{.State.StartedAt}}", containerOf(name))).stdout,
        ),
      );
    const before = await started();
    cluster.changeAll();
    const seen = await cluster.during(() => cluster.deploy());
    expectUndisturbed(seen);
    expect(await started()).toEqual(before);
    await savesAgain(await cluster.leader());
  });

  test("are listed with the local ones, each verified; one is downloaded", async () => {
    const leader = await cluster.leader();
    const { stdout } = await npm(cluster, "backup", ["--list", "--json"], { check: false });
    const stored = JSON.parse(stdout).hosts.find(({ server }: { server: string }) => server === leader);
    expect(stored.snapshots.length).toBeGreaterThanOrEqual(2);
    for (const snapshot of stored.snapshots)
      expect(snapshot).toMatchObject({ snapshot: { index: expect.any(Number) } });
    // The oldest may be removed before it is downloaded.
    const { stdout: fetched } = await npm(cluster, "backup", [
      "--fetch",
      leader,
      (await kept(leader)).at(-1) as string,
      "--json",
    ]);
    const { saved, snapshot } = JSON.parse(fetched);
    expect([saved, snapshot.records.KVS]).toEqual([expect.stringMatching(/^backups\/consul\//), expect.any(Number)]);
  });

  test("have a new token after a rotation, and no agent is touched", async () => {
    if (!secured) return;
    const touched = await cluster.touchedBy(async () => {
      for (const args of [["rotate", "tokens", "backups"], ["revoke"]]) {
        await cluster.secrets(...args);
        await cluster.deploy();
      }
    });
    expect(touched).toEqual([]);
    await savesAgain(await cluster.leader());
  });

  test("that fail make their container unhealthy, and healthy again when they succeed", async () => {
    const leader = await cluster.leader();
    await exec(leader, "chmod", "500", "/consul/backups");
    await eventually(async () => expect(await health(leader)).toBe("unhealthy"), 150);
    expect((await cluster.docker(leader, "logs", containerOf(leader))).stdout).toContain("failed: ");
    await exec(leader, "chmod", "700", "/consul/backups");
    await eventually(async () => expect(await health(leader)).toBe("healthy"), 60);
  });

  test("have no capabilities, no published ports and no new privileges", async () => {
    const { stdout } = await cluster.docker(
      agents[0] as string,
      "inspect",
      "-f",
      "{{.HostConfig.CapDrop}} {{.HostConfig.CapAdd}} {{.HostConfig.SecurityOpt}} {{len .HostConfig.PortBindings}}",
      containerOf(agents[0] as string),
    );
    expect(stdout.trim()).toBe("[ALL] [] [no-new-privileges:true] 0");
    expect(await exec(agents[0] as string, "sh", "-c", "grep CapEff /proc/self/status")).toMatch(
      /CapEff:\s+0000000000000000/,
    );
  });

  test("are turned off, and no agent is touched; saved snapshots stay", async () => {
    const leader = await cluster.leader();
    cluster.file.backups = undefined;
    expect(await cluster.touchedBy(() => cluster.deploy())).toEqual([]);
    expect((await cluster.docker(leader, "ps", "-aq", "--filter", `name=${containerOf(leader)}`)).stdout).toBe("");
    expect((await cluster.docker(leader, "volume", "ls", "-q")).stdout).toContain(containerOf(leader));
    expect((await cluster.diff()).stdout).toContain("No changes.");
  });
});
