import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";

const PROJECT = resolve(__dirname, "../..");
const COMMANDS = readdirSync(join(PROJECT, "ops/commands")).filter(
  (file) =>
    file.endsWith(".ts") &&
    JSON.stringify(require(join(PROJECT, "package.json")).scripts).includes(`ops/commands/${file}`),
);
/** With a cluster file that is not there: whatever goes on to work fails. */
function run(file: string, ...words: string[]) {
  const options = {
    cwd: PROJECT,
    env: { ...process.env, CLUSTER: "clusters/none.yaml" },
    encoding: "utf8",
    timeout: 30_000,
  } as const;
  const { status, stdout, stderr } = spawnSync(
    "node",
    ["--require", "./typescript.cjs", join("ops/commands", file), ...words],
    options,
  );
  return { status, stdout, stderr };
}

describe.each(COMMANDS)("%s", (file) => {
  const usage = `usage: npm run ${file.replace(".ts", "")}`;

  test.each(["--help", "-h"])("%s prints how it is used, and does nothing", (word) => {
    const { status, stdout, stderr } = run(file, word);
    expect([status, stdout.startsWith(usage), stderr]).toEqual([0, true, ""]);
  });
});

test("all commands of package.json have been tried", () => expect(COMMANDS).toHaveLength(11));

test.each([
  ["doctor.ts", ["--fixx"], 'doctor: there is no option --fixx; did you mean "--fix"?\nusage: '],
  ["doctor.ts", ["now"], "doctor: it does not take now\nusage: "],
  ["diagram.ts", ["--format"], "diagram: Option '--format <value>' argument missing\nusage: "],
  ["diff.ts", ["--jsn"], 'diff has no option --jsn; did you mean "--json"?'],
])("%s %j is refused with the reason", (file, words, reason) => {
  expect(run(file, ...words)).toEqual({ status: 1, stdout: "", stderr: expect.stringContaining(reason) });
});
