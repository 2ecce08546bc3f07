import { App } from "cdktf";
import { loadCluster, selectClusterFile } from "./cluster/file/load";
import { ClusterError } from "./cluster/problem";
import { ConsulCluster } from "./constructs/consul-cluster";

try {
  const file = selectClusterFile();
  console.log(`cluster file: ${file}`);
  const cluster = loadCluster(file);
  const app = new App();
  new ConsulCluster(app, cluster);
  app.synth();
} catch (error) {
  if (!(error instanceof ClusterError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
