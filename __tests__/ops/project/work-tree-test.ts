import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkoutOf, privateFolderBeside } from "../../../ops/project/work-tree";
import { folder } from "../../cluster-files";

let root: string;
beforeEach(() => {
  root = folder();
  mkdirSync(join(root, "work/payments"), { recursive: true });
});
const git = (at: string) => execFileSync("git", ["init", "--quiet", at]);

test("what checkoutOf names is what git clean -fdx removes", () => {
  const [project, outside] = [join(root, "work/payments"), join(root, "work/payments-private")];
  git(project);
  const files = [join(project, "secrets/c"), join(project, "terraform.c.tfstate"), join(outside, "secrets/c")];
  expect(files.map((file) => checkoutOf(file))).toEqual([project, project, undefined]);
  for (const file of files) {
    mkdirSync(join(file, ".."), { recursive: true });
    writeFileSync(file, "x");
  }
  writeFileSync(join(project, ".gitignore"), "/secrets/\n*.tfstate\n");
  execFileSync("git", ["clean", "-fdx", "--quiet"], { cwd: project });
  expect(files.map((file) => existsSync(file))).toEqual([false, false, true]);
});

test("a linked checkout, or a submodule, has a file in place of the folder", () => {
  writeFileSync(join(root, "work/payments/.git"), "gitdir: elsewhere\n");
  expect(checkoutOf(join(root, "work/payments/secrets"))).toBe(join(root, "work/payments"));
});

test("a link that leads out of the checkout keeps what it leads to", () => {
  const project = join(root, "work/payments");
  git(project);
  symlinkSync(root, join(project, "elsewhere"));
  expect(checkoutOf(join(project, "elsewhere/secrets"))).toBeUndefined();
});

test("a project without git has its private folder beside it", () => {
  const project = join(root, "work/payments");
  expect(privateFolderBeside(project, "c")).toBe("../payments-private");
  expect(privateFolderBeside(join(root, "not/there/yet"), "c")).toBe("../yet-private");
});

test("a project that is a part of a checkout has it beside the checkout, by the names of both", () => {
  git(join(root, "work"));
  const chosen = privateFolderBeside(join(root, "work/clusters/payments"), "c");
  expect(chosen).toBe("../../../work-clusters-payments-private");
  expect(checkoutOf(join(root, "work/clusters/payments", chosen))).toBeUndefined();
});

test("a checkout in another checkout has it beside the outer one", () => {
  for (const at of ["work", "work/payments"]) git(join(root, at));
  const chosen = privateFolderBeside(join(root, "work/payments"), "c");
  expect(chosen).toBe("../../work-payments-private");
});

test.each([
  ["my cluster", "../my-cluster-private"],
  ["支付", "../c-private"],
])("a folder's name that a path of the file cannot have: %s", (name, expected) =>
  expect(privateFolderBeside(join(root, name), "c")).toBe(expected),
);
