import { LiveCluster } from "./live-cluster";
import { TestBed } from "./test-bed/test-bed";

describe("a change touches only what it must", () => {
  const testBed = TestBed.standing();
  let cluster: LiveCluster;
  /** Edits the file, deploys it while users work, and returns the agents that were touched. */
  async function touchedByDeploy(edit: () => unknown): Promise<string[]> {
    await edit();
    let touched: string[] = [];
    const seen = await cluster.during(async () => {
      touched = await cluster.touchedBy(() => cluster.deploy());
    });
    await cluster.expectSound(seen);
    return touched;
  }

  beforeAll(async () => {
    cluster = await LiveCluster.up(testBed, "blast-radius");
  });
  afterAll(() => cluster.down());

  test("the file in another order: nothing", async () => {
    const reversed = Object.fromEntries(Object.entries(cluster.file.hosts).reverse());
    const edit = () => Object.assign(cluster.file, { hosts: reversed, servers: [...cluster.file.servers].reverse() });
    expect(await touchedByDeploy(edit)).toEqual([]);
  });

  test("another client agent: that one", async () => {
    expect(await touchedByDeploy(() => cluster.add("client", 3))).toEqual(["consul-client3"]);
  });

  test("a service in the configuration of one client agent: that one", async () => {
    const services = [{ name: "mail", port: 25 }];
    const edit = () => cluster.set("consul-client2", { config: { services } });
    expect(await touchedByDeploy(edit)).toEqual(["consul-client2"]);
  });

  test("a service that is declared on one client agent: nothing", async () => {
    const edit = () => cluster.set("consul-client1", { services: [{ name: "www", port: 80 }] });
    expect(await touchedByDeploy(edit)).toEqual([]);
  });

  test("a label on one server: that one", async () => {
    const edit = () => cluster.set("consul-server2", { labels: { owner: "me" } });
    expect(await touchedByDeploy(edit)).toEqual(["consul-server2"]);
  });
});
