import type { Plan, ResourceChange } from "../terraform/plan";
import { type Reason, reasonsOf } from "./reasons";

export const ACTIONS = ["create", "replace", "change in place", "remove"] as const;
export type Action = (typeof ACTIONS)[number];

/** One thing that a deploy would change. */
export interface Change {
  readonly address: string;
  /** Terraform's name: an agent's, for its container. */
  readonly name: string;
  readonly type: string;
  readonly action: Action;
  readonly reasons: readonly Reason[];
}

/** What a deploy would do in a stack. */
export interface StackChanges {
  readonly changes: readonly Change[];
  /** Containers that stay as they are. */
  readonly unchanged: number;
  /** Only what the stack tells others of itself changes. */
  readonly outputsOnly: boolean;
}

export function changesOf(plan: Plan): StackChanges {
  const all = (plan.resource_changes ?? []).filter(({ mode }) => mode === "managed");
  const changes = all.flatMap((change): Change[] => {
    const action = actionOf(change);
    const { address, name, type } = change;
    return action ? [{ address, name, type, action, reasons: reasonsOf(change, plan) }] : [];
  });
  const outputs = Object.values(plan.output_changes ?? {}).some(({ actions }) =>
    actions.some((action) => action !== "no-op"),
  );
  return {
    changes,
    unchanged: all.filter((change) => isContainer(change) && !actionOf(change)).length,
    outputsOnly: outputs && changes.length === 0,
  };
}

export const isContainer = ({ type }: { type: string }): boolean => type === "docker_container";

function actionOf({ change: { actions } }: ResourceChange): Action | undefined {
  const [creates, deletes] = [actions.includes("create"), actions.includes("delete")];
  if (creates && deletes) return "replace";
  if (creates) return "create";
  if (deletes || actions.includes("forget")) return "remove";
  return actions.includes("update") ? "change in place" : undefined;
}
