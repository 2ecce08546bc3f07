import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { GENERATED_FILES } from "./generated-files";
import { staleParts } from "./translations";

/** `npm run generate`. A test fails if one of the files is outdated. */
for (const [file, content] of Object.entries(GENERATED_FILES)) {
  writeFileSync(join(__dirname, "..", file), content());
  console.log(`wrote ${file}`);
}

// No program translates, so these are only named.
for (const { page, number, heading } of staleParts())
  console.log(`to translate: ${page}, part ${number}, because the English part has changed: ${heading}`);
