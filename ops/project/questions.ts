import { createInterface } from "node:readline/promises";
import { parseCluster } from "../../cluster/file/load";
import { ClusterError } from "../../cluster/problem";
import { namedAddress } from "../command-line/arguments";
import type { Terminal } from "../terminal/terminal";
import { CLUSTER_FILE, type NamedAddress, type ProjectSettings, projectFiles } from "./template";

/**
 * Asks for a new project's settings at the terminal; the given ones are suggested.
 * @throws Error where nobody can be asked, and if the input ends before the last answer
 */
export async function askAtTerminal(given: ProjectSettings, { stderr, log }: Terminal): Promise<ProjectSettings> {
  if (!process.stdin.isTTY)
    throw new Error(
      "there is no terminal to ask at; name the servers: init --server consul-server1=10.0.0.11 --server ...",
    );
  const questions = createInterface({ input: process.stdin, output: stderr });
  const ended = new Promise<never>((_, reject) =>
    questions.once("close", () => reject(new Error("nothing was written: the answers ended"))),
  );
  // Line editing would take Ctrl-C for the end of the input.
  questions.once("SIGINT", () => process.kill(process.pid, "SIGINT"));
  // It is also closed when all answers are there, and nobody waits any more.
  ended.catch(() => undefined);
  try {
    return await askForSettings(given, (question) => Promise.race([questions.question(question), ended]), log);
  } finally {
    questions.close();
  }
}

/** Stands for the servers until they are asked for: a cluster without any would have errors. */
const EXAMPLE: NamedAddress = { name: "node1", address: "10.0.0.1" };

/**
 * Asks for the settings one by one. An answer with which the cluster file would have errors is asked for again.
 * @param log gets the reason
 */
export async function askForSettings(
  given: ProjectSettings,
  ask: (question: string) => Promise<string>,
  log: Terminal["log"],
): Promise<ProjectSettings> {
  let settings: ProjectSettings = { ...given, servers: [EXAMPLE], clients: [] };
  const set = async (question: string, suggested: string, take: (answer: string) => Partial<ProjectSettings>) => {
    for (;;) {
      const answer = (await ask(`${question}${suggested === "" ? "" : ` [${suggested}]`}: `)).trim() || suggested;
      try {
        const next = { ...settings, ...take(answer) };
        parseCluster(projectFiles(next)[CLUSTER_FILE], CLUSTER_FILE);
        settings = next;
        return;
      } catch (error) {
        for (const reason of reasonsOf(error as Error)) log(`  ${reason}`);
      }
    }
  };
  await set("The cluster's name", given.name, (name) => ({ name }));
  await set("Hosts of servers, three or five, as NAME=ADDRESS", "", (text) => ({ servers: hostsIn(text) }));
  await set("Hosts of client agents, or nothing", "", (text) => ({ clients: hostsIn(text) }));
  await set("Their Docker daemons", given.daemon, (daemon) => ({ daemon }));
  return settings;
}

/** Without locations in a file that is not written yet. */
const reasonsOf = (error: Error): string[] =>
  error instanceof ClusterError
    ? error.problems.map(({ message, hint }) => (hint === undefined ? message : `${message}; ${hint}`))
    : [error.message];

/** Separated by commas or spaces. */
const hostsIn = (text: string): NamedAddress[] =>
  text
    .split(/[\s,]+/)
    .filter(Boolean)
    .map((word) => namedAddress(word));
