import { DEFAULTS } from "../cluster/resolve/defaults";
import { deployReleased, FORMER_IMAGE } from "./last-release";
import { LiveCluster } from "./live-cluster";
import { TestBed } from "./test-bed/test-bed";

const versionOf = (image: string) => `Consul v${image.split(":")[1]}`;

describe("a cluster that the last release deployed with its default image", () => {
  const testBed = TestBed.standing();
  let cluster: LiveCluster;
  const versions = () => Promise.all(cluster.agentNames.map((name) => cluster.consulVersion(name)));
  const onAll = (image: string) => cluster.agentNames.map(() => versionOf(image));

  beforeAll(async () => {
    cluster = await LiveCluster.up(testBed, "upgrade", { clients: 1, security: "off", firstDeploy: deployReleased });
  });
  afterAll(() => cluster.down());

  const expectUpgraded = async (image: string) => {
    let touched: string[] = [];
    const seen = await cluster.during(async () => {
      touched = await cluster.touchedBy(() => cluster.deploy());
    });
    expect(touched.sort()).toEqual([...cluster.agentNames].sort());
    expect(await versions()).toEqual(onAll(image));
    // The only client agent is replaced too, and while it is, its users have no other: a write may not be acknowledged.
    expect(seen.users.sessionLosses).toBe(0);
    expect(seen.servers.mostDown).toBeLessThan(2);
    await cluster.expectSound(seen);
  };

  test("keeps its version of Consul if the file names that image before the upgrade, as the changelog says", async () => {
    expect(await versions()).toEqual(onAll(FORMER_IMAGE));
    cluster.file.image = FORMER_IMAGE;
    await expectUpgraded(FORMER_IMAGE);
    expect(await cluster.touchedBy(() => cluster.deploy())).toEqual([]);
  });

  test("then gets this release's default image under load, and loses no acknowledged write and no session", async () => {
    delete cluster.file.image;
    await expectUpgraded(DEFAULTS.image);
  });
});
