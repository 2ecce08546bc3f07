import { constants } from "node:os";

/** Signals that end a program, and on which it can clean up. */
export const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

type Handler = (signal: NodeJS.Signals) => void;
const handlers: Handler[] = [];
const dispatch: Handler = (signal) => handlers.at(-1)?.(signal);

/**
 * Handles signals until the returned function is called. Of several handlers, the latest alone is called: a command that
 * stops in good order must not be ended by what would clean up its files.
 */
export function handleSignals(handler: Handler): () => void {
  if (handlers.length === 0) for (const signal of SIGNALS) process.on(signal, dispatch);
  handlers.push(handler);
  return () => {
    handlers.splice(handlers.lastIndexOf(handler), 1);
    if (handlers.length === 0) for (const signal of SIGNALS) process.off(signal, dispatch);
  };
}

/** The exit code of a program that a signal ends, as in a shell. */
export const exitCodeOfSignal = (signal: NodeJS.Signals): number => 128 + constants.signals[signal];

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
  process.exit(exitCodeOfSignal(signal));
}
