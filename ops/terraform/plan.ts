import { tmpdir } from "node:os";
import { join } from "node:path";
import { withTempDir } from "../temp-dir";
import { terraform } from "./terraform";

/** What is read here of `terraform show -json PLAN`. */
export interface Plan {
  readonly resource_changes?: readonly ResourceChange[];
  /** What was found on the hosts to be otherwise than Terraform remembers. */
  readonly resource_drift?: readonly ResourceChange[];
  readonly output_changes?: Readonly<Record<string, { readonly actions: readonly string[] }>>;
}

export interface ResourceChange {
  readonly address: string;
  readonly mode: "managed" | "data";
  readonly type: string;
  readonly name: string;
  readonly action_reason?: string;
  readonly change: {
    readonly actions: readonly ("no-op" | "create" | "read" | "update" | "delete" | "forget")[];
    readonly before: Values | null;
    readonly after: Values | null;
    /** True, or a value that holds true, for what is known only after the apply. */
    readonly after_unknown?: Values;
    readonly before_sensitive?: unknown;
    readonly after_sensitive?: unknown;
    /** Which attributes make it a replacement. */
    readonly replace_paths?: readonly (readonly (string | number)[])[];
  };
}

export type Values = Readonly<Record<string, unknown>>;

/**
 * What Terraform would do in a stack.
 * @param targets addresses to plan for, if not all
 * @throws with what Terraform said, when it cannot plan
 */
export async function plan(folder: string, targets: readonly string[] = []): Promise<Plan> {
  // A plan file holds the state: nobody else may read it, and it goes again.
  return withTempDir(join(tmpdir(), "consul-cdktf-plan-"), async (hidden) => {
    const file = join(hidden, "plan");
    // Without a lock: nothing is written, so looking neither waits for a deploy that is under way nor makes one fail.
    const planned = await terraform(folder, [
      "plan",
      `-out=${file}`,
      "-lock=false",
      "-input=false",
      ...targets.map((address) => `-target=${address}`),
    ]);
    if (planned.exitCode !== 0) throw new Error(planned.error);
    const shown = await terraform(folder, ["show", "-json", file]);
    if (shown.exitCode !== 0) throw new Error(shown.error);
    return JSON.parse(shown.output) as Plan;
  });
}
