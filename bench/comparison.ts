/** One thing measured for the product, and for what a user would run instead. */
export interface Comparison {
  readonly what: string;
  readonly ours: number;
  /** What a user would run instead. */
  readonly against: string;
  readonly theirs: number;
  readonly unit: "s" | "MiB" | "ms" | "%";
  /** The most that ours may be: as a multiple of theirs, or in the unit. Undefined for what is only shown. */
  readonly aim?: { readonly ratio: number } | { readonly ours: number };
}

/** Ours as a multiple of theirs: less than 1 is better. Undefined where theirs is nothing. */
export const ratio = ({ ours, theirs }: Comparison): number | undefined => (theirs === 0 ? undefined : ours / theirs);

export function isMet(comparison: Comparison): boolean {
  const { ours, theirs, aim } = comparison;
  return aim === undefined || ("ratio" in aim ? ours <= aim.ratio * theirs : ours <= aim.ours);
}

/** Runs all sides in turn, each time in the other order, so that whatever else the machine does meets all. */
export async function interleaved<Side extends string, Result>(
  repetitions: number,
  sides: Readonly<Record<Side, () => Promise<Result>>>,
): Promise<Record<Side, Result[]>> {
  const names = Object.keys(sides) as Side[];
  const results = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Side, Result[]>;
  for (let repetition = 0; repetition < repetitions; repetition++) {
    for (const name of repetition % 2 === 0 ? names : names.toReversed()) results[name].push(await sides[name]());
  }
  return results;
}

/** The middle one, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.slice(Math.ceil(sorted.length / 2) - 1, Math.floor(sorted.length / 2) + 1);
  return middle.reduce((sum, value) => sum + value, 0) / middle.length;
}

/** For what has several modes, of which the middle one would only show whichever came more often. */
export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
