import { readdirSync } from "node:fs";
import { join } from "node:path";
import { Project } from "./project";
import { TestBed } from "./test-bed/test-bed";

/** This repository's own cluster files: a user may add others to clusters/. */
const files = [
  ...["clusters/local.yaml", "clusters/production.yaml", "clusters/seed.yaml"],
  ...readdirSync(join(__dirname, "clusters")).map((file) => `e2e/clusters/${file}`),
];

describe("terraform validate, with the real provider", () => {
  const testBed = TestBed.standing();

  test.each(files)("%s", async (file) => {
    const project = new Project(testBed.operator, file);
    try {
      await project.cdktf(["synth"]);
      const stacks = readdirSync(join(project.folder, "cdktf.out/stacks"));
      expect(stacks.length).toBeGreaterThan(0);
      for (const stack of stacks) {
        await project.terraform(stack, ["init", "-input=false", "-backend=false"]);
        const { stdout } = await project.terraform(stack, ["validate", "-json"]);
        expect(JSON.parse(stdout)).toMatchObject({ valid: true, error_count: 0, warning_count: 0 });
      }
    } finally {
      project.remove();
    }
  });
});
