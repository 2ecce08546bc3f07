import { readFileSync } from "node:fs";
import { join } from "node:path";
import { loadCluster } from "../cluster/file/load";
import { CASES } from "../e2e/compatibility/cases";
import { type Json, readIndex, readStack } from "../e2e/compatibility/expected";
import { version } from "../package.json";
import { clusterFile } from "./cluster-files";
import { differences } from "./compatibility/comparison";
import { synthesizeCluster } from "./synthesized";

const text = readFileSync(join(__dirname, "../CHANGELOG.md"), "utf8");
const releases = text.split(/^## /m).slice(1);
const [next = ""] = releases;
const STATEMENT = /^\*\*Replaces containers: (none|all|those with(?:out)? [^*]+)\.\*\*/m;

/** What decides whether Terraform replaces a container. */
const ARGUMENTS = ["docker_container", "docker_image"];

/** The arguments of containers and of their images that the last release did not have, over all stored cluster files. */
function changedArguments(): string[] {
  const index = readIndex();
  return CASES.flatMap(({ name, text }) => {
    const { stacks } = synthesizeCluster(loadCluster(clusterFile(text)));
    return Object.keys(index[name] ?? {}).flatMap((stack) => {
      const before = readStack(name, stack) as Resources;
      const now = stacks[stack] as unknown as Resources;
      return ARGUMENTS.flatMap((type) =>
        differences(`${name}: ${stack}.${type}`, before.resource?.[type] ?? {}, now?.resource?.[type] ?? {}),
      );
    });
  });
}
type Resources = { readonly resource?: Readonly<Record<string, Json>> };

test("every release has a semantic version, and says which containers it replaces", () => {
  for (const release of releases) {
    expect(release).toMatch(/^\d+\.\d+\.\d+(, not released yet)?\n/);
    expect(release).toMatch(STATEMENT);
  }
});

test("a release that changes arguments of containers names those that it replaces, and another one says none", () => {
  const [, replaced] = STATEMENT.exec(next) ?? [];
  const changed = changedArguments();
  if ((replaced === "none") !== (changed.length === 0))
    throw new Error(
      `CHANGELOG.md says of the next release that it replaces ${replaced}, but it changes ${changed.length} arguments:\n` +
        changed.slice(0, 20).join("\n"),
    );
});

test("the newest entry is newer than the released version, or is its own", () => {
  const number = (each: string) => each.split(".").reduce((sum, part) => sum * 1000 + Number(part), 0);
  const newest = /^[\d.]+/.exec(next)?.[0] ?? "";
  expect(number(newest)).toBeGreaterThanOrEqual(number(version));
});
