import { createHash } from "node:crypto";
import { loadCluster } from "../../cluster/file/load";
import { CASES } from "../../e2e/compatibility/cases";
import { type Json, readCompleteStack, readIndex } from "../../e2e/compatibility/expected";
import { clusterFile } from "../cluster-files";
import { synthesizeCluster } from "../synthesized";
import { differences } from "./comparison";
import { asReleasedNext } from "./release-changes";

const index = readIndex();

test("every cluster file has stacks that are expected", () => {
  expect(CASES.map(({ name }) => name)).toEqual(Object.keys(index));
});

describe.each(CASES)("$name", ({ name, text }) => {
  const expected = index[name] ?? {};

  test("is synthesized as it was, but for what this release changes on purpose", () => {
    const cluster = loadCluster(clusterFile(text));
    const { manifest, stacks } = synthesizeCluster(cluster);
    const manifests = Object.entries(manifest.stacks).map(([stack, { annotations: _, ...entry }]) => [
      stack,
      entry as Json,
    ]);
    const found = [
      ...differences(
        `${name}: manifest`,
        Object.fromEntries(Object.entries(expected).map(([stack, entry]) => [stack, entry.manifest])),
        Object.fromEntries(manifests),
      ),
      ...Object.keys(expected).flatMap((stack) =>
        differences(
          `${name}: ${stack}`,
          asReleasedNext(name, stack, cluster),
          (stacks[stack] ?? null) as unknown as Json,
        ),
      ),
    ];
    if (found.length > 0)
      throw new Error(
        `${found.length} differences from what was synthesized before:\n${found.slice(0, SHOWN).join("\n")}`,
      );
  });

  test("can be put together as it was, byte for byte", () => {
    const sums = Object.keys(expected).map((stack) => [
      stack,
      createHash("sha256").update(readCompleteStack(name, stack)).digest("hex"),
    ]);
    expect(sums).toEqual(Object.entries(expected).map(([stack, { sha256 }]) => [stack, sha256]));
  });
});

const SHOWN = 30;
