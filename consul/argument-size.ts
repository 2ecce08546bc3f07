/**
 * A deploy passes a text to a script as one argument. Linux takes 128 KiB for it (MAX_ARG_STRLEN); the rest is for the
 * script's other arguments.
 */
export const MAX_ARGUMENT_BYTES = 100_000;

/** The size of a text as an argument, in bytes. In the shell's quotes, each quote of it takes four characters. */
export const argumentSize = (text: string): number => Buffer.byteLength(text.replaceAll("'", "'\\''"));
