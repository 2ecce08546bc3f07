import { join } from "node:path";
import { terraform } from "./terraform";

/**
 * Plans an agent's container and readiness check while its predecessor still runs, which makes the interruption shorter.
 * @param folder of its stack
 * @param scratch a folder that only this user can open: a plan contains the Terraform state
 * @returns a function that creates the container and waits until the agent is ready
 * @throws with Terraform's errors, when it cannot be planned or created
 */
export async function planSuccessor(
  folder: string,
  agent: string,
  scratch: string,
  ...options: readonly string[]
): Promise<() => Promise<void>> {
  const file = join(scratch, agent);
  await must(folder, "plan", `-out=${file}`, ...targets(agent), ...options);
  return () => must(folder, "apply", file);
}

const targets = (agent: string): string[] =>
  ["docker_container", "terraform_data"].map((type) => `-target=${type}.${agent}`);

/**
 * Runs Terraform without prompts.
 * @throws with its errors, when it fails
 */
export async function must(folder: string, subcommand: "plan" | "apply", ...args: readonly string[]): Promise<void> {
  const { exitCode, error } = await terraform(folder, [subcommand, "-input=false", "-no-color", ...args]);
  if (exitCode !== 0) throw new Error(error);
}
