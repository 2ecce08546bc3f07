import { join } from "node:path";
import { terraform } from "./terraform";

/**
 * Plans one agent's container and gate while its predecessor still runs, so that it is missed for as short a time as can be.
 * @param folder of its stack
 * @param scratch a folder that only this user can open: a plan holds the state
 * @returns what makes the container and waits until the agent is in
 * @throws when it cannot be planned, or made, with what Terraform said
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
 * Runs Terraform without anybody to ask.
 * @throws with what it said, when it fails
 */
export async function must(folder: string, subcommand: "plan" | "apply", ...args: readonly string[]): Promise<void> {
  const { exitCode, error } = await terraform(folder, [subcommand, "-input=false", "-no-color", ...args]);
  if (exitCode !== 0) throw new Error(error);
}
