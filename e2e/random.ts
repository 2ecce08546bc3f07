/** Pseudo-random numbers that are the same for the same seed (mulberry32), so that a failed run can be repeated. */
export class Random {
  private constructor(private state: number) {}

  /** Takes the seed from E2E_SEED, or else from the time, and prints it. */
  static seeded(): Random {
    const seed = Number(process.env.E2E_SEED ?? Date.now() % 1_000_000);
    process.stderr.write(`    E2E_SEED=${seed}\n`);
    return new Random(seed);
  }

  /** At least 0, and less than 1. */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let word = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    word = (word + Math.imul(word ^ (word >>> 7), 61 | word)) ^ word;
    return ((word ^ (word >>> 14)) >>> 0) / 2 ** 32;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.next() * choices.length)] as T;
  }
}
