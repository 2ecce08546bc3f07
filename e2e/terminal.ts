import type { Project } from "./project";
import type { CommandOptions, CommandResult } from "./test-bed/command";

/**
 * Types a command at a terminal, and approves whenever a deploy, the CDKTF CLI or docker asks.
 * @param answers to the questions of deploys, one after the other, if they are not all yes
 */
export function typeAtTerminal(
  project: Project,
  command: string,
  options: CommandOptions = {},
  answers: readonly string[] = [],
): Promise<CommandResult> {
  return project.run("node", ["-e", PERSON, command, ...answers], options);
}

/** util-linux's script gives the command a terminal; its exit code is the command's. */
const PERSON = `
const { spawn } = require("node:child_process");
// With CI set, the CDKTF CLI draws no question.
const { CI, ...env } = process.env;
const terminal = spawn("script", ["-qefc", process.argv[1], "/dev/null"], { env, stdio: ["pipe", "pipe", "inherit"] });
const answer = (text) => setTimeout(() => terminal.stdin.write(text), 500);
let shown = "";
let asked = 0;
let confirmed = 0;
const answers = process.argv.slice(2);
terminal.stdout.on("data", (text) => {
  process.stdout.write(text);
  const drawn = shown.includes("Approve");
  shown += text;
  // The CDKTF CLI draws its question again and again.
  if (!drawn && shown.includes("Approve")) answer("\\r");
  const questions = shown.split('Only "yes" is accepted: ').length - 1;
  if (questions > asked) answer((answers[asked] ?? "yes") + "\\r");
  asked = questions;
  const confirmations = shown.split("[y/N] ").length - 1;
  if (confirmations > confirmed) answer("y\\r");
  confirmed = confirmations;
});
terminal.on("exit", (code) => process.exit(code ?? 1));
`;
