import { spawn } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { withTempDir } from "../../ops/temp-dir";
import { folder, PROJECT } from "../cluster-files";

describe("a folder for the time of some work", () => {
  const prefix = join(folder(), "scratch-");

  test("is this user's alone, and goes when the work is done", async () => {
    const [made, mode] = await withTempDir(
      prefix,
      async (scratch) => [scratch, statSync(scratch).mode & 0o777] as const,
    );
    expect(mode).toBe(0o700);
    expect(existsSync(made)).toBe(false);
  });

  test("goes when the work fails", async () => {
    const work = withTempDir(prefix, async () => {
      throw new Error("no plan");
    });
    await expect(work).rejects.toThrow("no plan");
    expect(readdirSync(join(prefix, ".."))).toEqual([]);
  });

  test("goes when Ctrl-C ends the command", async () => {
    const program = `require("./ops/temp-dir").withTempDir(${JSON.stringify(prefix)}, (made) => new Promise(() => { console.log(made); setInterval(() => 0, 1000); }))`;
    const child = spawn(process.execPath, ["--require", "./typescript.cjs", "-e", program], { cwd: PROJECT });
    const made = await new Promise<string>((resolve) =>
      child.stdout.once("data", (text) => resolve(String(text).trim())),
    );
    expect(existsSync(made)).toBe(true);
    child.kill("SIGINT");
    expect(await new Promise((resolve) => child.once("close", (...ended) => resolve(ended)))).toEqual([null, "SIGINT"]);
    expect(existsSync(made)).toBe(false);
  }, 60_000);
});
