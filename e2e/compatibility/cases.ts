import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A cluster file whose synthesized JSON is kept in expected/, in a folder of the case's name. */
export interface Case {
  readonly name: string;
  /** The cluster file's content. */
  readonly text: string;
}

const PROJECT = join(__dirname, "../..");
const REPOSITORY = [
  "clusters/local",
  // The repository's own has more keys since.
  "e2e/compatibility/clusters/production",
  "clusters/seed",
  "e2e/clusters/daemons",
  "e2e/clusters/racks",
];
const OWN = ["bridge", "bridge-secured", "five", "ipv6", "one", "settings", "two"];

const read = (file: string): string => readFileSync(join(PROJECT, `${file}.yaml`), "utf8");

/** The cluster with everything on, at each stage of security. Only strict is deployed by live tests. */
export const EVERYTHING = "everything-strict";
const everything = read("e2e/compatibility/clusters/everything");
const STAGES = ["strict", "outgoing", "permissive"] as const;

export const CASES: readonly Case[] = [
  ...REPOSITORY.map((file) => ({ name: file.split("/").at(-1) ?? "", text: read(file) })),
  ...OWN.map((name) => ({ name, text: read(`e2e/compatibility/clusters/${name}`) })),
  ...STAGES.map((stage) => ({
    name: `everything-${stage}`,
    text: replaced(/^ {2}stage: strict$/m, `  stage: ${stage}`),
  })),
  { name: "everything-off", text: replaced(/^security:\n( .*\n)+/m, "security: off\n") },
];

function replaced(pattern: RegExp, by: string): string {
  if (!pattern.test(everything)) throw new Error(`everything.yaml has nothing that ${pattern} fits`);
  return everything.replace(pattern, by);
}
