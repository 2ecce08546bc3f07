import type { ClusterFile } from "../cluster/file/schema";
import { expectUndisturbed, LiveCluster, nameOf } from "./live-cluster";
import { TestBed } from "./test-bed/test-bed";

type Agents = ClusterFile["servers"];

const decommissioned = (agents: Agents | undefined, leaving: readonly string[]): Agents =>
  (agents ?? []).map((agent) =>
    leaving.includes(nameOf(agent)) ? { name: nameOf(agent), decommission: true } : agent,
  );
const without = (agents: Agents | undefined, gone: readonly string[]): Agents =>
  (agents ?? []).filter((agent) => !gone.includes(nameOf(agent)));

describe("a cluster grows, shrinks and moves by changes of its file", () => {
  const testBed = TestBed.standing();
  let cluster: LiveCluster;

  /** Deploys while users work, expects that they lose nothing, and returns the agents that were touched. */
  async function deployed(): Promise<string[]> {
    let touched: string[] = [];
    const seen = await cluster.during(async () => {
      touched = await cluster.touchedBy(() => cluster.deploy());
    });
    expect(seen.users.sessionLosses).toBe(0);
    expect(seen.servers.mostDown).toBeLessThan(2);
    // With one client agent, users have no other while it is replaced.
    if ((cluster.file.clients ?? []).length > 1) expectUndisturbed(seen);
    await cluster.expectSound(seen);
    return touched;
  }
  const members = async (): Promise<string[]> => {
    const all: { Name: string; Status: number }[] = await cluster
      .api(cluster.serverNames[0] as string)
      .json("/v1/agent/members");
    // 1 is alive, 4 failed; 3 has left.
    return all
      .filter(({ Status }) => Status !== 3)
      .map(({ Name, Status }) => (Status === 1 ? Name : `${Name}: ${Status}`))
      .sort();
  };

  beforeAll(async () => {
    cluster = await LiveCluster.up(testBed, "growing", { settings: { ready_timeout: 120 }, servers: 1, clients: 1 });
  });
  afterAll(() => cluster.down());

  test("from one server to three", async () => {
    await cluster.add("server", 2);
    await cluster.add("server", 3);
    await deployed();
  });

  test("from three servers to five: only the new ones are touched", async () => {
    cluster.file.join = ["consul-server1", "consul-server2", "consul-server3"];
    await cluster.add("server", 4);
    await cluster.add("server", 5);
    expect(await deployed()).toEqual(["consul-server4", "consul-server5"]);
  });

  test("from five servers to three, without the first: the others are not touched", async () => {
    const leaving = ["consul-server1", "consul-server4"];
    cluster.file.servers = decommissioned(cluster.file.servers, leaving);
    expect(await deployed()).toEqual([]);
    for (const name of leaving) expect((await cluster.docker(name, "ps", "-aq")).stdout).toBe("");
    cluster.file.servers = without(cluster.file.servers, leaving);
    expect(await deployed()).toEqual([]);
    expect(await members()).toEqual(["consul-client1", "consul-server2", "consul-server3", "consul-server5"]);
  });

  test("from one client agent to four, and to one again, another one", async () => {
    const added = [await cluster.add("client", 2), await cluster.add("client", 3), await cluster.add("client", 4)];
    expect(await deployed()).toEqual(added);
    const leaving = ["consul-client1", "consul-client2", "consul-client3"];
    cluster.file.clients = decommissioned(cluster.file.clients, leaving);
    expect(await cluster.touchedBy(() => cluster.deploy())).toEqual([]);
    for (const name of leaving) expect((await cluster.docker(name, "ps", "-aq")).stdout).toBe("");
    cluster.file.clients = without(cluster.file.clients, leaving);
    expect(await deployed()).toEqual([]);
    expect(await members()).toEqual(["consul-client4", "consul-server2", "consul-server3", "consul-server5"]);
  });

  test("a server's host fails permanently: another machine gets its name and the server alone", async () => {
    const address = testBed.host("consul-server3").address;
    await testBed.removeHost("consul-server3");
    await testBed.addHost("consul-server3", address);
    expect(await deployed()).toEqual(["consul-server3"]);
  });

  /** Edits the host's line in the file. */
  const readdress = (name: string, address: string) => {
    cluster.file.hosts = { ...cluster.file.hosts, [name]: address };
  };

  test("a server's host moves to another address with its disk: no other agent is touched", async () => {
    await testBed.moveHost("consul-server5", "172.16.8.128");
    readdress("consul-server5", "172.16.8.128");
    expect(await deployed()).toEqual(["consul-server5"]);
  });

  test("a server's host fails permanently, and the machine that replaces it has another address", async () => {
    await testBed.removeHost("consul-server5");
    await testBed.addHost("consul-server5", "172.16.8.129");
    readdress("consul-server5", "172.16.8.129");
    expect(await deployed()).toEqual(["consul-server5"]);
    expect(await members()).toEqual(["consul-client4", "consul-server2", "consul-server3", "consul-server5"]);
  });
});

describe("servers whose agents reject to leave", () => {
  const testBed = TestBed.standing();
  let cluster: LiveCluster;

  beforeAll(async () => {
    const config = { http_config: { block_endpoints: ["/v1/agent/leave"] } };
    // The last server has no other one to join.
    const settings: Partial<ClusterFile> = { config, ignore: ["join-nobody"] };
    cluster = await LiveCluster.up(testBed, "staying", { settings });
  });
  afterAll(() => cluster.down());

  test("are taken out of three: none is stopped while it has a vote", async () => {
    const leaving = ["consul-server2", "consul-server3"];
    cluster.file.servers = decommissioned(cluster.file.servers, leaving);
    const seen = await cluster.during(async () => {
      expect(await cluster.touchedBy(() => cluster.deploy())).toEqual([]);
    });
    for (const name of leaving) expect((await cluster.docker(name, "ps", "-aq")).stdout).toBe("");
    cluster.file.servers = without(cluster.file.servers, leaving);
    await cluster.expectSound(seen);
    expect(await cluster.api("consul-server1").json("/v1/status/peers")).toHaveLength(1);
  });
});
