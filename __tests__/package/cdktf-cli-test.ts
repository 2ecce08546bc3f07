import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cdktfCli } from "../../package/cdktf-cli";
import { folder } from "../cluster-files";

/** A project that has installed packages with a program each. */
function project(programs: Readonly<Record<string, string>>): string {
  const path = folder();
  for (const [name, program] of Object.entries(programs)) {
    mkdirSync(join(path, "node_modules", name), { recursive: true });
    writeFileSync(join(path, "node_modules", name, "package.json"), JSON.stringify({ bin: { [program]: program } }));
  }
  return path;
}

test.each([
  ["CDKTF's", "cdktf-cli", "cdktf"],
  ["CDK Terrain's", "cdktn-cli", "cdktn"],
])("the CLI of a project is %s", (_, name, program) => {
  const path = project({ [name]: program });
  expect(cdktfCli(path)).toBe(join(path, "node_modules", name, program));
});

test("a project without a CLI is told which package has one", () =>
  expect(() => cdktfCli(project({}))).toThrow("npm install --save-dev cdktf-cli"));
