import { createInterface } from "node:readline/promises";
import { namedAddress } from "../command-line/arguments";
import type { Terminal } from "../terminal/terminal";
import type { NamedAddress, ProjectSettings } from "./template";

/**
 * Asks for a new project's settings, one by one; the given ones are suggested.
 * @throws Error where nobody can be asked, and for an answer that is not valid
 */
export async function askForSettings(given: ProjectSettings, terminal: Terminal): Promise<ProjectSettings> {
  if (!process.stdin.isTTY)
    throw new Error(
      "there is no terminal to ask at; name the servers: init --server consul-server1=10.0.0.11 --server ...",
    );
  const questions = createInterface({ input: process.stdin, output: terminal.stderr });
  const ask = async (question: string, suggested: string) =>
    (await questions.question(`${question}${suggested === "" ? "" : ` [${suggested}]`}: `)).trim() || suggested;
  try {
    const name = await ask("The cluster's name", given.name);
    const servers = hostsIn(await ask("Hosts of servers, three or five, as NAME=ADDRESS", ""));
    const clients = hostsIn(await ask("Hosts of client agents, or nothing", ""));
    const daemon = await ask("Their Docker daemons", given.daemon);
    return { ...given, name, servers, clients, daemon };
  } finally {
    questions.close();
  }
}

/** Separated by commas or spaces. */
const hostsIn = (text: string): NamedAddress[] =>
  text
    .split(/[\s,]+/)
    .filter(Boolean)
    .map(namedAddress);
