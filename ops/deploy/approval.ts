import { createInterface } from "node:readline/promises";
import type { Terminal } from "../terminal/terminal";

/** Why nobody can be asked; undefined if somebody can. */
export const whyNobodyIsAsked = (command: "deploy" | "destroy"): string | undefined =>
  process.stdin.isTTY
    ? undefined
    : `there is no terminal to ask for approval at; to go on without asking: npm run ${command} -- --auto-approve`;

/** Asks for approval. Only "yes" approves. */
export async function isApproved(question: string, { stderr }: Terminal): Promise<boolean> {
  // Without line editing: Ctrl-C then ends the command as at any other time.
  const questions = createInterface({ input: process.stdin, output: stderr, terminal: false });
  const closed = new Promise<string>((resolve) => questions.once("close", () => resolve("")));
  try {
    return (await Promise.race([questions.question(`${question} Only "yes" is accepted: `), closed])).trim() === "yes";
  } finally {
    questions.close();
  }
}
