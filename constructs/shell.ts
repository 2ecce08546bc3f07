/** A word for the shell: as it is if the shell leaves it alone, else in quotes. */
export const shellQuoted = (word: string): string =>
  /^[\w./:=@-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

/** Words as one line for the shell. */
export const shellWords = (words: readonly (string | number)[]): string =>
  words.map((word) => shellQuoted(String(word))).join(" ");
