import { mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { refuseVariables, rowOf, TERRAFORM_VARIABLES } from "../../cluster/terraform-variables";

const FIXED = Object.fromEntries(TERRAFORM_VARIABLES.flatMap(({ name, fixed }) => (fixed ? [[name, fixed]] : [])));

/**
 * The environment of every Terraform that a command starts: the operator's, as cluster/terraform-variables.ts has it.
 * @throws Error for a variable that is rejected
 */
export function terraformEnvironment(env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  refuseVariables(env, undefined);
  const operator = Object.entries(env).flatMap(([variable, value]) => {
    const row = rowOf(variable);
    if (row?.removed) return [];
    return [[variable, row?.path && value ? resolve(value) : value]];
  });
  return { ...Object.fromEntries(operator), ...FIXED, CHECKPOINT_DISABLE: "1", ...pluginCache(env) };
}

/** The CDKTF CLI's plugin cache: each stack's folder then has a link to the provider, not a copy. */
function pluginCache(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  if (env.CDKTF_DISABLE_PLUGIN_CACHE_ENV) return {};
  const folder = resolve(env.TF_PLUGIN_CACHE_DIR || join(homedir(), ".terraform.d", "plugin-cache"));
  mkdirSync(folder, { recursive: true });
  return { TF_PLUGIN_CACHE_DIR: folder };
}
