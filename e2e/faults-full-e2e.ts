import { FAULTS, type Fault } from "./faults";
import { diskWiped } from "./faults/disk-wiped";
import { hostCutOff } from "./faults/host-cut-off";
import { LiveCluster } from "./live-cluster";
import { Random } from "./random";
import { TestBed } from "./test-bed/test-bed";

describe("a cluster bears, while users work with it", () => {
  const testBed = TestBed.standing();
  const random = Random.seeded();
  let cluster: LiveCluster;

  beforeAll(async () => {
    cluster = await LiveCluster.up(testBed, "faults");
  });
  afterAll(() => cluster.down());

  test.each(Object.keys(FAULTS))("%s", (name) => cluster.bear(() => (FAULTS[name] as Fault)(cluster, random)));
});

// Five servers tolerate two failures; a deploy waits for a server that recovers soon all the same.
describe("a cluster of five servers bears, while users work with it", () => {
  const testBed = TestBed.standing();
  const random = Random.seeded();
  let cluster: LiveCluster;

  beforeAll(async () => {
    cluster = await LiveCluster.up(testBed, "faults5", { servers: 5 });
  });
  afterAll(() => cluster.down());

  test.each([
    ["a host is cut off during a deploy", hostCutOff],
    ["a server's disk is wiped", diskWiped],
  ])("%s", (_, fault) => cluster.bear(() => fault(cluster, random)));
});
