import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadCluster } from "../cluster/file/load";
import { graphOf } from "../ops/diagram/graph";
import { svg } from "../ops/diagram/svg";
import { commandReference } from "./command-reference";
import { clusterReference, clusterSchemaJson, errorReference } from "./reference";

/**
 * `npm run generate`: generates files from the schema, the catalogue and the article's cluster file. A test fails if
 * they are outdated.
 */
const files = {
  "cluster/cluster.schema.json": clusterSchemaJson(),
  "docs/cluster-file.md": clusterReference(),
  "docs/commands.md": commandReference(),
  "docs/errors.md": errorReference(),
  "docs/pictures/cluster.svg": svg(graphOf(loadCluster(join(__dirname, "../clusters/seed.yaml")))),
};
for (const [file, content] of Object.entries(files)) {
  writeFileSync(join(__dirname, "..", file), content);
  console.log(`wrote ${file}`);
}
