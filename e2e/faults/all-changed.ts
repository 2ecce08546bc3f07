import { expectUndisturbed, type LiveCluster } from "../live-cluster";

const OLDER = "hashicorp/consul:1.21.5";
const NEWER = "hashicorp/consul:1.22.7";

/** All agents get another image: the newer one, or the older one again, with the consent that this needs. */
export async function imageChanged(cluster: LiveCluster): Promise<void> {
  const back = cluster.file.image !== OLDER;
  cluster.file.image = back ? OLDER : NEWER;
  const seen = await cluster.during(() => cluster.deploy({ env: back ? { CONSUL_ALLOW_DOWNGRADE: "yes" } : {} }));
  expectUndisturbed(seen);
  await cluster.expectSound(seen);
}

/** All agents get another configuration. */
export async function configurationChanged(cluster: LiveCluster): Promise<void> {
  cluster.changeAll();
  const seen = await cluster.during(() => cluster.deploy());
  expectUndisturbed(seen);
  await cluster.expectSound(seen);
}
