import { setTimeout as pause } from "node:timers/promises";
import { type ApiEndpoint, consulApi } from "./consul-api";

/** Longer than an election takes. */
const SECONDS = 8;

/**
 * Makes the leader transfer its leadership, and waits until it has done so. Otherwise users would wait for an election when it stops. Consul has this
 * operation since 1.15; an older leader keeps its leadership.
 * @returns whether another server leads
 */
export async function transferLeadership(leader: ApiEndpoint): Promise<boolean> {
  const knownLeader = async (): Promise<string | undefined> => {
    const { ok, output } = await consulApi(leader, ["-f", "/v1/status/leader"]);
    return ok ? output.trim() : undefined;
  };
  const before = await knownLeader();
  const { ok } = await consulApi(leader, ["-f", "-X", "POST", "/v1/operator/raft/transfer-leader"], 10);
  const end = Date.now() + SECONDS * 1000;
  while (ok && before !== undefined && Date.now() < end) {
    const now = await knownLeader();
    if (now !== undefined && now !== before) return true;
    await pause(200);
  }
  return false;
}
