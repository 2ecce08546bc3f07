import { spawn } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { releaseCheckout } from "../../../ops/terraform/checkout-lock";
import { synthesize, synthesizeBesideOthers } from "../../../ops/terraform/synth";
import { SystemProcesses } from "../../../rollout/processes";
import { folder } from "../../cluster-files";

const LOCK = "cdktf.out/.in-use";
const MANIFEST = {
  stacks: { c: { synthesizedStackPath: "stacks/c/cdk.tf.json", workingDirectory: "stacks/c", dependencies: [] } },
};
const before = process.cwd();

/** A project whose program notes that it ran. */
beforeEach(() => {
  process.chdir(folder());
  mkdirSync("cdktf.out/stacks/c", { recursive: true });
  writeFileSync("cdktf.out/stacks/c/cdk.tf.json", "{}");
  writeFileSync("cdktf.out/manifest.json", JSON.stringify(MANIFEST));
  writeFileSync("cdktf.json", JSON.stringify({ app: "touch synthesized" }));
});
afterEach(() => {
  releaseCheckout();
  process.chdir(before);
});

/** Another command of the checkout, which lives until the test ends. */
function otherCommand(): { readonly pid: number; end(): void } {
  const child = spawn("sleep", ["60"]);
  const pid = child.pid as number;
  writeFileSync(LOCK, JSON.stringify({ pid, start: new SystemProcesses().startOf(pid), command: "deploy" }));
  return { pid, end: () => child.kill("SIGKILL") };
}

test("a synth reserves cdktf.out until the command ends; its own second synth is not refused", async () => {
  expect((await synthesize()).map(({ name }) => name)).toEqual(["c"]);
  await synthesize();
  expect(existsSync(LOCK)).toBe(true);
  releaseCheckout();
  expect(existsSync(LOCK)).toBe(false);
});

test("while another command uses it, a synth is refused, and one that only looks takes what is there", async () => {
  const other = otherCommand();
  try {
    await expect(synthesize()).rejects.toThrow(
      `cdktf.out is in use by the command \`deploy\` (process ${other.pid}) in this checkout\n    hint: `,
    );
    expect((await synthesizeBesideOthers()).map(({ name }) => name)).toEqual(["c"]);
    expect(existsSync("synthesized")).toBe(false);
    releaseCheckout();
    expect(existsSync(LOCK)).toBe(true);
  } finally {
    other.end();
  }
});

test.each([
  ["a killed command", JSON.stringify({ pid: 2 ** 22 + 1, start: "1", command: "deploy" })],
  [
    "an earlier process with the id of a living one",
    JSON.stringify({ pid: process.ppid, start: "1", command: "diff" }),
  ],
  ["a command that was killed while it wrote the file", ""],
])("the lock of %s does not count", async (_, text) => {
  writeFileSync(LOCK, text);
  await synthesize();
  expect(existsSync(join("synthesized"))).toBe(true);
});

test("a command that looks synthesizes by itself when nobody else does", async () => {
  await synthesizeBesideOthers();
  expect(existsSync("synthesized")).toBe(true);
});
