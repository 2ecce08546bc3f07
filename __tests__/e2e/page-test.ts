import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sectionOf } from "../../e2e/documented";
import { blocksOf, expectPrinted, Page, shellScript } from "../../e2e/page";
import type { Project } from "../../e2e/project";
import { folder, PROJECT } from "../cluster-files";
import { repositoryFiles } from "../repository-files";

describe("the blocks of a page", () => {
  const PAGE = `# A page

    typed before any section

## Check

\`\`\`sh
npm run status
# a comment is no heading
\`\`\`

\`\`\`
healthy
\`\`\`

## Steps

1. First:

   \`\`\`sh
   for host in a b; do
     echo $host
   done
   \`\`\`

### 2. Second

\`\`\`yaml
hosts: {}
\`\`\`

    one by hand

    another one

Text.
    It goes on with its paragraph.

## Undo
`;
  test("are commands, outputs and files, each below its headings", () =>
    expect(blocksOf(PAGE).map(({ headings, kind, text }) => [kind, headings.join(" > "), text])).toEqual([
      ["commands", "", "typed before any section\n"],
      ["commands", "## Check", "npm run status\n# a comment is no heading\n"],
      ["output", "## Check", "healthy\n"],
      ["commands", "## Steps", "for host in a b; do\n  echo $host\ndone\n"],
      ["file", "## Steps > ### 2. Second", "hosts: {}\n"],
      ["commands", "## Steps > ### 2. Second", "one by hand\n\nanother one\n"],
    ]));

  test("stand in sections, which end at the next heading of their level or above", () => {
    expect(sectionOf(PAGE, "### 2. ")).toMatch(/^Second\n[^#]*\nText\.\n {4}It goes on with its paragraph\.\n\n$/);
    expect(sectionOf(PAGE, "## Steps")).toMatch(
      /1\. First:\n.*### 2\. Second\n.*\nText\.\n {4}It goes on with its paragraph\.\n\n$/s,
    );
    expect(() => sectionOf(PAGE, "## Verification")).toThrow("no section");
  });

  test("are not the only commands: one may stand in a sentence, and has to stand there", () => {
    const project = { folder: folder() } as unknown as Project;
    const page = Page.open("docs/lost-quorum.md", project, { "consul-server3": "node1" });
    expect(page.inSentences("## Undo", "docker start node1")).toBe("docker start node1");
    expect(() => page.inSentences("## Undo", "docker stop node1")).toThrow("docs/lost-quorum.md has no docker stop");
  });

  const pages = repositoryFiles().filter((file) => /^docs\/[^/]+\.md$/.test(file));
  test.each(pages)("%s: every fence ends", (page) => {
    const text = readFileSync(join(PROJECT, page), "utf8");
    expect((text.match(/^ *```/gm) ?? []).length % 2).toBe(0);
    for (const block of blocksOf(text)) expect(block.text).not.toMatch(/^ *```/m);
  });
});

describe("what a page shows is what was printed", () => {
  const PRINTED =
    "inspecting 4 hosts\nnode1 is in maintenance since 2027-01-02 03:04 UTC\nnode1  leader  true  17\ndone after 1:02\n";
  const fails = (shown: string) => expect(() => expectPrinted(shown, PRINTED)).toThrow(/not printed/);

  test("on another day, in other columns, with other lines between", () =>
    expectPrinted(
      "inspecting ... hosts\nnode1 is in maintenance since 2026-11-29 17:40 UTC\n\nnode1    leader  true   80021\ndone after 0:27\n",
      PRINTED,
    ));
  test("not with another word", () => fails("node1 is in maintenance since 2026-11-29 17:40 CET"));
  test("not in another order", () => fails("node1  leader  true  17\ninspecting 4 hosts"));
  test("not as a part of a line", () => fails("inspecting 4"));
});

test("a shell goes on where the one before ended, and ends at the first command that fails", () => {
  const at = folder();
  const type = (commands: string, env = {}) => {
    writeFileSync(join(at, "typed.sh"), shellScript(commands));
    return execFileSync("bash", ["typed.sh"], {
      cwd: at,
      encoding: "utf8",
      env: { ...process.env, ...env },
      stdio: "pipe",
    });
  };
  type("mkdir inner && cd inner\nIMAGE='a b'\nexport HOST=ssh://x\ngreet() {\n  echo \"hello $1\"\n}\n");
  expect(type('pwd; greet "$IMAGE"; sh -c \'echo "$HOST[$IMAGE]"\'')).toBe(`${at}/inner\nhello a b\nssh://x[]\n`);
  expect(() => type("false\ntouch after")).toThrow();
  expect(type("ls -A; unset HOST")).toBe("");
  expect(type('echo "${HOST-none}"')).toBe("none\n");
});
