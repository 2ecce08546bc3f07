import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { DEPLOY_VARIABLE } from "../../consul/contract";
import { deniedByEnd, deployFileText } from "../../rollout/deploy-file";
import { folder } from "../cluster-files";

const processes = { commandLine: () => "", isAlive: (pid: number) => pid === 7, startOf: () => "" };

/** What becomes of stops in a deploy whose command has this process id. @param pid undefined: it has removed its file */
function denial(pid: number | undefined) {
  const file = join(folder(), "deploying");
  if (pid !== undefined) writeFileSync(file, deployFileText(pid));
  return deniedByEnd({ [DEPLOY_VARIABLE]: file }, processes);
}

test("while the command that deploys runs, agents may be stopped", () => expect(denial(7)).toBeUndefined());

test("plain cdktf deploy has no such file, and its agents may be stopped", () =>
  expect(deniedByEnd({}, processes)).toBeUndefined());

test.each([
  ["it was interrupted", undefined, "the deploy was interrupted"],
  ["its command was killed", 8, "the command that deploys was killed"],
])("when %s, further stops are denied", (_, pid, reason) =>
  expect(denial(pid)).toEqual({ kind: "deny", reason, hint: "npm run deploy does the rest" }),
);
