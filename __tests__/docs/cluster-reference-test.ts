import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT } from "../cluster-files";

/** The page as it is committed; reference-test.ts compares it with the schema. */
const PAGE = readFileSync(join(PROJECT, "docs/cluster-file.md"), "utf8");

interface Row {
  readonly name: string;
  readonly value: string;
  readonly example: string;
  readonly effect: string;
  readonly meaning: string;
}

/** Rows of the tables of keys, each with its section. */
const ROWS: Row[] = PAGE.split(/^## /m).flatMap((section) =>
  [...section.matchAll(/^\| (`[^|]*`) \|(.*)\|$/gm)].map(([, key = "", cells = ""]) => {
    const [, value = "", example = "", effect = "", meaning = ""] = cells.split("|").map((cell) => cell.trim());
    return { name: `${section.split("\n")[0]}: ${key}`, value, example, effect, meaning };
  }),
);

/** A value without the marks of code and of YAML. */
const bare = (text: string): string => text.replaceAll(/[`"]/g, "");

test("every key of the cluster file has its default, an example, what a change of it does, and its meaning", () => {
  expect(ROWS.length).toBeGreaterThan(180);
  const cells = ROWS.filter((row) => [row.value, row.example, row.effect, row.meaning].includes(""));
  expect(cells.map(({ name }) => name)).toEqual([]);
});

test("an example shows another value than the default", () =>
  expect(ROWS.filter(({ value, example }) => bare(value) === bare(example)).map(({ name }) => name)).toEqual([]));

test.each([
  "services[].weights",
  "prepared_queries[].service",
  "prepared_queries[].service.failover",
  "prepared_queries[].template",
  "Arguments of backends",
])("the keys of %s have a table", (section) =>
  expect(ROWS.filter(({ name }) => name.startsWith(`${section}: `)).length).toBeGreaterThan(1),
);
