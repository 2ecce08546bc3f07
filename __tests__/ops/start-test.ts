import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { PROJECT } from "../cluster-files";

const COMMANDS = readdirSync(join(PROJECT, "ops/commands")).map((file) => join(PROJECT, "ops/commands", file));

test("a reader that ends first, such as `head`, is no error", () => {
  const script = "node --require ./typescript.cjs ops/main.ts --help | true";
  const { status, stderr } = spawnSync("bash", ["-c", `set -o pipefail; ${script}`], {
    cwd: PROJECT,
    encoding: "utf8",
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
});

test("no command loads the CDKTF library: only synth needs it, and it takes a fifth of a second", () => {
  const script = "process.argv.slice(1).forEach(require); console.log(Object.keys(require.cache).join(' '))";
  const options = { cwd: PROJECT, encoding: "utf8" } as const;
  const loaded = execFileSync("node", ["--require", "./typescript.cjs", "-e", script, ...COMMANDS], options);
  expect(loaded).toContain("ops/commands/deploy.ts");
  expect(loaded.split(" ").filter((file) => /node_modules\/(@?cdktf|constructs)\//.test(file))).toEqual([]);
});
