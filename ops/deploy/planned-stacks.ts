import { changesOf, type StackChanges } from "../explain/changes";
import { stackText } from "../explain/changes-text";
import type { Plan } from "../terraform/plan";
import type { Stack } from "../terraform/synth";
import type { Exclusions } from "./exclusions";

/** A stack's part of a plan: what would change, or why that is unknown. */
export type PlannedStack = { readonly stack: string } & (
  | (StackChanges & { readonly without: readonly string[] })
  | { readonly error: string }
);

type KnownStack = Extract<PlannedStack, StackChanges>;

/** @param without hosts of the stack that are skipped */
export async function planStack(
  { name }: Stack,
  without: readonly string[],
  plan: () => Promise<Plan>,
): Promise<PlannedStack> {
  try {
    return { stack: name, without, ...changesOf(await plan()) };
  } catch (error) {
    return { stack: name, error: (error as Error).message };
  }
}

export const isKnown = (planned: PlannedStack): planned is KnownStack => "changes" in planned;

export const hasChanges = (planned: PlannedStack): boolean =>
  isKnown(planned) && (planned.changes.length > 0 || planned.outputsOnly);

/** The text of each stack that changes, is skipped or cannot be planned. */
export function stackTexts(planned: readonly PlannedStack[], skippedStacks: Exclusions["skippedStacks"]): string[] {
  const texts: string[] = [];
  for (const stack of planned) {
    const lines = isKnown(stack) ? stackText(stack.stack, stack) : errorLines(stack);
    if (isKnown(stack) && stack.without.length > 0) lines.push(`  skipped: ${stack.without.join(", ")}`);
    if (lines.length > 0) texts.push(lines.join("\n"));
  }
  for (const [stack, hosts] of skippedStacks) texts.push(`${stack}\n  skipped: ${hosts.join(", ")}`);
  return texts;
}

const errorLines = ({ stack, error }: { readonly stack: string; readonly error: string }): string[] => [
  stack,
  ...error.split("\n").map((line) => `  ${line}`),
];
