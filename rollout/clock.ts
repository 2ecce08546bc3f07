/** Time, as the checks see it: tests give them one that they turn themselves. */
export interface Clock {
  /** Milliseconds since any moment; it never goes back. */
  now(): number;
  /** @param ms milliseconds */
  sleep(ms: number): Promise<void>;
}

export const SYSTEM_CLOCK: Clock = {
  now: () => process.uptime() * 1000,
  sleep: (ms) => new Promise((done) => setTimeout(done, ms)),
};

/** A deadline, and how long something has been so. */
export class Stopwatch {
  private begun: number;

  constructor(private readonly clock: Clock) {
    this.begun = clock.now();
  }

  /** @param passed milliseconds that count as passed already */
  restart(passed = 0): void {
    this.begun = this.clock.now() - passed;
  }

  /** Whether so many seconds have passed. */
  reached(seconds: number): boolean {
    return this.clock.now() - this.begun >= seconds * 1000;
  }

  /** Sleeps until so many seconds have passed. */
  async until(seconds: number): Promise<void> {
    const rest = this.begun + seconds * 1000 - this.clock.now();
    if (rest > 0) await this.clock.sleep(rest);
  }

  /**
   * Sleeps as long as has passed, a second at most: what is about to happen is seen soon, and what takes long is not asked
   * for all the time.
   */
  async pause(): Promise<void> {
    await this.clock.sleep(Math.min(Math.max(this.clock.now() - this.begun, 125), 1000));
  }
}
