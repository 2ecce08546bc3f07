import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { commandsIn, nameByOption, shellWord } from "../../cluster/chosen-file";
import { folder } from "../cluster-files";

afterEach(() => nameByOption(undefined));

const HINT = "npm run secrets -- init; then `npm run diff`, or npm run deploy -- --auto-approve";

test("without the option, commands stay as they are", () => expect(commandsIn(HINT)).toBe(HINT));

test("every command of a message has the option, once", () => {
  nameByOption("clusters/my other.yaml");
  const typed = commandsIn(HINT);
  const option = "--cluster 'clusters/my other.yaml'";
  expect(typed).toBe(
    `npm run secrets -- ${option} init; then \`npm run diff -- ${option}\`, or npm run deploy -- ${option} --auto-approve`,
  );
  expect(commandsIn(typed)).toBe(typed);
});

test("an embedded cluster is deployed by CDKTF, and its other commands need no npm script", () => {
  const file = join(folder(), "cluster.json");
  nameByOption(file);
  expect(commandsIn("npm run deploy")).toBe(`npm run deploy -- --cluster ${file}`);
  writeFileSync(join(file, "../cdk.tf.json"), "{}");
  expect(commandsIn(HINT)).toBe(
    `npx consul-cdktf secrets --cluster ${file} init; then \`npx consul-cdktf diff --cluster ${file}\`, or npx cdktf deploy --auto-approve`,
  );
});

test.each([
  ["../a-b_c@1.yaml", "../a-b_c@1.yaml"],
  ["/tmp/a b", "'/tmp/a b'"],
  ["it's", "'it'\\''s'"],
  ["", "''"],
])("%j is the word %s of a command line", (text, word) => expect(shellWord(text)).toBe(word));
