import { projectPath } from "../../constructs/project-path";

test("a path of the project is relative to the stack's folder, wherever the project is", () => {
  expect(projectPath("secrets/tls")).toBe('${abspath("${path.root}/../../../secrets/tls")}');
});
test("a path of the home folder is in the home folder of Terraform's user", () =>
  expect(projectPath("~/.docker")).toBe('${pathexpand("~/.docker")}'));
test("an absolute path does not change", () => expect(projectPath("/etc/docker")).toBe("/etc/docker"));
test("quotes in a path are escaped", () => {
  expect([projectPath('a"b'), projectPath('~/a"b')]).toEqual([
    '${abspath("${path.root}/../../../a\\"b")}',
    '${pathexpand("~/a\\"b")}',
  ]);
});
