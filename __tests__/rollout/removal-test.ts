import { removal } from "../../rollout/removal";
import { voters } from "../../rollout/voters";
import { SimulatedCluster, Simulation } from "./simulation";

const LOCK = "consul-cdktf/replacing";

async function remove(cluster: SimulatedCluster, node = "s3") {
  const log: string[] = [];
  const { simulation } = cluster;
  const wanted = { owner: node, node, seconds: 60 };
  const outcome = await simulation.until(
    removal(wanted, cluster.api("s1"), simulation.clock, (line) => log.push(line)),
  );
  return { outcome, log, seconds: simulation.seconds };
}

const clusterOf = (servers = 3) => new SimulatedCluster(new Simulation(), servers);

describe("the removal of an agent that was stopped for good", () => {
  test("is over when it is neither a member nor in Raft; then the deploy lock and the rollout slot are released", async () => {
    const cluster = clusterOf(2);
    cluster.store(LOCK, "s3");
    cluster.store("consul-cdktf/clients/s3", "s3");
    expect(await remove(cluster)).toEqual({ outcome: { kind: "allow", reason: "it has left" }, log: [], seconds: 0 });
    expect(cluster.keys()).toEqual([]);
  });

  test.each(["alive", "leaving"] as const)("waits while it is %s", async (status) => {
    const cluster = clusterOf();
    cluster.server("s3").status = status;
    expect(await remove(cluster)).toMatchObject({
      outcome: { kind: "deny", reason: "it has not left after 60 s: waiting until it is no member" },
      seconds: 60,
    });
  });

  test("takes one that failed out of the members, and one that is still in Raft out of that", async () => {
    const cluster = clusterOf();
    cluster.server("s3").status = "failed";
    expect(await remove(cluster)).toEqual({
      outcome: { kind: "allow", reason: "it has left" },
      log: [
        "s3: it did not leave by itself: removed from the members",
        "s3: it did not leave by itself: removed from Raft",
      ],
      seconds: 2,
    });
    expect(cluster.servers.map(({ name }) => name)).toEqual(["s1", "s2"]);
  });

  test.each([
    ["soon, and one that is still in Raft is taken out of that then", 3, 4],
    ["never, because one is no member any more, and is not waited for any longer", 60, 9],
  ])(
    "waits for a leader that has just started, and does not know the names of its peers; it knows them %s",
    async (_, known, most) => {
      const cluster = clusterOf();
      cluster.server("s3").status = "left";
      cluster.exceptions.set(/raft.configuration/, {
        status: 200,
        body: JSON.stringify({ Servers: [{ ID: "id-s3", Node: "(unknown)", Address: "10.0.0.3:8300", Voter: true }] }),
      });
      cluster.simulation.at(known, () => cluster.exceptions.clear());
      const { outcome, seconds } = await remove(cluster);
      expect(outcome.kind).toBe("allow");
      expect(seconds).toBeGreaterThanOrEqual(Math.min(known, 8));
      expect(seconds).toBeLessThanOrEqual(most);
      expect(cluster.servers).toHaveLength(known < 8 ? 2 : 3);
    },
  );

  test("asks another server if this one does not list the members, or knows no leader", async () => {
    const silent = clusterOf();
    silent.exceptions.set(/members/, { status: 500 });
    expect(await remove(silent)).toMatchObject({
      outcome: { kind: "unknown", reason: "this server does not list the members" },
      seconds: 8,
    });
    const leaderless = clusterOf(2);
    leaderless.hasLeader = false;
    expect(await remove(leaderless)).toMatchObject({ outcome: { kind: "unknown", reason: "waiting for a leader" } });
  });

  test.each([
    ["the leader is not known", /status.leader/],
    ["the lock stays", /^DELETE .*replacing/],
    ["the slot stays", /^DELETE .*clients/],
  ])("is not over while %s", async (_, path) => {
    const cluster = clusterOf(2);
    cluster.store(LOCK, "s3");
    cluster.store("consul-cdktf/clients/s3", "s3");
    cluster.exceptions.set(path, { status: 500 });
    expect((await remove(cluster)).outcome.kind).toBe("unknown");
  });
});

describe("the voters at the end of a deploy", () => {
  const wait = (cluster: SimulatedCluster, ...nodes: string[]) =>
    cluster.simulation.until(voters(nodes, 60, cluster.api("s1"), cluster.simulation.clock, () => undefined));

  test("are all named servers", async () => {
    expect(await wait(clusterOf(), "s1", "s2", "s3")).toEqual({ kind: "allow", reason: "s1 s2 s3" });
  });

  test("are waited for, and those that are missing are named", async () => {
    const cluster = clusterOf();
    cluster.server("s2").voter = false;
    expect(await wait(cluster, "s1", "s2", "s9")).toEqual({
      kind: "deny",
      reason: "not all servers are voters of one cluster after 60 s, missing: s2 s9",
      hint: "check their logs, addresses and ports",
    });
  });

  test("are unknown without a leader, which is a refusal", async () => {
    const cluster = clusterOf();
    cluster.hasLeader = false;
    expect((await wait(cluster, "s1")).kind).toBe("deny");
  });
});
