import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { PROJECT } from "./cluster-files";

/** This repository's own cluster files. A user adds others to the same folder, and no test reads those. */
export const CLUSTERS = ["clusters/local.yaml", "clusters/production.yaml", "clusters/seed.yaml"];

/** What .gitignore names, and clusters/, whose own files are listed above. */
const EXCLUDED = /^(\.git|node_modules|cdktf\.out|coverage|dist|secrets|backups|clusters)$/;
const TEXT = /\.(ts|cjs|js|json|md|sh|jq|ya?ml|txt|snap|svg)$|^(\.ci\/run|help)$/;

/** Paths of this repository's text files, from its root. No test needs git. */
export function repositoryFiles(): string[] {
  const entries = readdirSync(PROJECT).filter((entry) => !EXCLUDED.test(entry));
  const files = entries.flatMap((entry) =>
    statSync(join(PROJECT, entry)).isDirectory()
      ? readdirSync(join(PROJECT, entry), { recursive: true, encoding: "utf8" }).map((file) => `${entry}/${file}`)
      : [entry],
  );
  return [...files, ...CLUSTERS].filter((file) => TEXT.test(file)).sort();
}
