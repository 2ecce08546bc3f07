import { Background } from "./background";
import type { Credentials } from "./credentials";
import type { Operator } from "./test-bed/operator";

/** What somebody saw who asked every server ten times a second whether it is up. */
export interface Observation {
  readonly looks: number;
  /** How many servers were down at one time, at most. */
  readonly mostDown: number;
  /** Which. */
  readonly together: readonly string[];
}

/** Asks all servers, at the operator's machine, while something happens to them. A server is down when its agent does not answer. */
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
