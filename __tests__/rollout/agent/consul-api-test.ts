import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT } from "../../cluster-files";

const ASKING = readFileSync(join(PROJECT, "rollout/agent/consul-api.sh"), "utf8");

/** A script behind consul-api.sh, with standard input held open for so long. */
function asked(
  script: string,
  { lifeline = "lifeline=stdin", heldMs = 0 } = {},
): Promise<{ code: number | null; signal: string | null; said: string }> {
  const child = spawn("sh", ["-c", `${lifeline}\n${ASKING}\n${script}`], { stdio: ["pipe", "pipe", "ignore"] });
  let said = "";
  child.stdout.on("data", (chunk) => {
    said += chunk;
  });
  const letGo = setTimeout(() => child.stdin.end(), heldMs);
  return new Promise((done) =>
    child.once("close", (code, signal) => {
      clearTimeout(letGo);
      done({ code, signal, said });
    }),
  );
}

test("a script ends when nobody waits for its result any more", async () => {
  expect(await asked("while :; do sleep 0.1; done")).toMatchObject({ signal: "SIGTERM" });
});
test("a script that somebody waits for ends with its own exit code, and leaves no process behind", async () => {
  expect(await asked("sleep 0.2; echo yes; exit 3", { heldMs: 5000 })).toEqual({
    code: 3,
    signal: null,
    said: "yes\n",
  });
});
test("without a lifeline, standard input is not read", async () => {
  expect(await asked("sleep 0.3; echo yes", { lifeline: "" })).toMatchObject({ code: 0, said: "yes\n" });
});
