#!/usr/bin/env node
import { CommanderError } from "commander";
import { takeClusterOption } from "./command-line/cluster-option";
import type { Invocation } from "./command-line/command";
import { withPresentNames } from "./command-line/former-names";
import { createProgram } from "./command-line/program";
import { Terminal } from "./terminal/terminal";
import { releaseCheckout } from "./terraform/checkout-lock";

/**
 * Runs a command line of `consul-cdktf`.
 * @param words without the program's name
 * @returns the exit code
 */
export async function main(words: readonly string[], terminal = new Terminal()): Promise<number> {
  let present: readonly string[] = words;
  try {
    // Behind --, maintain has a command of its user's, whose options are its own.
    const separator = words.includes("--") ? words.indexOf("--") : words.length;
    const own = withPresentNames(takeClusterOption(words.slice(0, separator), process.env));
    present = [...own, ...words.slice(separator)];
    const invocation: Invocation = { terminal, words: present.slice(1), exitCode: 0 };
    await createProgram(invocation).parseAsync(present, { from: "user" });
    return invocation.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode;
    const { name, message } = error as Error;
    terminal.log(name === "ClusterError" ? message : `${present[0]}: ${message}`);
    return 1;
  } finally {
    releaseCheckout();
  }
}

if (require.main === module) {
  // A reader such as `head` may end first. The command goes on, and prints to nobody.
  for (const output of [process.stdout, process.stderr])
    output.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
    });
  main(process.argv.slice(2)).then((exitCode) => {
    process.exitCode = exitCode;
  });
}
