import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { escaped } from "../../e2e/documented";
import { blocksOf } from "../../e2e/page";
import { PROJECT } from "../cluster-files";
import { repositoryFiles } from "../repository-files";

const read = (file: string): string => readFileSync(join(PROJECT, file), "utf8");

/** Pages whose commands no end-to-end test takes from them, each with what runs these commands instead. */
const NOT_TYPED: Readonly<Record<string, string>> = {
  "docs/commands.md": "generated from the commands, and __tests__/docs/runbooks-test.ts parses each line",
  "docs/pipelines.md": "e2e/pipeline-full-e2e.ts runs each step of pipeline.sh itself",
  "docs/registrator.md": "e2e/registrator-e2e.ts starts the containers, and asks Consul itself",
};

const SUITES = repositoryFiles().filter((file) => /^e2e\/[\w-]+-e2e\.ts$/.test(file));
const blocks = (page: string): string[] =>
  blocksOf(read(page)).flatMap(({ kind, text }) => (kind === "commands" ? [text] : []));

/** The suites that open a page, or take its commands. */
function suitesOf(page: string): string[] {
  const name = `"${escaped(page)}"`;
  const takes = new RegExp(`\\bopen\\(${name}|\\bdocumented\\(${name}, "sh"|^const PAGE = ${name}`, "m");
  return SUITES.filter((suite) => takes.test(read(suite)));
}

const PAGES = repositoryFiles()
  .filter((file) => /^(README|docs\/[^/]+)\.md$/.test(file) && blocks(file).length > 0)
  .map((page) => ({ page, count: blocks(page).length, by: suitesOf(page).join(", ") || NOT_TYPED[page] }));

test("pages with commands are found", () =>
  expect(PAGES.map(({ page }) => page)).toEqual(expect.arrayContaining(["README.md", "docs/lost-state.md"])));

test.each(PAGES)("$page: $count blocks of commands: $by", ({ page }) => {
  const isTyped = suitesOf(page).length > 0;
  // What fails names the blocks.
  expect(isTyped || page in NOT_TYPED ? [] : blocks(page)).toEqual([]);
  // A page in the table that a suite opens by now.
  expect(isTyped && page in NOT_TYPED).toBe(false);
});

test.each(Object.entries(NOT_TYPED))("%s is named for a page with commands: %s", (page, reason) => {
  expect(PAGES.map((each) => each.page)).toContain(page);
  const [file = ""] = /(e2e|__tests__)\/\S+\.ts/.exec(reason) ?? [];
  expect(existsSync(join(PROJECT, file))).toBe(true);
});
