import { Background } from "./background";
import type { Credentials } from "./credentials";
import type { Operator } from "./test-bed/operator";

/** What the observer saw, which requests every server's API ten times a second. */
export interface Observation {
  readonly looks: number;
  /** How many servers were down at one time, at most. */
  readonly mostDown: number;
  /** The names of those servers. */
  readonly together: readonly string[];
}

/**
 * Requests all servers' APIs from the operator's machine during a change or a fault. A server is down while its agent
 * sends no response.
 */
export class Observer {
  private constructor(private readonly watch: Background<Observation>) {}

  /** @param servers the servers' HTTP addresses by their names */
  static async start(
    operator: Operator,
    servers: Readonly<Record<string, string>>,
    credentials?: Credentials,
  ): Promise<Observer> {
    const args = Object.entries(servers).map(([name, url]) => `${name}=${url}`);
    return new Observer(await Background.start<Observation>(operator, "users/watch.ts", args, credentials));
  }

  stop(): Promise<Observation> {
    return this.watch.stop();
  }
}
