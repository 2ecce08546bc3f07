import { dirname, join, normalize, relative } from "node:path";
import { pageText, partsOf, TRANSLATIONS, translatedParts, withHash } from "../../docs/translations";
import { anchorsOf, withoutFences } from "../page-links";

/** Fenced blocks and blocks that four spaces indent. */
const blocksOf = (part: string): string[] => [
  ...[...part.matchAll(/^ *```.*?^ *```/gms)].map(([block]) => block),
  ...withoutFences(part)
    .split("\n")
    .filter((line) => /^ {4}/.test(line)),
];
/** The text around blocks. */
const proseOf = (part: string): string => withoutFences(part).replace(/^ {4}.*$/gm, "");
const codeOf = (part: string): string[] => [
  ...new Set([...proseOf(part).matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code.replace(/\s+/g, " "))),
];
/** Levels of headings and numbers of steps, and how many list items and table rows a part has. */
const formOf = (part: string): string[] =>
  proseOf(part)
    .split("\n")
    .flatMap((line) => /^#+ (?:\d+\.)?|^ *(?:- |\d+\. |\|)/.exec(line)?.[0] ?? []);
const linksOf = (part: string): string[] =>
  [...proseOf(part).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link as string);

/** The other language's page: `[中文](zh-CN/tutorial.md)`. */
const isLanguage = (part: string, link: string): boolean =>
  new RegExp(`^\\[(English|中文)\\]\\(${link}\\)$`, "m").test(part);

/** Where a page's link leads: a page from the project's folder, and a heading. */
function targetOf(page: string, link: string): { readonly path: string; readonly anchor: string | undefined } {
  const [path = "", anchor] = link.split("#");
  return { path: path === "" ? page : normalize(join(dirname(page), path)), anchor };
}

/** Links of a part of a page, as the English page has them. */
function englishLinks(page: string, part: string): string[] {
  const links = linksOf(part).filter((link) => !isLanguage(part, link));
  const english = links.map((link) => {
    if (/^https?:/.test(link)) return link;
    const { path, anchor } = targetOf(page, link);
    const translated = path === "docs/zh-CN/README.md" ? "docs/README.md" : TRANSLATIONS[path];
    if (translated === undefined || anchor === undefined) return [translated ?? path, anchor].join("#");
    // The headings of both pages have the same order.
    return [translated, anchorsOf(translated)[anchorsOf(path).indexOf(anchor)]].join("#");
  });
  return [...new Set(english)].sort();
}

const PAGES = Object.entries(TRANSLATIONS);

test("the tutorial, the ways out of a bad night and every runbook of the index are translated", () => {
  const [, runbooks = ""] = pageText("docs/README.md").split("### Runbooks");
  const [section = ""] = runbooks.split(/^## /m);
  const needed = [...section.matchAll(/\]\(([\w-]+\.md)\)/g)].map(([, file]) => `docs/${file}`);
  expect(needed.length).toBeGreaterThan(8);
  expect(Object.values(TRANSLATIONS)).toEqual(expect.arrayContaining(["README.md", "docs/tutorial.md", ...needed]));
});

test("the index of the Chinese pages leads to each", () => {
  const index = pageText("docs/zh-CN/README.md");
  const files = PAGES.map(([page]) => relative("docs/zh-CN", page)).filter((file) => !file.startsWith(".."));
  expect(files.filter((file) => !index.includes(`](${file})`))).toEqual([]);
});

describe.each(PAGES)("%s, in Chinese of %s", (page, english) => {
  const parts = partsOf(pageText(english)).map((part, index) => [part, partsOf(pageText(page))[index] ?? ""] as const);

  test("has as many parts, each with the same steps, lists and tables", () => {
    expect(partsOf(pageText(page))).toHaveLength(parts.length);
    for (const [original, chinese] of parts) expect(formOf(chinese)).toEqual(formOf(original));
  });

  test("each part names the English part that it translates, by its hash", () => {
    // When the English part has changed, translate the change. Then docs/translated.ts writes the new hash.
    const named = translatedParts(page).map(({ heading, translated }) => [heading, translated]);
    expect(named).toEqual(translatedParts(page).map(({ heading, hash }) => [heading, hash]));
  });

  test("has the same blocks of commands, files and outputs, and the same code in its text", () => {
    for (const [original, chinese] of parts) {
      expect(blocksOf(chinese)).toEqual(blocksOf(original));
      expect(codeOf(chinese).sort()).toEqual(codeOf(original).sort());
    }
  });

  test("has the same links, to Chinese pages where there are some", () => {
    for (const [original, chinese] of parts)
      expect(englishLinks(page, chinese)).toEqual(englishLinks(english, original));
    const translated = new Set(Object.values(TRANSLATIONS));
    const links = linksOf(pageText(page)).filter((link) => !isLanguage(pageText(page), link));
    expect(links.filter((link) => translated.has(targetOf(page, link).path))).toEqual([]);
  });

  test("each page leads to the other one", () => {
    expect(pageText(page)).toContain(`\n[English](${relative(dirname(page), english)})\n`);
    expect(pageText(english)).toContain(`\n[中文](${relative(dirname(english), page)})\n`);
  });
});

test("a part that begins in a block begins no part; a hash is written into the part that is named, and into no other", () => {
  const text = "# A\n\na\n\n## B\n\n<!-- en: 0123 -->\n\n```sh\n## c\n```\n\n### D\n\nd\n";
  expect(partsOf(text).map((part) => part.split("\n")[0])).toEqual(["# A", "## B", "### D"]);
  const part = { page: "a.md", number: 2, heading: "## B", hash: "4567" };
  expect(withHash(text, part)).toBe(text.replace("0123", "4567"));
  expect(withHash(text, { ...part, number: 3 })).toBe(text.replace("### D\n", "### D\n\n<!-- en: 4567 -->\n"));
});
