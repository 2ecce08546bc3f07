import type { Stack } from "./synth";
import { terraform } from "./terraform";

/** The stacks in which a deploy is in progress: their Terraform state is locked. No host is contacted. */
export async function runningDeploys(stacks: readonly Stack[]): Promise<string[]> {
  const busy: string[] = [];
  for (const { name, folder } of stacks) {
    // A plan acquires the state lock, and releases it.
    const args = ["plan", "-refresh=false", "-input=false", "-no-color", "-lock-timeout=0s"];
    const { exitCode, error } = await terraform(folder, args);
    // Terraform has no exit code for it: "Error acquiring the state lock".
    if (exitCode !== 0 && /state lock/i.test(error)) busy.push(name);
  }
  return busy;
}
