import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { terraformEnvironment } from "../../../ops/terraform/environment";
import { readStateByBackend } from "../../../ops/terraform/state";
import { terraform } from "../../../ops/terraform/terraform";
import { folder } from "../../cluster-files";

test("every Terraform runs local operations, without prompts and suggestions", () => {
  expect(
    terraformEnvironment({ TF_INPUT: "1", TF_IN_AUTOMATION: "", TF_FORCE_LOCAL_BACKEND: "", A: "b" }),
  ).toMatchObject({ TF_FORCE_LOCAL_BACKEND: "1", TF_IN_AUTOMATION: "1", CHECKPOINT_DISABLE: "1", A: "b" });
  expect(terraformEnvironment({ TF_INPUT: "1" })).not.toHaveProperty("TF_INPUT");
});

test("relative paths are the project's, not the stack's", () => {
  const cache = join(folder(), "cache");
  const found = terraformEnvironment({
    TF_CLI_CONFIG_FILE: "ci/terraform.rc",
    TF_LOG_PATH: "log",
    TF_PLUGIN_CACHE_DIR: cache,
  });
  expect(found).toMatchObject({
    TF_CLI_CONFIG_FILE: join(process.cwd(), "ci/terraform.rc"),
    TF_LOG_PATH: join(process.cwd(), "log"),
    TF_PLUGIN_CACHE_DIR: cache,
  });
});

describe("no Terraform is started", () => {
  beforeEach(() => {
    process.env.TERRAFORM_BINARY_NAME = "/no/such/terraform";
  });
  afterEach(() => {
    delete process.env.TERRAFORM_BINARY_NAME;
    delete process.env.TF_CLI_ARGS_init;
    delete process.env.TF_WORKSPACE;
  });

  test("for a variable that is rejected with the stack's backend", async () => {
    const stack = folder();
    writeFileSync(join(stack, "cdk.tf.json"), '{ "terraform": { "backend": { "local": { "path": "x" } } } }');
    process.env.TF_CLI_ARGS_init = "-backend-config=path=y";
    await expect(terraform(stack, ["show"])).rejects.toThrow("TF_CLI_ARGS_init is rejected");
  });

  test("in a folder with another workspace", async () => {
    const stack = folder();
    mkdirSync(join(stack, ".terraform"));
    writeFileSync(join(stack, ".terraform/environment"), "prod");
    await expect(terraform(stack, ["show"])).rejects.toThrow(
      /^the workspace "prod" is selected in .*\n.*hint: rm -r .*\/\.terraform;/,
    );
  });

  test("and a state file is not read either", async () => {
    process.env.TF_WORKSPACE = "prod";
    await expect(readStateByBackend(undefined, "c")).rejects.toThrow("TF_WORKSPACE is rejected");
  });
});
