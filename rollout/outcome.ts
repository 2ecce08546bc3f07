import { type Clock, Stopwatch } from "./clock";
import { LEADERLESS_SECONDS } from "./limits";

/**
 * The result of a check. After `unknown`, another agent is asked. If all agents answer `unknown`, the stop is denied.
 */
export type Outcome =
  | { readonly kind: "allow"; readonly reason: string }
  | { readonly kind: "deny"; readonly reason: string; readonly hint: string }
  | { readonly kind: "unknown"; readonly reason: string };
export type Denial = Extract<Outcome, { kind: "deny" }>;

export const allow = (reason: string): Outcome => ({ kind: "allow", reason });
export const deny = (reason: string, hint: string): Denial => ({ kind: "deny", reason, hint });
export const unknown = (reason: string): Outcome => ({ kind: "unknown", reason });

/** What is told about an outcome: its reason, and after a denial what to do. */
export const told = (outcome: Outcome): string =>
  outcome.kind === "deny" ? `${outcome.reason}; hint: ${outcome.hint}` : outcome.reason;

/** A line for whoever watches the deploy. */
export type Log = (line: string) => void;

/** What else decides about a stop while the cluster is asked. */
export interface Meanwhile {
  /** Denies the stop, whatever the check waits for. */
  ended(): Denial | undefined;
  /** Whether something else has not decided yet: until then nothing is allowed. */
  isUndecided(): boolean;
}

/** What the checks of a queue wait for, one after the other. */
export interface WaitRecord extends Meanwhile {
  /** For how many milliseconds the last check has waited for the same; 0 if it waited for something else. */
  lasted(reason: string): number;
  /** A check waits for this now. */
  begin(reason: string): void;
  /** Calls the check of an agent, if it is in a queue, to the queue's head. */
  call(owner: string): void;
}

const NO_RECORD: WaitRecord = {
  lasted: () => 0,
  begin: () => undefined,
  call: () => undefined,
  ended: () => undefined,
  isUndecided: () => false,
};

/** How many agents a check that waits for them calls, the earliest first. */
const MOST_CALLED = 3;

/** What a check waits for, and since when. It is logged when it changes. */
export class Waiting {
  /** What it waits for now. */
  reason = "nothing was asked";
  private logged: string | undefined;
  private hasBegun = false;
  private readonly since: Stopwatch;
  /** Since when the asked agent has not given all answers. */
  private silent: Stopwatch | undefined;

  constructor(
    private readonly subject: string,
    private readonly clock: Clock,
    private readonly log: Log,
    private readonly record = NO_RECORD,
  ) {
    this.since = new Stopwatch(clock);
  }

  /**
   * If the check before this one in the queue waited for the same until its time was up, this one does not wait as long
   * again: in a queue of a hundred, the last would be denied hours later.
   * @param anew whether the time counts from now in any case
   */
  for(reason: string, { anew = false } = {}): void {
    this.tell(reason);
    if (reason === this.reason) return;
    const passed = anew || this.hasBegun ? 0 : this.record.lasted(reason);
    if (passed === 0) this.record.begin(reason);
    this.reason = reason;
    this.hasBegun = true;
    this.since.restart(passed);
  }

  /**
   * Waits for agents that are being replaced. One of them may be behind this check in its queue: a deploy that was killed
   * left it the lock or the slot, which only its own replacement releases.
   */
  forOwners(owners: readonly string[], worded: (names: string) => string): void {
    const first = owners.slice(0, MOST_CALLED);
    const reason = worded(first.join(", "));
    if (reason !== this.reason) for (const owner of first) this.record.call(owner);
    this.for(reason);
  }

  /**
   * The asked agent does not tell something. What was waited for before is still waited for, and its time goes on: with
   * a leader lost every few minutes, it would never be up.
   * @returns `unknown` if it has not told one thing or another for longer than an election takes
   */
  untold(reason: string): Outcome | "waiting" {
    this.tell(reason);
    this.silent ??= new Stopwatch(this.clock);
    if (!this.silent.reached(LEADERLESS_SECONDS)) return "waiting";
    // Nothing was ready meanwhile: the next check's time begins anew.
    this.record.begin(reason);
    return unknown(reason);
  }

  /**
   * Repeats a look until there is an answer, or nobody waits for one any more. A look that allows the stop while something
   * else is undecided is repeated, because what it has seen would be old.
   * @param pause until the next look
   */
  async until(look: () => Promise<Outcome | "waiting">, pause: () => Promise<void>): Promise<Outcome> {
    for (; ; await pause()) {
      const isUndecided = this.record.isUndecided();
      const answer = this.record.ended() ?? (await look());
      if (answer !== "waiting" && !(isUndecided && answer.kind === "allow")) return answer;
    }
  }

  private tell(reason: string): void {
    if (reason !== this.logged) this.log(`${this.subject}: ${reason}`);
    this.logged = reason;
  }

  /** The asked agent has told everything. */
  answered(): void {
    this.silent = undefined;
  }

  /** Whether it has waited for the same thing for so many seconds. */
  reached(seconds: number): boolean {
    return this.since.reached(seconds);
  }
}
