import { type Clock, Stopwatch } from "../clock";
import { type ConsulApi, read } from "../consul-api";
import { LEADERLESS_SECONDS, SECOND } from "../limits";
import { allow, deny, type Log, type Outcome, unknown, Waiting } from "../outcome";
import type { AutopilotRequest } from "../request";
import { formatAnswer, replyTo } from "./changes";

const PATH = "/v1/operator/autopilot/configuration";

interface Configuration {
  readonly CreateIndex?: number;
  readonly ModifyIndex?: number;
  readonly [setting: string]: unknown;
}

/**
 * Writes autopilot's settings into the running cluster; settings that are not named stay. Those in agents' own files
 * only count at the first bootstrap.
 */
export async function autopilot(
  { settings, seconds }: Pick<AutopilotRequest, "settings" | "seconds">,
  api: ConsulApi,
  clock: Clock,
  log: Log,
): Promise<Outcome> {
  const waiting = new Waiting("autopilot", clock, log);
  const begun = new Stopwatch(clock);
  for (; !begun.reached(seconds); await clock.sleep(SECOND)) {
    const { CreateIndex, ModifyIndex, ...current } = (await read<Configuration | null>(api, PATH)) ?? {};
    if (typeof ModifyIndex !== "number") {
      waiting.for("waiting for a leader");
      if (waiting.reached(LEADERLESS_SECONDS)) return unknown(waiting.reason);
      continue;
    }
    const body = { ...current, ...settings };
    // Compare-and-set: another deploy, or an operator, may write at the same time.
    const answer = await replyTo(api, { method: "PUT", path: `${PATH}?cas=${ModifyIndex}`, body });
    if (answer.status === 200 && answer.body.trim() === "true") return allow(JSON.stringify(settings));
    waiting.for(`not accepted yet: ${formatAnswer(answer)}`);
  }
  return deny(`not set after ${seconds} s: ${waiting.reason}`, "look at the log of a server, and deploy again");
}
