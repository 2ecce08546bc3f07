import { join } from "node:path";
import { withPlanFolder } from "./plan-folder";
import { terraform } from "./terraform";

/** The part of `terraform show -json PLAN` that is read here. */
export interface Plan {
  readonly resource_changes?: readonly ResourceChange[];
  /** Where the hosts differ from the Terraform state. */
  readonly resource_drift?: readonly ResourceChange[];
  readonly output_changes?: Readonly<Record<string, { readonly actions: readonly string[] }>>;
  readonly planned_values?: { readonly root_module?: { readonly resources?: readonly PlannedResource[] } };
}

/** A resource as it is to be. Values that are known only after the apply are left out. */
export interface PlannedResource {
  readonly address: string;
  /** `registry.terraform.io/kreuzwerker/docker` */
  readonly provider_name: string;
  readonly schema_version: number;
  readonly values: Values;
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

export interface PlanOptions {
  /** Addresses to plan for, if not all. */
  readonly targets?: readonly string[];
  /** Whether to plan that everything is removed. */
  readonly destroy?: boolean;
}

/**
 * Plans a stack, and changes nothing.
 * @throws with Terraform's errors, when it cannot plan
 */
export async function plan(folder: string, options: PlanOptions = {}): Promise<Plan> {
  return withPlanFolder(async (hidden) => {
    const file = join(hidden, "plan");
    // Without a lock, because nothing is written: a plan neither waits for a running deploy nor makes one fail.
    await write(file, folder, options, "-lock=false");
    return readPlan(file, folder);
  });
}

/**
 * Plans a stack into a file that `terraform apply` takes.
 * @param file in a folder that only this user can open
 * @throws with Terraform's errors, when it cannot plan, or somebody else has locked the Terraform state
 */
export async function planTo(file: string, folder: string, options: PlanOptions = {}): Promise<Plan> {
  await write(file, folder, options);
  return readPlan(file, folder);
}

async function write(file: string, folder: string, options: PlanOptions, ...words: string[]): Promise<void> {
  const { targets = [], destroy = false } = options;
  const { exitCode, error } = await terraform(folder, [
    "plan",
    `-out=${file}`,
    "-input=false",
    ...words,
    ...(destroy ? ["-destroy"] : []),
    ...targets.map((address) => `-target=${address}`),
  ]);
  if (exitCode !== 0) throw new Error(error);
}

/** What a plan file has. @throws when Terraform cannot read it */
export async function readPlan(file: string, folder: string): Promise<Plan> {
  const { exitCode, output, error } = await terraform(folder, ["show", "-json", file]);
  if (exitCode !== 0) throw new Error(error);
  return JSON.parse(output) as Plan;
}
