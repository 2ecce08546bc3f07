import { projectPath } from "../../constructs/project-path";

test("a path of the project is found from the stack's folder, wherever the project is", () => {
  expect(projectPath("secrets/tls")).toBe('${abspath("${path.root}/../../../secrets/tls")}');
});
test("a path of the home folder is that of whoever runs Terraform", () =>
  expect(projectPath("~/.docker")).toBe('${pathexpand("~/.docker")}'));
test("an absolute path stays", () => expect(projectPath("/etc/docker")).toBe("/etc/docker"));
test("quotes in a path stay a part of it", () => {
  expect([projectPath('a"b'), projectPath('~/a"b')]).toEqual([
    '${abspath("${path.root}/../../../a\\"b")}',
    '${pathexpand("~/a\\"b")}',
  ]);
});
