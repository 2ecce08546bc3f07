import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, resolve } from "node:path";
import { pageText } from "../docs/translations";
import { anchorsOf, withoutFences } from "./page-links";

const ROOT = resolve(__dirname, "..");
const below = (folder: string, suffix: RegExp): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => suffix.test(name))
    .map((name) => join(folder, name));
const PAGES = [
  ...["README.md", "README.zh-CN.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"],
  ...below("docs", /\.md$/),
  ...below("e2e", /\.md$/),
];
const SOURCES = ["cluster", "constructs", "consul", "ops", "rollout"].flatMap((folder) => below(folder, /\.(ts|sh)$/));

/** Whether a link leads to no file, or to no heading of a page. @param page where an anchor alone leads to */
function leadsNowhere(link: string, folder: string, page: string): boolean {
  const [path, anchor] = link.split("#") as [string, string?];
  const target = path === "" ? page : normalize(join(folder, path));
  if (!existsSync(join(ROOT, target))) return true;
  return anchor !== undefined && target.endsWith(".md") && !anchorsOf(target).includes(anchor);
}

/** Links of a page that lead nowhere: to no file, or to no heading of a page. */
function broken(page: string): string[] {
  const links = [...withoutFences(pageText(page)).matchAll(/\]\((?!https?:)([^)\s]+)/g)].map(
    ([, link]) => link as string,
  );
  return links.filter((link) => leadsNowhere(link, dirname(page), page));
}

test.each(PAGES)("every link of %s leads to a file, and to a heading that it has", (page) =>
  expect(broken(page)).toEqual([]),
);

test("every page and heading that a message names is there", () => {
  const named = SOURCES.flatMap((source) =>
    [...readFileSync(join(ROOT, source), "utf8").matchAll(/(?<![\w/])docs\/[\w-]+\.md(#[\w-]+)?/g)].map(
      ([link]) => link,
    ),
  );
  expect(named.length).toBeGreaterThan(0);
  expect(named.filter((link) => leadsNowhere(link, "", ""))).toEqual([]);
});

test("every program of this project that a page runs or names is there", () => {
  const named = PAGES.flatMap((page) =>
    [
      ...readFileSync(join(ROOT, page), "utf8").matchAll(
        /(?<![\w/])(?:ops|rollout|e2e|bench|constructs)\/[\w./-]+\.\w+/g,
      ),
    ].map(([path]) => path),
  );
  const inCommands = PAGES.flatMap((page) =>
    [...readFileSync(join(ROOT, page), "utf8").matchAll(/\$PWD\/(ops\/[\w./-]+\.\w+)/g)].map(
      ([, path]) => path as string,
    ),
  );
  expect(inCommands).not.toEqual([]);
  expect([...named, ...inCommands].filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});
