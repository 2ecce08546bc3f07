import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { flatten } from "../../bench/flat-stack";
import { FOUR_HOSTS, folder } from "../cluster-files";
import { stackOf, synthesizeText } from "../synthesized";

test("a flat stack has the same containers, images and providers, and nothing that checks", () => {
  const stack = stackOf(synthesizeText(FOUR_HOSTS), "c");
  const directory = folder();
  const file = join(directory, "cdk.tf.json");
  writeFileSync(file, JSON.stringify(stack));
  flatten(directory);
  const text = readFileSync(file, "utf8");
  const flat = JSON.parse(text);

  expect(text).not.toMatch(/provisioner|terraform_data|rollout\.cjs/);
  expect(Object.keys(flat.resource)).toEqual(["docker_container", "docker_image"]);
  for (const [name, { provisioner, ...container }] of Object.entries(stack.resource.docker_container)) {
    expect(provisioner).toHaveLength(1);
    expect(flat.resource.docker_container[name]).toEqual(container);
  }
  for (const part of ["provider", "output", "terraform"] as const) expect(flat[part]).toEqual(stack[part]);
  expect(flat.resource.docker_image).toEqual(stack.resource.docker_image);
});

test("a stack without steps is refused: nothing would be compared", () => {
  const directory = folder();
  writeFileSync(join(directory, "cdk.tf.json"), JSON.stringify({ resource: { docker_container: {} } }));
  expect(() => flatten(directory)).toThrow("has no steps to leave out");
});
