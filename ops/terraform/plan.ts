import { tmpdir } from "node:os";
import { join } from "node:path";
import { withTempDir } from "../temp-dir";
import { terraform } from "./terraform";

/** The part of `terraform show -json PLAN` that is read here. */
export interface Plan {
  readonly resource_changes?: readonly ResourceChange[];
  /** Where the hosts differ from the Terraform state. */
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
    /** True, or a value that contains true, for values that are known only after the apply. */
    readonly after_unknown?: Values;
    readonly before_sensitive?: unknown;
    readonly after_sensitive?: unknown;
    /** Which attributes make it a replacement. */
    readonly replace_paths?: readonly (readonly (string | number)[])[];
  };
}

export type Values = Readonly<Record<string, unknown>>;

/**
 * Plans a stack.
 * @param targets addresses to plan for, if not all
 * @throws with Terraform's errors, when it cannot plan
 */
export async function plan(folder: string, targets: readonly string[] = []): Promise<Plan> {
  // A plan file contains the Terraform state: no other user may read it, and it is deleted.
  return withTempDir(join(tmpdir(), "consul-cdktf-plan-"), async (hidden) => {
    const file = join(hidden, "plan");
    // Without a lock, because nothing is written: a plan neither waits for a running deploy nor makes one fail.
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
