/** One thing measured for the product, and for what a user would run instead. */
export interface Comparison {
  readonly what: string;
  readonly ours: number;
  /** What a user would run instead. */
  readonly against: string;
  readonly theirs: number;
  readonly unit: "s" | "MiB" | "ms";
  /** The most that ours may be of theirs; undefined for what is only shown. */
  readonly aim?: number;
}

/** Ours as a multiple of theirs: less than 1 is better. */
export const ratio = ({ ours, theirs }: Comparison): number => ours / theirs;

export const isMet = (comparison: Comparison): boolean => comparison.aim === undefined || ratio(comparison) <= comparison.aim;

/** Runs both sides in turn, each time in the other order, so that whatever else the machine does meets both. */
export async function interleaved<Ours, Theirs>(
  repetitions: number,
  runOurs: () => Promise<Ours>,
  runTheirs: () => Promise<Theirs>,
): Promise<{ ours: Ours[]; theirs: Theirs[] }> {
  const runs: { ours: Ours[]; theirs: Theirs[] } = { ours: [], theirs: [] };
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const both = [async () => runs.ours.push(await runOurs()), async () => runs.theirs.push(await runTheirs())];
    for (const run of repetition % 2 === 0 ? both : both.reverse()) await run();
  }
  return runs;
}

/** The middle one, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.slice(Math.ceil(sorted.length / 2) - 1, Math.floor(sorted.length / 2) + 1);
  return middle.reduce((sum, value) => sum + value, 0) / middle.length;
}
