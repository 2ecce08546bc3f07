import { execFileSync } from "node:child_process";
import { readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import {
  createProgram,
  flattenDiagnosticMessageText,
  getPreEmitDiagnostics,
  ModuleKind,
  ScriptTarget,
} from "typescript";
import { folder, PROJECT } from "../cluster-files";

/** The TypeScript programs of a page. */
const programsOf = (page: string): string[] =>
  [...readFileSync(join(PROJECT, page), "utf8").matchAll(/^```ts\n(.*?)^```/gms)].map(([, text]) => text as string);

const PROGRAMS = programsOf("docs/projects.md");
/** A user's project, in which the package is this checkout. */
const project = folder();
symlinkSync(join(PROJECT, "node_modules"), join(project, "node_modules"));
const files = PROGRAMS.map((text, index) => {
  const file = join(project, `example${index + 1}.ts`);
  writeFileSync(
    file,
    text.replaceAll(/"consul-cdktf(\/\w+)?"/g, (_, entry) => `"${join(PROJECT, entryFile(entry))}"`),
  );
  return file;
});

/** The source of an entry of the package, as package.json's `exports` names it. */
function entryFile(entry = ""): string {
  const { exports } = JSON.parse(readFileSync(join(PROJECT, "package.json"), "utf8"));
  return exports[`.${entry}`].default.replace("./dist/", "./").replace(/\.js$/, "");
}

test("the programs of docs/projects.md have no type error", () => {
  const program = createProgram(files, {
    target: ScriptTarget.ES2022,
    module: ModuleKind.CommonJS,
    esModuleInterop: true,
    strict: true,
    noUnusedLocals: true,
    noEmit: true,
    skipLibCheck: true,
    types: ["node"],
    typeRoots: [join(PROJECT, "node_modules/@types")],
  });
  const errors = files.flatMap((file) => getPreEmitDiagnostics(program, program.getSourceFile(file)));
  expect(errors.map(({ messageText }) => flattenDiagnosticMessageText(messageText, "\n"))).toEqual([]);
});

/** The others need a cluster file. */
const whole = files.filter((_, index) => PROGRAMS[index]?.includes("new App()"));

test("most of them are whole programs", () => expect(whole.length).toBeGreaterThan(3));

test.each(whole.map((file) => [basename(file), file]))("%s runs", (_, file) => {
  const output = execFileSync("node", ["--require", join(PROJECT, "typescript.cjs"), file], {
    cwd: project,
    encoding: "utf8",
    stdio: "pipe",
  });
  expect(output).toBe("");
});
