import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { createProgram, flattenDiagnosticMessageText, ModuleKind, ScriptTarget } from "typescript";
import { folder, PROJECT } from "../cluster-files";

interface Example {
  readonly page: string;
  readonly text: string;
  /** The example as a program, on the same lines as in the page. */
  readonly file: string;
}

const { exports } = JSON.parse(readFileSync(join(PROJECT, "package.json"), "utf8"));
/** The source of an entry of the package, as package.json's `exports` names it. */
const entryFile = (entry = ""): string => exports[`.${entry}`].default.replace("./dist/", "./").replace(/\.js$/, "");

/** A user's project, in which the package is this checkout. */
const project = folder();
symlinkSync(join(PROJECT, "node_modules"), join(project, "node_modules"));
symlinkSync(join(PROJECT, "constructs"), join(project, "constructs"));

function example(page: string, text: string, line: number): Example {
  const file = join(project, `${basename(page, ".md")}-${line}.ts`);
  const program = text.replaceAll(/"consul-cdktf(\/\w+)?"/g, (_, entry) => `"${join(PROJECT, entryFile(entry))}"`);
  writeFileSync(file, "\n".repeat(line) + program);
  return { page, text, file };
}

const examplesOf = (page: string): Example[] =>
  [...readFileSync(join(PROJECT, page), "utf8").matchAll(/^```ts\n(.*?)^```/gms)].map(
    ({ index, input, 1: text = "" }) => example(page, text, input.slice(0, index).split("\n").length),
  );

/** The API's page has the examples of doc comments. */
const PAGES = ["README.md", ...readdirSync(join(PROJECT, "docs"), "utf8").map((name) => `docs/${name}`)];
const EXAMPLES = PAGES.filter((page) => page.endsWith(".md")).flatMap(examplesOf);

/** The compiler's errors, each with its page and line. One program has all examples, which share the time of its types. */
function errorsIn(examples: readonly Example[]): string[] {
  const files = examples.map(({ file }) => file);
  const program = createProgram(files, {
    target: ScriptTarget.ES2022,
    // Without the types of browsers, which take a third of the time.
    lib: ["lib.es2023.d.ts"],
    module: ModuleKind.CommonJS,
    esModuleInterop: true,
    resolveJsonModule: true,
    strict: true,
    noUnusedLocals: true,
    noEmit: true,
    skipLibCheck: true,
    types: ["node"],
    typeRoots: [join(PROJECT, "node_modules/@types")],
  });
  return examples.flatMap(({ page, file }) => {
    const source = program.getSourceFile(file);
    const errors = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    return errors.map(({ start = 0, messageText }) => {
      const { line = 0 } = source?.getLineAndCharacterOfPosition(start) ?? {};
      return `${page}:${line + 1}: ${flattenDiagnosticMessageText(messageText, "\n")}`;
    });
  });
}

test("no example has a type error, and an error is reported with its page and line", () => {
  expect(new Set(EXAMPLES.map(({ page }) => page))).toEqual(new Set(["README.md", "docs/api.md", "docs/projects.md"]));
  const wrong = example(
    "docs/wrong.md",
    'import { ConsulServer } from "consul-cdktf";\nConsulServer.fromAddress(1);\n',
    5,
  );
  expect(errorsIn([...EXAMPLES, wrong])).toEqual([
    expect.stringMatching(/^docs\/wrong\.md:7: Argument of type 'number'/),
  ]);
});

/** The others need a cluster file. README has a test of its own, and those of docs/api.md are parts of programs. */
const whole = EXAMPLES.filter(({ page, text }) => page === "docs/projects.md" && text.includes("new App()"));

test("most of docs/projects.md are whole programs", () => expect(whole.length).toBeGreaterThan(3));

test("they run", () => {
  // In one process, which takes half a second to load CDKTF. The stack of an error names the file.
  const program = whole.map(({ file }) => `require(${JSON.stringify(file)});`).join("\n");
  const args = ["--require", join(PROJECT, "typescript.cjs"), "-e", program];
  expect(execFileSync("node", args, { cwd: project, encoding: "utf8", stdio: "pipe" })).toBe("");
});
