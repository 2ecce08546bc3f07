import { type Clock, Stopwatch } from "./clock";
import type { ConsulApi } from "./consul-api";
import { SECOND } from "./limits";
import { allow, deny, type Log, type Outcome, Waiting } from "./outcome";
import { raftServers } from "./queries";

/**
 * Waits until every named server is a voter of one Raft configuration that has a leader: a server alone with a wrong
 * address or key is in no configuration but its own.
 * @param seconds until then
 */
export async function voters(
  nodes: readonly string[],
  seconds: number,
  api: ConsulApi,
  clock: Clock,
  log: Log,
): Promise<Outcome> {
  const waiting = new Waiting("servers", clock, log);
  const begun = new Stopwatch(clock);
  let missing: readonly string[] = nodes;
  for (; !begun.reached(seconds); await clock.sleep(SECOND)) {
    const servers = (await raftServers(api)) ?? [];
    missing = nodes.filter((node) => !servers.some(({ Node, Voter }) => Node === node && Voter));
    if (missing.length === 0) return allow(nodes.join(" "));
    waiting.for(`waiting for voters: ${missing.join(" ")}`);
  }
  return deny(
    `not all servers are voters of one cluster after ${seconds} s, missing: ${missing.join(" ")}`,
    "check their logs, addresses and ports",
  );
}
