import { readFileSync } from "node:fs";
import { join } from "node:path";
import { catalogue } from "../../cluster/catalogue";
import { loadCluster } from "../../cluster/file/load";
import { DEFAULTS } from "../../cluster/resolve/defaults";
import { errorReference } from "../../docs/error-reference";
import { GENERATED_FILES } from "../../docs/generated-files";
import { clusterSchemaJson } from "../../docs/reference";
import { PROJECT } from "../cluster-files";
import { CLUSTERS } from "../repository-files";
import { synthesizeCluster } from "../synthesized";

const committed = (file: string) => readFileSync(join(PROJECT, file), "utf8");

/** docs/cluster-file.md takes seven seconds of CPU: it synthesizes a cluster before and after a change of each key. */
const GENERATION = 120_000;

test.each(Object.entries(GENERATED_FILES))(
  "%s is up to date. If it is not, run `npm run generate`",
  (file, content) => expect(committed(file)).toBe(content()),
  GENERATION,
);

test("every key of the cluster file is described", () => {
  const schema = JSON.parse(clusterSchemaJson()) as { properties: Record<string, { description?: string }> };
  expect(Object.entries(schema.properties).flatMap(([key, { description }]) => (description ? [] : [key]))).toEqual([]);
});

test("every code is in the reference of errors", () => {
  const reference = errorReference();
  expect(Object.keys(catalogue).filter((code) => !reference.includes(`| \`${code}\` |`))).toEqual([]);
});

test("the example of a diff in docs/changing.md upgrades to the default image", () => {
  const images = [...committed("docs/changing.md").matchAll(/^ +image +\S+ -> (\S+)$/gm)].map(([, image]) => image);
  expect(images).toEqual([DEFAULTS.image, DEFAULTS.image]);
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
