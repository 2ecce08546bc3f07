import { mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** The environment of every Terraform that a command starts. */
export function terraformEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, TF_IN_AUTOMATION: "1", CHECKPOINT_DISABLE: "1", ...pluginCache() };
}

/** The CDKTF CLI's plugin cache: each stack's folder then has a link to the provider, not a copy. */
function pluginCache(): NodeJS.ProcessEnv {
  if (process.env.CDKTF_DISABLE_PLUGIN_CACHE_ENV) return {};
  const folder = process.env.TF_PLUGIN_CACHE_DIR || join(homedir(), ".terraform.d", "plugin-cache");
  mkdirSync(folder, { recursive: true });
  return { TF_PLUGIN_CACHE_DIR: folder };
}
