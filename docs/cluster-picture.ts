import { join } from "node:path";
import { loadCluster } from "../cluster/file/load";
import { graphOf } from "../ops/diagram/graph";
import { svg } from "../ops/diagram/svg";

/** The product's own diagram of the article's cluster. */
export const clusterPicture = (): string => svg(graphOf(loadCluster(join(__dirname, "../clusters/seed.yaml"))));
