import { folder } from "../../cluster-files";
import { operatorScript, runAsTerraform } from "../../docker-stand-in";

/** A pre-stop check in one run of Terraform, the test's own process, whose folder all checks share. */
const preStop = (owner: string, run: { tmp: string; env?: Record<string, string>; check?: string }) =>
  runAsTerraform({
    script: `${operatorScript("docker", "parallelism")}\nreserve_slot\n${run.check ?? "echo checked"}\nrecord_stop`,
    docker: "exit 1",
    env: { TF_DATA_DIR: run.tmp, STOP_OWNER: owner, ...run.env },
  });
/** A readiness check of the same run, with its result. */
const readiness = (agent: string, { tmp, ready }: { tmp: string; ready: boolean }) =>
  runAsTerraform({
    script: operatorScript("docker", "run-step"),
    docker: `exit ${ready ? 0 : 3}`,
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
  expect(preStop("s1", { tmp, env: one }).stdout).toBe("checked\n");
  const { status, stdout, stderr } = preStop("s2", { tmp, env: one });
  expect([status, stdout]).toEqual([1, ""]);
  expect(stderr).toContain(
    "s2: not stopped: Terraform's -parallelism is 1, and no operation would be left to start s1",
  );
  expect(stderr).toContain("npm run deploy");
});

test("nor while that agent is not ready", () => {
  const tmp = folder();
  preStop("s1", { tmp, env: one });
  readiness("s1", { tmp, ready: false });
  expect(preStop("s2", { tmp, env: one }).stdout).toBe("");
});

test("a check takes it when that agent is ready", () => {
  const tmp = folder();
  preStop("s1", { tmp, env: one });
  readiness("s1", { tmp, ready: true });
  expect(preStop("s2", { tmp, env: one }).stdout).toBe("checked\n");
});

test("a denied check leaves no file", () => {
  const tmp = folder();
  preStop("s1", { tmp, env: one, check: "exit 1" });
  expect(preStop("s2", { tmp, env: one }).stdout).toBe("checked\n");
});

test.each([
  ["by default", {}],
  ["with a parallelism of two", { TF_CLI_ARGS: "-parallelism=2" }],
  [
    "with a large value in the more specific variable",
    { TF_CLI_ARGS: "-parallelism=1", TF_CLI_ARGS_apply: "-no-color -parallelism=20" },
  ],
])("another operation is free %s", (_, env) => {
  const tmp = folder();
  preStop("s1", { tmp, env });
  expect(preStop("s2", { tmp, env }).stdout).toBe("checked\n");
});
