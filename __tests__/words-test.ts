import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT } from "./cluster-files";
import { repositoryFiles } from "./repository-files";

const FIXTURE = "__tests__/words/phrases.txt";
/**
 * Names and hashes of packages, pictures recorded from live runs, schemas of others, and the
 * phrases themselves.
 */
const EXCLUDED =
  /^__tests__\/ops\/project\/schemas\/|^__tests__\/words|^package-lock\.json$|^docs\/pictures\/|^e2e\/(compatibility\/expected|screenshots)\//;

interface Phrase {
  readonly pattern: RegExp;
  readonly instead: string;
}

function phrasesIn(fixture: string): Phrase[] {
  const lines = fixture.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return lines.map((line) => {
    const [phrase, instead, ...rest] = line.split("\t");
    if (!phrase || !instead || rest.length > 0) throw new Error(`${FIXTURE}: no phrase, tab and replacement: ${line}`);
    return { pattern: new RegExp(`\\b(?:${phrase})(?!\\w)`, /[A-Z]/.test(phrase) ? "" : "i"), instead };
  });
}

/** Each use of a phrase as `file:line: "phrase": write ...`. A line may end inside a phrase, so each is read with the next one. */
function uses(file: string, text: string, phrases: readonly Phrase[]): string[] {
  const lines = text.split("\n");
  return lines.flatMap((line, index) => {
    const next = (lines[index + 1] ?? "").replace(/^\s*(\/\/|\*|#|>)?\s*/, "");
    return phrases.flatMap(({ pattern, instead }) => {
      const found = pattern.exec(`${line.trimEnd()} ${next}`);
      return found && found.index < line.length ? [`${file}:${index + 1}: "${found[0]}": write ${instead}`] : [];
    });
  });
}

const PHRASES = phrasesIn(readFileSync(join(PROJECT, FIXTURE), "utf8"));
const FILES = repositoryFiles().filter((file) => !EXCLUDED.test(file));

test("code, messages and docs use the words of docs/glossary.md", () => {
  expect(FILES).toEqual(
    expect.arrayContaining([
      ...[".ci/run", "README.md", "README.zh-CN.md", "clusters/seed.yaml", "docs/glossary.md", "help", "main.ts"],
      ...["ops/main.ts", "ops/inspect/container-facts.sh", "rollout/main.ts"],
    ]),
  );
  expect(FILES.flatMap((file) => uses(file, readFileSync(join(PROJECT, file), "utf8"), PHRASES))).toEqual([]);
});

/** In pages only: in code, a name may end in `State`, and another program may refuse something. */
const PAGE_PHRASES = phrasesIn(
  [
    "(is|are|be|or|and) refused\trejected; denied, by a check",
    "(all|former|newer) states?\tTerraform state",
    "(?<!Terraform )states? of (all|other|several|some|their|its) stacks?\tTerraform state of a stack",
    "(stores|writes|copies|reads?|needs?|names?) (a|the|its|their) states?(?! lock)\tthe Terraform state",
    "Terraform, its state\tthe Terraform state",
  ].join("\n"),
);

test("pages name what a state is of, and say rejected for what the product does not accept", () => {
  const pages = FILES.filter((file) => /(^|\/)(help|[^/]+\.md|[\w-]+-picture\.ts)$/.test(file));
  expect(pages).toEqual(expect.arrayContaining(["help", "docs/state.md", "docs/architecture-picture.ts"]));
  expect(pages.flatMap((file) => uses(file, readFileSync(join(PROJECT, file), "utf8"), PAGE_PHRASES))).toEqual([]);
});

test("a use is reported with its file, its line and the words to write", () => {
  const phrases = phrasesIn("# a note\nmade anew\trecreated\nWhoever\ta noun\n");
  const text = "A server.\n// The token is made\n// anew. Whoever asks, and whoever else.\nIt is Made Anew.\n";
  expect(uses("a.ts", text, phrases)).toEqual([
    'a.ts:2: "made anew": write recreated',
    'a.ts:3: "Whoever": write a noun',
    'a.ts:4: "Made Anew": write recreated',
  ]);
});

test.each([
  "the lock is put right after the check",
  "a parser cannot tell a key from a value",
  "well-formed, and not well-known",
  "a recommended illness",
  "the process lets go of the file",
])("right English passes: %s", (text) => expect(uses("a.md", text, PHRASES)).toEqual([]));
