import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT } from "../../cluster-files";

const CONSUL_API = readFileSync(join(PROJECT, "rollout/agent/consul-api.sh"), "utf8");

/** Runs a script behind consul-api.sh, whose standard input stays open for `heldMs`. */
function run(
  script: string,
  { lifeline = "lifeline=stdin", heldMs = 0 } = {},
): Promise<{ code: number | null; signal: string | null; output: string }> {
  const child = spawn("sh", ["-c", `${lifeline}\n${CONSUL_API}\n${script}`], { stdio: ["pipe", "pipe", "ignore"] });
  let output = "";
  child.stdout.on("data", (chunk) => {
    output += chunk;
  });
  const release = setTimeout(() => child.stdin.end(), heldMs);
  return new Promise((done) =>
    child.once("close", (code, signal) => {
      clearTimeout(release);
      done({ code, signal, output });
    }),
  );
}

test("a script ends when nobody waits for its result any more", async () => {
  expect(await run("while :; do sleep 0.1; done")).toMatchObject({ signal: "SIGTERM" });
});
test("a script that somebody waits for ends with its own exit code, and leaves no process behind", async () => {
  expect(await run("sleep 0.2; echo yes; exit 3", { heldMs: 5000 })).toEqual({
    code: 3,
    signal: null,
    output: "yes\n",
  });
});
test("without a lifeline, standard input is not read", async () => {
  expect(await run("sleep 0.3; echo yes", { lifeline: "" })).toMatchObject({ code: 0, output: "yes\n" });
});
