/** What a deploy hands to a script is one argument, of which Linux takes 128 KiB (MAX_ARG_STRLEN); the rest is for the script's other ones. */
export const MOST_BYTES = 100_000;

/** How large a text is as an argument, in bytes: the shell's quotes make four characters of each quote in it. */
export const argumentSize = (text: string): number => Buffer.byteLength(text.replaceAll("'", "'\\''"));
