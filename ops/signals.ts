import { constants } from "node:os";

/** Signals that end a program, and on which it can clean up. */
export const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Ends the program by the signal that it has received, after all listeners of "exit" have cleaned up. The parent sees
 * the signal, as without a handler: npm prints nothing then, and shells have exit code 130 for Ctrl-C. Another signal
 * changes nothing. At a terminal there is a second one: npm passes Ctrl-C on.
 */
export function endBy(signal: NodeJS.Signals): never {
  process.once("exit", () => {
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
  process.exit(128 + constants.signals[signal]);
}
