/** Takes one line of progress at a time. */
export type Progress = (line: string) => void;

/** Prints nothing. */
export const silent: Progress = () => undefined;

const PATIENCE_MS = 2_000;
const REMINDER_MS = 15_000;

/** Does the work; if it takes longer than two seconds, reports this, repeats it, and reports how long it took. */
export async function timed<T>(progress: Progress, what: string, work: () => Promise<T>): Promise<T> {
  const begun = Date.now();
  const seconds = () => `${((Date.now() - begun) / 1000).toFixed(0)} s`;
  let reminder: NodeJS.Timeout | undefined;
  const first = setTimeout(() => {
    progress(`${what} ...`);
    reminder = setInterval(() => progress(`${what} ... ${seconds()}`), REMINDER_MS);
  }, PATIENCE_MS);
  try {
    const result = await work();
    if (Date.now() - begun > PATIENCE_MS) progress(`${what}: done after ${seconds()}`);
    return result;
  } finally {
    clearTimeout(first);
    clearInterval(reminder);
  }
}
