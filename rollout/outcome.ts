import { type Clock, Stopwatch } from "./clock";

/**
 * The result of a check. After `unknown`, another agent is asked. If all agents answer `unknown`, the stop is denied.
 */
export type Outcome =
  | { readonly kind: "allow"; readonly reason: string }
  | { readonly kind: "deny"; readonly reason: string; readonly hint: string }
  | { readonly kind: "unknown"; readonly reason: string };

export const allow = (reason: string): Outcome => ({ kind: "allow", reason });
export const deny = (reason: string, hint: string): Outcome => ({ kind: "deny", reason, hint });
export const unknown = (reason: string): Outcome => ({ kind: "unknown", reason });

/** A line for whoever watches the deploy. */
export type Log = (line: string) => void;

/** What a check waits for, and since when. It is logged when it changes. */
export class Waiting {
  /** What it waits for now. */
  reason = "nothing was asked";
  private readonly since: Stopwatch;

  constructor(
    private readonly subject: string,
    clock: Clock,
    private readonly log: Log,
  ) {
    this.since = new Stopwatch(clock);
  }

  for(reason: string): void {
    if (reason === this.reason) return;
    this.log(`${this.subject}: ${reason}`);
    this.reason = reason;
    this.since.restart();
  }

  /** Whether it has waited for the same thing for so many seconds. */
  reached(seconds: number): boolean {
    return this.since.reached(seconds);
  }
}
