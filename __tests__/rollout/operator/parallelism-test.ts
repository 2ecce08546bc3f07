import { folder } from "../../cluster-files";
import { operatorScript, runAsTerraform } from "../../docker-stand-in";

/** A question of one run of Terraform, the test's own process: all share its folder. */
const question = (owner: string, run: { tmp: string; env?: Record<string, string>; ask?: string }) =>
  runAsTerraform({
    script: `${operatorScript("docker", "parallelism")}\nreserve_slot\n${run.ask ?? "echo asked"}\nrecord_stop`,
    docker: "exit 1",
    env: { TF_DATA_DIR: run.tmp, STOP_OWNER: owner, ...run.env },
  });
/** A gate of the same run, which says whether an agent is in. */
const gate = (agent: string, { tmp, passes }: { tmp: string; passes: boolean }) =>
  runAsTerraform({
    script: operatorScript("docker", "run-step"),
    docker: `exit ${passes ? 0 : 3}`,
    env: {
      TF_DATA_DIR: tmp,
      ASK_GATED: agent,
      ASK_SCRIPT: "",
      ASK_ARGUMENTS: "",
      ASK_TARGETS: "exec -i s1",
      ASK_SECONDS: "0",
    },
  });
const one = { TF_CLI_ARGS_apply: "-parallelism=1" };

test("a check does not take the only operation while a stopped agent needs it", () => {
  const tmp = folder();
  expect(question("s1", { tmp, env: one }).stdout).toBe("asked\n");
  const { status, stdout, stderr } = question("s2", { tmp, env: one });
  expect([status, stdout]).toEqual([1, ""]);
  expect(stderr).toContain(
    "s2: not stopped: Terraform's -parallelism is 1, and no operation would be left to start s1",
  );
  expect(stderr).toContain("npm run deploy");
});

test("nor while that agent is not ready", () => {
  const tmp = folder();
  question("s1", { tmp, env: one });
  gate("s1", { tmp, passes: false });
  expect(question("s2", { tmp, env: one }).stdout).toBe("");
});

test("a check takes it when that agent is ready", () => {
  const tmp = folder();
  question("s1", { tmp, env: one });
  gate("s1", { tmp, passes: true });
  expect(question("s2", { tmp, env: one }).stdout).toBe("asked\n");
});

test("a denied check leaves no file", () => {
  const tmp = folder();
  question("s1", { tmp, env: one, ask: "exit 1" });
  expect(question("s2", { tmp, env: one }).stdout).toBe("asked\n");
});

test.each([
  ["by default", {}],
  ["of two", { TF_CLI_ARGS: "-parallelism=2" }],
  [
    "of many, by the more particular variable",
    { TF_CLI_ARGS: "-parallelism=1", TF_CLI_ARGS_apply: "-no-color -parallelism=20" },
  ],
])("another slot is free %s", (_, env) => {
  const tmp = folder();
  question("s1", { tmp, env });
  expect(question("s2", { tmp, env }).stdout).toBe("asked\n");
});
