import { join } from "node:path";
import { eventually } from "./consul";
import { LiveCluster } from "./live-cluster";
import { TestBed } from "./test-bed/test-bed";

describe("a cluster is saved, by hand and on a schedule, and restored", () => {
  const testBed = TestBed.standing();
  const SERVER = "consul-server1";
  let cluster: LiveCluster;
  const npm = async (name: "backup" | "restore", ...args: string[]) =>
    JSON.parse(
      (await cluster.project.run("npm", ["run", "-s", name, "--", ...args, "--json"], { env: cluster.env })).stdout,
    );

  beforeAll(async () => {
    cluster = await LiveCluster.up(testBed, "backup", { clients: 1, settings: { backups: { every: "5s", keep: 2 } } });
  });
  afterAll(() => cluster.down());

  test("a restore of a manual snapshot restores its keys, removes later ones, and touches no agent", async () => {
    const api = cluster.api(SERVER);
    await api.put("/v1/kv/app/kept", "yes");
    const { saved } = await npm("backup");
    await api.put("/v1/kv/app/later", "no");
    const touched = await cluster.touchedBy(async () => {
      expect(await npm("restore", saved, "--auto-approve")).toMatchObject({ left: [], restarted: [] });
    });
    expect([touched, await api.json("/v1/kv/app/?keys")]).toEqual([[], ["app/kept"]]);
    await cluster.expectWhole();
    expect((await cluster.diff()).stdout).toContain("No changes.");
  });

  test("snapshots that the leader's container stored can be listed and downloaded", async () => {
    const leader = await cluster.leader();
    const stored = async () =>
      (await npm("backup", "--list")).hosts.find(({ server }: { server: string }) => server === leader);
    await eventually(async () => expect((await stored()).snapshots.length).toBeGreaterThan(0), 30);
    const { snapshots } = await stored();
    const { name } = snapshots.at(-1);
    expect(await npm("backup", "--fetch", leader, name)).toMatchObject({
      saved: join("backups", cluster.file.name, name),
      snapshot: { index: snapshots.at(-1).snapshot.index },
    });
  });
});
