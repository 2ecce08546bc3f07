import { expectUndisturbed, LiveCluster } from "./live-cluster";
import { Rig } from "./rig/rig";

describe("a change of all agents at once", () => {
  const rig = Rig.standing();
  let cluster: LiveCluster;

  beforeAll(async () => {
    cluster = await LiveCluster.up(rig, "whole");
  });
  afterAll(() => cluster.down());

  test.each([
    ["their image", { image: "hashicorp/consul:1.21.5" }],
    ["their image, upwards", { image: "hashicorp/consul:1.22.2" }],
    ["their configuration", { config: { log_level: "debug" } }],
  ])("%s: users lose nothing", async (_what, change) => {
    Object.assign(cluster.file, change);
    const seen = await cluster.during(() => cluster.deploy());
    expectUndisturbed(seen);
    await cluster.expectSound(seen);
  });
});
