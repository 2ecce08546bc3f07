import { Background } from "./background";
import type { ConsulHttp } from "./consul";
import type { Credentials } from "./credentials";
import type { Operator } from "./test-bed/operator";

/** What users of a cluster saw while it was changed. */
export interface LoadReport {
  /** Under which the keys are: load/<run>/<number>, each with its number for its value. */
  readonly run: string;
  /** Keys whose write was acknowledged, at the first or the second try. */
  readonly written: number;
  /** First tries that failed. */
  readonly failed: number;
  /** Every failure, of whichever user: when it was, and what it said. */
  readonly reasons: readonly string[];
  /** Writes that failed through the other agent too: they may have come through or not. */
  readonly lost: number;
  /** The numbers of those. */
  readonly unacknowledged: readonly number[];
  /** Longest time between two acknowledged writes of one user, in seconds. */
  readonly longestGap: number;
  /** How often the session was found gone, or without its lock. */
  readonly sessionLosses: number;
  /** How often neither agent resolved the service, by HTTP or by DNS. */
  readonly unresolved: number;
}

/**
 * Users of a cluster, at the operator's machine. Two write a new key every 50 ms, each through its own agent; what fails they try once more a
 * quarter to half a second later, through the other. One holds a lock with a session of the first agent's. Two look up the service `shop`, by HTTP and by DNS, which
 * is registered with the first agent, unless the cluster file declares it there.
 */
export class Load {
  private constructor(private readonly users: Background<LoadReport>) {}

  static async start(
    operator: Operator,
    agents: readonly [string, string],
    credentials?: Credentials,
    declared = false,
  ): Promise<Load> {
    const args = declared ? [...agents, "declared"] : agents;
    return new Load(await Background.start<LoadReport>(operator, "users/load.ts", args, credentials));
  }

  stop(): Promise<LoadReport> {
    return this.users.stop();
  }
}

/** The acknowledged keys that a server has not, or not as they were written, in its own data: it is asked without going to the leader. */
export async function missingKeys(
  server: ConsulHttp,
  { run, written, lost, unacknowledged }: LoadReport,
): Promise<number[]> {
  const entries: { Key: string; Value: string }[] = await server.json(`/v1/kv/load/${run}/?recurse&stale`);
  const held = new Set(entries.map(({ Key, Value }) => `${Key}=${Buffer.from(Value, "base64")}`));
  const numbers = Array.from({ length: written + lost }, (_, number) => number);
  return numbers.filter((number) => !held.has(`load/${run}/${number}=${number}`) && !unacknowledged.includes(number));
}
