import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { isBuiltin } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createContext, runInContext } from "node:vm";
import { transformSync } from "esbuild";
import { rolloutBundle } from "../../constructs/rollout-bundle";
import { REQUEST_VARIABLE } from "../../rollout/request";
import { folder, PROJECT } from "../cluster-files";

/** The sources of the program and what builds it, in another folder. */
function copy(): string {
  const root = join(folder(), "elsewhere");
  for (const name of [
    "rollout",
    "consul",
    "constructs/replace-file.ts",
    "constructs/rollout-bundle.ts",
    "typescript.cjs",
  ])
    cpSync(join(PROJECT, name), join(root, name), { recursive: true });
  mkdirSync(join(root, "node_modules/@swc"), { recursive: true });
  for (const name of ["esbuild", "@swc/core"])
    symlinkSync(join(PROJECT, "node_modules", name), join(root, "node_modules", name));
  return root;
}

/** Builds as a synth does, in a process of its own. @returns the bundle's path */
function build(root: string): string {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [
      "--require",
      join(root, "typescript.cjs"),
      "-p",
      `require(${JSON.stringify(join(root, "constructs/rollout-bundle.ts"))}).rolloutBundle()`,
    ],
    { encoding: "utf8", cwd: tmpdir() },
  );
  expect(stderr).toBe("");
  return stdout.trim();
}

const read = (file: string) => readFileSync(file, "utf8");
const root = copy();
const first = build(root);

test("a program that is built in another folder, by another process, is the same to the byte", () => {
  expect(first).not.toBe(rolloutBundle());
  expect(read(first)).toBe(read(rolloutBundle()));
});

test("nothing of this machine is in it", () => {
  for (const file of [first, rolloutBundle()])
    for (const path of [PROJECT, root]) expect(read(file)).not.toContain(path);
});

test("it is strict from its first line on", () => expect(read(rolloutBundle())).toMatch(/^"use strict";\n/));

test("it imports nothing but what Node has", () => {
  const imported = [...read(rolloutBundle()).matchAll(/\brequire\("([^"]+)"\)/g)].map(([, name]) => name);
  expect(imported.length).toBeGreaterThan(0);
  expect(imported.filter((name = "") => !isBuiltin(name))).toEqual([]);
});

test("a build is used again while its sources are the same", () => {
  writeFileSync(first, "built before");
  expect(read(build(root))).toBe("built before");
  unlinkSync(first);
  expect(build(root)).toBe(first);
});

test.each([
  ["the program's entry", "rollout/main.ts"],
  ["what it imports", "consul/docker-arguments.ts"],
])("a change of %s makes another program, and the one before is found again", (_, file) => {
  const source = read(join(root, file));
  appendFileSync(join(root, file), '\nconsole.log("another program");\n');
  const changed = build(root);
  expect(changed).not.toBe(first);
  expect(read(changed)).toContain("another program");
  writeFileSync(join(root, file), source);
  expect(build(root)).toBe(first);
});

test.each([
  ["a new source", () => writeFileSync(join(root, "rollout/added.ts"), "export {};\n")],
  [
    "another version of what builds it",
    () => {
      const esbuild = join(root, "node_modules/esbuild");
      const manifest = read(join(esbuild, "package.json"));
      unlinkSync(esbuild);
      mkdirSync(esbuild);
      for (const name of ["lib", "bin"]) symlinkSync(join(PROJECT, "node_modules/esbuild", name), join(esbuild, name));
      writeFileSync(join(esbuild, "package.json"), `${manifest}\n`);
    },
  ],
])("%s is another build", (_, change) => {
  const before = build(root);
  change();
  expect(build(root)).not.toBe(before);
});

test("no other setting of TypeScript makes another program", () => {
  const before = build(root);
  const program = read(before);
  unlinkSync(before);
  writeFileSync(
    join(root, "tsconfig.json"),
    '{ "compilerOptions": { "strict": true, "target": "ES5", "useDefineForClassFields": false } }',
  );
  expect([build(root), read(before)]).toEqual([before, program]);
});

test("a build leaves no unfinished file", () =>
  expect(readdirSync(dirname(first)).filter((name) => !/^rollout-[0-9a-f]{16}\.cjs$/.test(name))).toEqual([]));

describe("the version of Node where Terraform runs", () => {
  /** Runs the program with another version of Node, as far as it gets. */
  function run(node: string) {
    const printed: string[] = [];
    const ended = new Error("ended");
    const exit = (code: number) => {
      printed.push(`exit ${code}`);
      throw ended;
    };
    const loads = () => {
      throw new Error("loads a module");
    };
    const context = createContext({
      process: { versions: { node }, exit },
      console: { error: (line: string) => printed.push(line) },
      require: loads,
      module: { exports: {} },
    });
    try {
      runInContext(read(rolloutBundle()), context);
    } catch (error) {
      if (error !== ended) printed.push((error as Error).message);
    }
    return printed;
  }

  test.each(["12.22.12", "18.20.0", "19.9.0"])(
    "%s is too old, and the program says so before it loads anything",
    (node) =>
      expect(run(node)).toEqual([
        `Node ${node} is too old for this rollout, which needs 20 or newer where Terraform runs`,
        "exit 1",
      ]),
  );
  test.each(["20.0.0", "22.11.0", "100.0.0"])("%s is not", (node) => expect(run(node)).toEqual(["loads a module"]));

  test("the program has no syntax that Node 12 cannot read: it would complain of that instead", () => {
    const written = (target: string) => transformSync(read(rolloutBundle()), { target }).code;
    expect(written("node12")).toBe(written("esnext"));
  });
});

test("the program runs by Node alone, in any folder", () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [rolloutBundle()], {
    cwd: folder(),
    encoding: "utf8",
    env: {},
  });
  expect({ status, stdout, stderr }).toEqual({
    status: 1,
    stdout: "",
    stderr: `${REQUEST_VARIABLE} is not set: this program is run by Terraform\n`,
  });
});
