import { FAULTS, type Fault } from "./faults";
import { LiveCluster } from "./live-cluster";
import { Random } from "./random";
import { Rig } from "./rig/rig";

describe("a cluster bears, while users work with it", () => {
  const rig = Rig.standing();
  const random = Random.seeded();
  let cluster: LiveCluster;

  beforeAll(async () => {
    cluster = await LiveCluster.up(rig, "faults");
  });
  afterAll(() => cluster.down());

  test.each(Object.keys(FAULTS))("%s", (name) => cluster.bear(() => (FAULTS[name] as Fault)(cluster, random)));
});
