import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { GENERATED_FILES } from "./generated-files";

/** `npm run generate`. A test fails if one of the files is outdated. */
for (const [file, content] of Object.entries(GENERATED_FILES)) {
  writeFileSync(join(__dirname, "..", file), content());
  console.log(`wrote ${file}`);
}
