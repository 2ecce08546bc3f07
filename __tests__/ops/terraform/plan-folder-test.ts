import { spawn } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { withPlanFolder } from "../../../ops/terraform/plan-folder";
import { folder, PROJECT } from "../../cluster-files";

const { TMPDIR } = process.env;
let temporary: string;
beforeEach(() => {
  temporary = folder();
  process.env.TMPDIR = temporary;
});
afterEach(() => {
  if (TMPDIR === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = TMPDIR;
});

/** A command that has a folder of plans, and does not end. */
async function planning() {
  const program = `require("./ops/terraform/plan-folder").withPlanFolder((made) => new Promise(() => { console.log(made); setInterval(() => 0, 1000); }))`;
  const child = spawn(process.execPath, ["--require", "./typescript.cjs", "-e", program], { cwd: PROJECT });
  const made = await new Promise<string>((resolve) =>
    child.stdout.once("data", (text) => resolve(String(text).trim())),
  );
  const kill = () =>
    new Promise((resolve) => {
      child.once("close", resolve);
      child.kill("SIGKILL");
    });
  return { made, kill };
}
const nextCommand = () => withPlanFolder(async (own) => basename(own));

test("plans of a command that was killed are removed by the next one that plans", async () => {
  const { made, kill } = await planning();
  await kill();
  expect(existsSync(made)).toBe(true);
  expect(await nextCommand()).toMatch(/^consul-cdktf-plan-/);
  expect(existsSync(made)).toBe(false);
}, 60_000);

test("plans of a command that runs stay", async () => {
  const { made, kill } = await planning();
  await nextCommand();
  expect(existsSync(made)).toBe(true);
  await kill();
}, 60_000);

test.each([
  ["without an owner, because it is being made", undefined],
  ["of another container's process", { pid: 2 ** 30, start: "1", namespace: "pid:[1]" }],
])("a folder %s stays", async (_, owner) => {
  const made = join(temporary, "consul-cdktf-plan-other");
  mkdirSync(made);
  if (owner) writeFileSync(join(made, "owner.json"), JSON.stringify(owner));
  await nextCommand();
  expect(existsSync(made)).toBe(true);
});
