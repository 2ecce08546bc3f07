import { readFileSync } from "node:fs";
import { join } from "node:path";
import { blocksOf } from "../../e2e/page";
import { PROJECT } from "../cluster-files";
import { repositoryFiles } from "../repository-files";
import { commandsIn, mistakeIn } from "./typed-commands";

const read = (page: string): string => readFileSync(join(PROJECT, page), "utf8");
const withoutBlocks = (text: string): string => text.replace(/^ *```.*?^ *```/gms, "");

/** The section of a page below a heading, until the next one of its level. */
const sectionOf = (text: string, heading: string): string =>
  text.split(new RegExp(`^${heading}$`, "m"))[1]?.split(/^#{2,3} (?!\d)/m)[0] ?? "";

/** The runbooks that the index lists. */
const RUNBOOKS = [...sectionOf(read("docs/README.md"), "### Runbooks").matchAll(/^- \[.*?\]\(([\w-]+\.md)\)/gm)].map(
  ([, page]) => page as string,
);
const FORM = ["Symptom", "Check", "Steps", "Verification", "Undo"];
/** Guides for routine work, which have the same form. */
const ROUTINE = ["maintenance.md", "upgrading-consul.md"];
/** Steps that show commands and not what these print, each with the reason. */
const WITHOUT_OUTPUT: Readonly<Record<string, string>> = {
  "interrupted-deploy.md 3": "the repairs differ from case to case; the text has the form of their lines",
  "failed-host.md 2": "which server leads differs; the text names the one that must not be listed",
  "two-leaders.md 1": "it prints nothing",
  "disk-full.md 4": "whether something is left to repair differs",
  "maintenance.md 2": "the host ends the connection, and nothing of the product prints",
};

test("the index lists the runbooks", () =>
  expect(RUNBOOKS).toEqual(expect.arrayContaining(["interrupted-deploy.md", "lost-quorum.md", "two-leaders.md"])));

describe.each([...RUNBOOKS, ...ROUTINE])("docs/%s", (page) => {
  const text = read(join("docs", page));
  const headings = [...withoutBlocks(text).matchAll(/^(##+) (.*)$/gm)].map(([, level, title]) => ({ level, title }));

  test("has the form of a runbook; more about it can follow", () =>
    expect(
      headings
        .filter(({ level }) => level === "##")
        .map(({ title }) => title)
        .slice(0, FORM.length),
    ).toEqual(ROUTINE.includes(page) ? ["When", ...FORM.slice(1)] : FORM));

  test("numbers its steps from 1, one by one, as a list or by headings", () => {
    const [, steps = ""] = withoutBlocks(text).split(/^## Steps$/m);
    const numbers = [...(steps.split(/^## /m)[0] ?? "").matchAll(/^(?:### )?(\d+)\. /gm)].map(([, n]) => Number(n));
    expect(numbers.length).toBeGreaterThan(0);
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
  });

  test("shows what the commands of a step print", () => {
    const [, after = ""] = text.split(/^## Steps$/m);
    const [, ...steps] = (after.split(/^## /m)[0] ?? "").split(/^(?=(?:### )?\d+\. )/m);
    const silent = steps.flatMap((step, index) => {
      const kinds = blocksOf(step).map(({ kind }) => kind);
      return kinds.includes("commands") && !kinds.includes("output") ? [`${page} ${index + 1}`] : [];
    });
    expect(silent).toEqual(Object.keys(WITHOUT_OUTPUT).filter((step) => step.startsWith(`${page} `)));
  });

  test("shows a command in its check and in its verification, and tells what is seen then", () => {
    expect(commandsIn(sectionOf(text, "## Check"))).not.toEqual([]);
    const verification = sectionOf(text, "## Verification");
    expect(commandsIn(verification)).not.toEqual([]);
    // The words that are printed: in the text, or in a block without a language of commands.
    expect(verification.replace(/^ *```sh\n.*?^ *```/gms, "")).toContain("`");
  });

  test("is found from docs/recovery.md", () => expect(read("docs/recovery.md")).toContain(`](${page})`));
});

const PAGES = repositoryFiles().filter((file) =>
  /^(README.*|docs\/(zh-CN\/)?[^/]+|e2e\/README|CONTRIBUTING|SECURITY)\.md$/.test(file),
);

test.each(PAGES)("every command of the product in %s exists, with the options that it shows", (page) =>
  expect(commandsIn(read(page)).flatMap((command) => mistakeIn(command) ?? [])).toEqual([]),
);

test("the index leads to every page", () => {
  const index = read("docs/README.md");
  const pages = PAGES.filter((page) => /^docs\/[^/]+$/.test(page) && page !== "docs/README.md");
  expect(pages.filter((page) => !index.includes(`](${page.slice("docs/".length)}`))).toEqual([]);
});

test.each([
  ["npm run deploy -- --wihtout node3", "no option --wihtout"],
  ["npm run secrets -- --fix", "no option --fix"],
  ["npm run secrets -- rotate leaves", 'no command "leaves"'],
  ["npm run deploi", 'no npm script "deploi"'],
  ["npm run doctor --fix", "`--` is missing"],
  ["npx consul-cdktf init --pipelin github", "no option --pipelin"],
])("%s is a mistake: %s", (command, mistake) => expect(mistakeIn(command)).toContain(mistake));

test.each([
  "npm run -s deploy -- --without node3 --without=node2",
  "npm run secrets -- rotate certificates web1 --certificates issued/",
  "npm run logs -- web1 -- -r",
])("%s is right", (command) => expect(mistakeIn(command)).toBeUndefined());

test("commands are found in blocks, in lines and in text; a comment is no part of them", () =>
  expect(
    commandsIn("Run `npm run diff`.\n\n    npm run deploy -- web   # a stack\n\nnpm run a && npm run b; c"),
  ).toEqual(["npm run diff", "npm run deploy -- web", "npm run a", "npm run b"]));
