import { readFileSync } from "node:fs";
import { join } from "node:path";
import { catalogue } from "../../cluster/catalogue";
import { loadCluster } from "../../cluster/file/load";
import { commandReference } from "../../docs/command-reference";
import { clusterReference, clusterSchemaJson, errorReference } from "../../docs/reference";
import { graphOf } from "../../ops/diagram/graph";
import { svg } from "../../ops/diagram/svg";
import { PROJECT, SEED } from "../cluster-files";
import { CLUSTERS } from "../repository-files";
import { synthesizeCluster } from "../synthesized";

const committed = (file: string) => readFileSync(join(PROJECT, file), "utf8");

// When one of these fails: `npm run generate`.
test("the editors' schema is that of this version", () =>
  expect(committed("cluster/cluster.schema.json")).toBe(clusterSchemaJson()));
test("the reference of the cluster file is that of this version", () =>
  expect(committed("docs/cluster-file.md")).toBe(clusterReference()));
test("the reference of commands is that of this version", () =>
  expect(committed("docs/commands.md")).toBe(commandReference()));
test("the reference of errors is that of this version", () =>
  expect(committed("docs/errors.md")).toBe(errorReference()));
test("the README's picture is that of clusters/seed.yaml", () =>
  expect(committed("docs/pictures/cluster.svg")).toBe(svg(graphOf(loadCluster(SEED)))));

test("every key of the cluster file is described", () => {
  const schema = JSON.parse(clusterSchemaJson()) as { properties: Record<string, { description?: string }> };
  expect(Object.entries(schema.properties).flatMap(([key, { description }]) => (description ? [] : [key]))).toEqual([]);
});

test("every code is in the reference of errors", () => {
  const reference = errorReference();
  expect(Object.keys(catalogue).filter((code) => !reference.includes(`| \`${code}\` |`))).toEqual([]);
});

describe.each(CLUSTERS)("%s", (file) => {
  test("names the schema in its first line, for editors", () => {
    expect(committed(file).split("\n")[0]).toBe("# yaml-language-server: $schema=../cluster/cluster.schema.json");
  });
  test("makes at least one container", () => {
    const { stacks } = synthesizeCluster(loadCluster(join(PROJECT, file)));
    expect(
      Object.values(stacks).flatMap(({ resource }) => Object.keys(resource.docker_container)).length,
    ).toBeGreaterThan(0);
  });
});
