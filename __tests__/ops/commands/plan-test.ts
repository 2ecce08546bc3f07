import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { folder } from "../../cluster-files";
import { run } from "../../command-line";

const env = { CLUSTER: "clusters/none.yaml" };

test.each([
  ["a file", (path: string) => writeFileSync(path, "")],
  [
    "a folder with something in it",
    (path: string) => {
      mkdirSync(path);
      writeFileSync(join(path, "x"), "");
    },
  ],
])("%s is no place for plans, and nothing is planned", async (_, make) => {
  const path = join(folder(), "plans");
  make(path);
  const { status, stderr } = await run(["plan", "--out", path], { env });
  expect([status, stderr]).toEqual([1, expect.stringContaining(`${path} is no empty folder`)]);
});

test("an empty folder is one", async () => {
  const { stderr } = await run(["plan", "--out", folder()], { env });
  expect(stderr).toContain("clusters/none.yaml");
});
