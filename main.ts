import { App } from "cdktf";
import { loadCluster, selectClusterFile } from "./cluster/load";
import { ClusterError } from "./cluster/problem";
import { ConsulCluster } from "./constructs/consul-cluster";

// CDKTF takes a stack trace for each of its tokens: mapping them all to TypeScript would be a third of the time at 1000 hosts.
process.setSourceMapsEnabled(false);
try {
  const file = selectClusterFile();
  console.log(`cluster file: ${file}`);
  const cluster = loadCluster(file);
  const app = new App();
  new ConsulCluster(app, cluster);
  app.synth();
} catch (error) {
  process.setSourceMapsEnabled(true);
  if (!(error instanceof ClusterError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
