import { type Clock, Stopwatch } from "./clock";
import type { DockerResult } from "./docker";
import { SECOND } from "./limits";
import { type Log, Waiting } from "./outcome";

/** Tries until an attempt succeeds, or time is up: a container may be starting, or its daemon unreachable. */
export async function retried(
  { container, seconds }: { readonly container: string; readonly seconds: number },
  attempt: () => Promise<DockerResult>,
  clock: Clock,
  log: Log,
): Promise<DockerResult> {
  const waiting = new Waiting(container, clock, log);
  const begun = new Stopwatch(clock);
  for (; ; await clock.sleep(SECOND)) {
    const result = await attempt();
    if (result.ok || begun.reached(seconds)) return result;
    waiting.for(`trying again: ${result.error}`);
  }
}
