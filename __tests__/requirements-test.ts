import { chmodSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { folder } from "./cluster-files";
import { missing } from "./requirements";

const bin = folder();
for (const program of ["sh", "bash", "sha256sum"]) {
  writeFileSync(join(bin, program), "");
  chmodSync(join(bin, program), 0o755);
}

test("every missing program is named, with how it is installed", () =>
  expect(missing(folder())).toEqual([
    expect.stringMatching(/^ {2}sh: /),
    expect.stringMatching(/^ {2}bash: /),
    expect.stringMatching(/^ {2}jq: .*apt-get install jq/),
    expect.stringMatching(/^ {2}sha256sum: /),
  ]));
test("a program in any folder of the PATH is found", () =>
  expect(missing([folder(), bin].join(delimiter))).toEqual([expect.stringMatching(/^ {2}jq: /)]));
test("a file that cannot be run is no program", () => {
  writeFileSync(join(bin, "jq"), "", { mode: 0o644 });
  expect(missing(bin)).toEqual([expect.stringMatching(/^ {2}jq: /)]);
});
