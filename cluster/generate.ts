import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { clusterReference, clusterSchemaJson, errorReference } from "./reference";

/** Writes what is made from the schema and the catalogue: `npm run generate`. A test fails when it has not been run. */
const files = {
  "cluster/cluster.schema.json": clusterSchemaJson(),
  "docs/cluster-file.md": clusterReference(),
  "docs/errors.md": errorReference(),
};
for (const [file, content] of Object.entries(files)) {
  writeFileSync(join(__dirname, "..", file), content);
  console.log(`wrote ${file}`);
}
