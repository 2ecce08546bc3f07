import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { folder, PROJECT } from "./cluster-files";

const PROGRAM = `interface Server {
  readonly name: string;
}

/** Of all this, nothing is left in the JavaScript that runs. */
type Servers = readonly Server[];

async function start(servers: Servers): Promise<void> {
  await null;
  throw new Error(\`\${servers.length} servers\`, { cause: new TypeError("see /no/such/file.ts:1:1") });
}

void start([]);
`;

const run = (directory: string) =>
  spawnSync(process.execPath, ["--require", join(PROJECT, "typescript.cjs"), "program.ts"], {
    cwd: directory,
    encoding: "utf8",
  });

test("a changed text is compiled anew, and a former one runs again", () => {
  const directory = folder();
  for (const text of ["one", "two", "one"]) {
    writeFileSync(join(directory, "program.ts"), `const text: string = "${text} ${directory}";\nconsole.log(text);\n`);
    expect(run(directory).stdout).toBe(`${text} ${directory}\n`);
  }
});

test("an error that nobody caught is shown where it stands in TypeScript, in any folder", () => {
  const directory = join(folder(), "a folder (of mine) with spaces");
  mkdirSync(directory);
  writeFileSync(join(directory, "program.ts"), PROGRAM);
  // The second time, from what was kept.
  run(directory);
  const { status, stderr } = run(directory);
  expect(status).toBe(1);
  expect(stderr).toContain(`Error: 0 servers\n    at start (${join(directory, "program.ts")}:10:9)`);
  expect(stderr).toContain("[cause]: TypeError: see /no/such/file.ts:1:1");
  expect(stderr).toContain("program.ts:10:");
});
