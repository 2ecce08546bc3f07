import { changeWithdrawn } from "./faults/change-withdrawn";
import { LiveCluster } from "./live-cluster";
import { Rig } from "./rig/rig";

test("a change is withdrawn after its deploy was killed", async () => {
  const cluster = await LiveCluster.up(Rig.standing(), "withdrawn");
  try {
    await changeWithdrawn(cluster);
  } finally {
    await cluster.down();
  }
});
