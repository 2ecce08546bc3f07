import { App } from "cdktf";
import { loadCluster, selectClusterFile } from "./cluster/file/load";
import { ClusterError } from "./cluster/problem";
import { ConsulCluster } from "./constructs/consul-cluster";

// CDKTF keeps a complete stack trace of every computed attribute, for the message about one that it cannot resolve: a
// sixth of the time of a thousand hosts. It alone asks for complete ones.
const { captureStackTrace } = Error;
Error.captureStackTrace = (target, below) => {
  if (Error.stackTraceLimit !== Number.MAX_SAFE_INTEGER) captureStackTrace(target, below);
};

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
