import { AgentContainer } from "./agent-container";
import { type Clock, Stopwatch } from "./clock";
import { ContainerUnreachable } from "./consul-api";
import type { Operator } from "./docker-cli";
import { SECOND } from "./limits";
import { deny, type Log, type Outcome, unknown } from "./outcome";
import type { ExecTarget } from "./request";

/** A check or step, by one agent. */
export type Decide<Agent> = (agent: Agent) => Promise<Outcome>;

/** Opens the way to an agent. */
export type Open<Agent> = (target: ExecTarget) => Agent & { close(): Promise<void> };

/**
 * Asks one agent after the other until one knows the answer, or time is up. What none of them knows is denied.
 * @param seconds how long agents that do not know are asked again
 * @param begun since when. @default now
 */
export async function askInTurn<Agent>(
  targets: readonly ExecTarget[],
  seconds: number,
  open: Open<Agent>,
  decide: Decide<Agent>,
  clock: Clock,
  log: Log,
  begun = new Stopwatch(clock),
): Promise<Outcome> {
  let reported = "there is no agent to ask";
  for (;;) {
    for (const target of targets) {
      const outcome = await askOne(target, open, decide);
      if (outcome.kind !== "unknown") return outcome;
      const said = `${target.container}: ${outcome.reason}`;
      if (said !== reported) log(`${target.container}: unreachable so far: ${outcome.reason}`);
      reported = said;
    }
    if (begun.reached(seconds))
      return deny(`${reported}, for ${seconds} s`, "look at that host, its Docker daemon and its agent's log");
    await clock.sleep(SECOND);
  }
}

async function askOne<Agent>(target: ExecTarget, open: Open<Agent>, decide: Decide<Agent>): Promise<Outcome> {
  const agent = open(target);
  try {
    return await decide(agent);
  } catch (error) {
    if (error instanceof ContainerUnreachable) return unknown(error.message);
    throw error;
  } finally {
    await agent.close();
  }
}

/** The ways to agents by the docker CLI. */
export const byDocker =
  (operator: Operator): Open<AgentContainer> =>
  (target) =>
    new AgentContainer(target, operator);
