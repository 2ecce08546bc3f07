import { refuseOtherStates, refuseVariables, rowOf, TERRAFORM_VARIABLES } from "../../cluster/terraform-variables";

/** A value of each row that must be refused, with a backend, and a part of the reason. */
const REFUSED: readonly (readonly [variable: string, value: string, backend: "local" | "s3", reason: string])[] = [
  ["TF_WORKSPACE", "prod", "local", "another Terraform state"],
  ["TF_WORKSPACE", "prod", "s3", "another Terraform state"],
  ["TF_DATA_DIR", "/tmp/data", "local", "data folder"],
  ["TF_CLI_ARGS_init", "-no-color -reconfigure", "s3", "-reconfigure replaces"],
  ["TF_CLI_ARGS_init", "'-migrate-state'", "s3", "-migrate-state replaces"],
  ["TF_CLI_ARGS_init", "-backend=false", "s3", "-backend replaces"],
  ["TF_CLI_ARGS_init", "-backend-config=path=x", "local", "state file"],
  ["TF_CLI_ARGS_plan", "-refresh=false", "local", "-refresh would"],
  ["TF_CLI_ARGS_apply", "-lock-timeout=5m -target=a.b", "local", "-target would"],
  ["TF_CLI_ARGS_destroy", '"-target=a.b"', "local", "-target would"],
  ["TF_CLI_ARGS_refresh", "--lock=false", "local", "-lock would"],
  ["TF_CLI_ARGS", "-no-color", "local", "every subcommand"],
  ["TF_LOG", "debug", "local", "in the place of its errors"],
  ["TF_LOG_CORE", "trace", "local", "in the place of its errors"],
  ["TF_LOG_PROVIDER", "trace", "local", "in the place of its errors"],
  ["TF_ENCRYPTION", "key_provider {}", "local", "cannot decrypt"],
];

test.each(REFUSED)("%s=%s is rejected with the backend %s", (variable, value, backend, reason) => {
  const refuse = () => refuseVariables({ [variable]: value }, backend);
  expect(refuse).toThrow(`${variable} is rejected: `);
  expect(refuse).toThrow(reason);
  expect(refuse).toThrow("hint: ");
});

test.each<Record<string, string>>([
  { TF_WORKSPACE: "", TF_DATA_DIR: "" },
  { TF_WORKSPACE: "default" },
  { TF_CLI_ARGS_init: "-backend-config=bucket=b -upgrade" },
  { TF_CLI_ARGS_plan: "-lock-timeout=5m -no-color", TF_CLI_ARGS_apply: "-parallelism=30" },
  { TF_CLI_ARGS_providers_lock: "-fs-mirror=/mirror" },
  { TF_VAR_a: "b", TF_TOKEN_app_terraform_io: "t", TF_PLUGIN_CACHE_DIR: "c", TF_CLI_CONFIG_FILE: "f" },
  { TF_LOG: "debug", TF_LOG_PATH: "log" },
  { TF_LOG: "off" },
  { TF_ENCRYPTION: "key_provider {}" },
  { PATH: "/bin", NOT_TF_WORKSPACE: "x" },
])("honoured with a remote backend: %j", (env) => {
  expect(() => refuseVariables(env, "s3")).not.toThrow();
});

test("every row that can refuse a value has one here that is rejected", () => {
  const rows = TERRAFORM_VARIABLES.filter(({ refuse }) => refuse).map(({ name }) => name);
  expect(rows.filter((name) => !REFUSED.some(([variable]) => variable === name))).toEqual([]);
});

test("no row hides a later one, and the last is for all others", () => {
  for (const row of TERRAFORM_VARIABLES) expect(rowOf(row.name.replace("*", "anything"))).toBe(row);
  expect(rowOf("HOME")).toBeUndefined();
});

test("a synth refuses what redirects the state, and nothing else", () => {
  expect(() => refuseOtherStates({ TF_WORKSPACE: "prod" }, "local")).toThrow("TF_WORKSPACE is rejected");
  expect(() => refuseOtherStates({ TF_LOG: "debug", TF_CLI_ARGS_apply: "-target=a.b" }, "local")).not.toThrow();
});

test("all are named at once, without their values", () => {
  const refuse = () => refuseVariables({ TF_WORKSPACE: "prod", TF_CLI_ARGS: "-var=password=hunter2" }, undefined);
  expect(refuse).toThrow(/^TF_CLI_ARGS is .*\n.*\nTF_WORKSPACE is /);
  expect(refuse).not.toThrow("hunter2");
});
