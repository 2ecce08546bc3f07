import { constants } from "node:os";

/** What ends a program that did not ask for it, and that it can put its things away at. */
export const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Ends the program by the signal that it has got, once all who listen for "exit" have put their things away. Whoever waits for it sees
 * the signal, as if nobody had listened: npm says nothing then, and shells have 130 for Ctrl-C. One that is still on its way, as
 * at a terminal the second Ctrl-C that npm passes on, changes nothing.
 */
export function endBy(signal: NodeJS.Signals): never {
  process.once("exit", () => {
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
  process.exit(128 + constants.signals[signal]);
}
