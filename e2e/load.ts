import { Background } from "./background";
import type { ConsulHttp } from "./consul";
import type { Credentials } from "./credentials";
import type { Operator } from "./test-bed/operator";

/** What users of a cluster saw during a change or a fault. */
export interface LoadReport {
  /** Part of the keys: load/<run>/<number>; each key's value is its number. */
  readonly run: string;
  /** Number of acknowledged writes, at the first or the second try. */
  readonly written: number;
  /** Number of first tries that failed. */
  readonly failed: number;
  /** Every failure of any user, with its time and message. */
  readonly reasons: readonly string[];
  /** Number of writes that failed through the other agent too: each may have been stored or not. */
  readonly lost: number;
  /** The numbers of those. */
  readonly unacknowledged: readonly number[];
  /** Longest time between two acknowledged writes of one user, in seconds. */
  readonly longestGap: number;
  /** When it ended, as an ISO date: servers' logs tell what happened then. */
  readonly gapEnded: string;
  /** Longest time by which this machine was late to run the users, in seconds: then it was busy, not the cluster. */
  readonly longestStall: number;
  /** How often the session did not exist, or did not hold its lock. */
  readonly sessionLosses: number;
  /** How often neither agent resolved the service, by HTTP or by DNS. */
  readonly unresolved: number;
}

/**
 * Users of a cluster, on the operator's machine. Two write a new key every 50 ms, each through its own agent; they
 * retry a failed write once, a quarter to half a second later, through the other agent. One holds a lock with a
 * session of the first agent. Two look up the service `shop`, by HTTP and by DNS. It is registered with the first
 * agent, unless the cluster file declares it there.
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

/**
 * The acknowledged keys that a server lacks in its own data, or has with another value: the query is stale, so that
 * the leader is not asked.
 */
export async function missingKeys(
  server: ConsulHttp,
  { run, written, lost, unacknowledged }: LoadReport,
): Promise<number[]> {
  const entries: { Key: string; Value: string }[] = await server.json(`/v1/kv/load/${run}/?recurse&stale`);
  const held = new Set(entries.map(({ Key, Value }) => `${Key}=${Buffer.from(Value, "base64")}`));
  const numbers = Array.from({ length: written + lost }, (_, number) => number);
  return numbers.filter((number) => !held.has(`load/${run}/${number}=${number}`) && !unacknowledged.includes(number));
}
