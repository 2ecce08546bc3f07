import { readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { preProcessFile } from "typescript";
import { PROJECT } from "./cluster-files";
import { repositoryFiles } from "./repository-files";

/** What each folder may import of this repository, beside itself. An import of a type counts as any other. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  consul: [],
  cluster: ["consul"],
  // The types of what a provisioner asks of the rollout; see the rule for rollout/request.ts below.
  constructs: ["cluster", "consul", "rollout/request.ts"],
  rollout: ["consul"],
  ops: ["cluster", "constructs", "consul", "rollout", "package.json"],
  docs: ["cluster", "constructs", "consul", "ops", "package.json"],
  package: ["constructs", "ops", "package.json"],
  "main.ts": ["constructs"],
  e2e: ["cluster", "constructs", "consul", "ops", "package", "rollout"],
  bench: ["cluster", "constructs", "consul", "e2e", "ops", "package", "rollout"],
};
/** Tests import everything. Nothing imports tests. */
const TESTS = "__tests__";
/** A file of types that others share, which needs nothing itself. */
const INDEPENDENT = "rollout/request.ts";

type Imports = ReadonlyMap<string, readonly string[]>;

/** TypeScript's scanner also finds `import type`, `import("...")` in types, and `export ... from`. */
function importsOf(file: string, text: string, exists: (file: string) => boolean): string[] {
  return preProcessFile(text)
    .importedFiles.map(({ fileName }) => fileName)
    .filter((name) => name.startsWith("."))
    .map((name) => {
      const path = posix.join(posix.dirname(file), name);
      return [`${path}.ts`, `${path}/index.ts`, path].find(exists) ?? path;
    });
}

const within = (file: string, folder: string): boolean => file === folder || file.startsWith(`${folder}/`);

function forbidden(imports: Imports): string[] {
  return [...imports].flatMap(([file, imported]) => {
    const own = [...Object.keys(ALLOWED), TESTS].find((folder) => within(file, folder));
    if (own === undefined) return [`${file} is in no folder of the list`];
    if (own === TESTS) return [];
    const allowed = file === INDEPENDENT ? [] : [own, ...(ALLOWED[own] ?? [])];
    return imported
      .filter((target) => !allowed.some((folder) => within(target, folder)))
      .map((target) => `${file} imports ${target}`);
  });
}

/** Each cycle once, by the first of its files that is met. */
function cycles(imports: Imports): string[] {
  const found: string[] = [];
  const finished = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    const start = path.indexOf(file);
    if (start >= 0) found.push([...path.slice(start), file].join(" -> "));
    if (start >= 0 || finished.has(file)) return;
    for (const target of imports.get(file) ?? []) visit(target, [...path, file]);
    finished.add(file);
  };
  for (const file of imports.keys()) visit(file, []);
  return found;
}

const files = repositoryFiles().filter((file) => file.endsWith(".ts"));
const known = new Set(files);
const exists = (file: string) => known.has(file);
const repository: Imports = new Map(
  files.map((file) => [file, importsOf(file, readFileSync(join(PROJECT, file), "utf8"), exists)]),
);

test("the repository's files are read", () => expect(repository.get("main.ts")).toContain("constructs/index.ts"));
test("every folder imports only what it may", () => expect(forbidden(repository)).toEqual([]));
test("no files import each other in a circle", () => expect(cycles(repository)).toEqual([]));

describe("these rules", () => {
  const of = (texts: Readonly<Record<string, string>>): Imports =>
    new Map(Object.entries(texts).map(([file, text]) => [file, importsOf(file, text, (name) => name in texts)]));

  test.each([
    ['import { a } from "../cluster/a";', "consul/b.ts imports cluster/a.ts"],
    ['import type { A } from "../cluster/a";', "consul/b.ts imports cluster/a.ts"],
    ['type A = import("../cluster/a").A;', "consul/b.ts imports cluster/a.ts"],
    ['export * from "../cluster/a";', "consul/b.ts imports cluster/a.ts"],
    ['export { a } from "../__tests__/a";', "consul/b.ts imports __tests__/a"],
  ])("deny %s", (text, denied) => expect(forbidden(of({ "consul/b.ts": text, "cluster/a.ts": "" }))).toEqual([denied]));
  test("deny what no file has: a folder without a rule", () =>
    expect(forbidden(of({ "new/a.ts": "" }))).toEqual(["new/a.ts is in no folder of the list"]));
  test("find circles of types, through several files", () => {
    const circle = of({
      "consul/a.ts": 'import { b } from "./b";',
      "consul/b.ts": 'import type { C } from "./c";',
      "consul/c.ts": 'import { a } from "./a";',
    });
    expect(cycles(circle)).toEqual(["consul/a.ts -> consul/b.ts -> consul/c.ts -> consul/a.ts"]);
  });
});
