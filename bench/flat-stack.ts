import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Makes a synthesized stack what somebody would write in Terraform alone: the same containers, images and providers,
 * without pre-stop check, lock and readiness check. Containers and their configuration stay as the product has them, leadership that is handed over on a stop included.
 */
export function flatten(stackFolder: string): void {
  const file = join(stackFolder, "cdk.tf.json");
  const stack = JSON.parse(readFileSync(file, "utf8"));
  const { terraform_data, ...resource } = stack.resource;
  if (!terraform_data) throw new Error(`${file} has no steps to leave out: what would be compared?`);
  for (const container of Object.values<{ provisioner?: unknown }>(resource.docker_container))
    delete container.provisioner;
  writeFileSync(file, JSON.stringify({ ...stack, resource }));
}
