import type { Stack } from "../terraform/synth";

/** How the work for a stack ended. */
export type StackResult = "done" | "failed" | "not started";

export interface StackOrder {
  /** Stacks at the same time. */
  readonly atOnce: number;
  /** Whether stacks come before those that they depend on: to remove them. */
  readonly reverse?: boolean;
  /** Whether another stack may start. */
  readonly goOn: () => boolean;
}

/**
 * Runs work for stacks, each when those before it are done. After a failure no further stack starts, and those that run
 * are waited for.
 * @param work returns whether it succeeded
 */
export async function inStackOrder(
  stacks: readonly Stack[],
  { atOnce, reverse = false, goOn }: StackOrder,
  work: (stack: Stack) => Promise<boolean>,
): Promise<Map<string, StackResult>> {
  const results = new Map<string, StackResult>(stacks.map(({ name }) => [name, "not started"]));
  const running = new Map<string, Promise<void>>();
  const before = predecessors(stacks, reverse);
  const isReady = ({ name }: Stack): boolean =>
    results.get(name) === "not started" &&
    !running.has(name) &&
    (before.get(name) ?? []).every((other) => results.get(other) === "done");
  const run = async (stack: Stack): Promise<void> => {
    try {
      results.set(stack.name, (await work(stack)) ? "done" : "failed");
    } catch (error) {
      results.set(stack.name, "failed");
      throw error;
    } finally {
      running.delete(stack.name);
    }
  };
  try {
    for (;;) {
      const mayStart = goOn() && ![...results.values()].includes("failed");
      const next = mayStart && running.size < atOnce ? stacks.find(isReady) : undefined;
      if (next) running.set(next.name, run(next));
      else if (running.size > 0) await Promise.race(running.values());
      else return results;
    }
  } finally {
    await Promise.allSettled(running.values());
  }
}

/** The selected stacks that have to be done before each one. */
function predecessors(stacks: readonly Stack[], reverse: boolean): Map<string, readonly string[]> {
  const names = stacks.map(({ name }) => name);
  return new Map(
    stacks.map(({ name, dependencies }) => [
      name,
      reverse
        ? stacks.filter((other) => other.dependencies.includes(name)).map((other) => other.name)
        : dependencies.filter((other) => names.includes(other)),
    ]),
  );
}
