import type { Project } from "./project";
import type { CommandResult } from "./test-bed/command";

/** Types a command at a terminal, as somebody does who approves what is asked: without one the CDKTF CLI does not ask. */
export function typeAtTerminal(project: Project, command: string): Promise<CommandResult> {
  return project.run("node", ["-e", PERSON, command]);
}

/** util-linux's script gives the command a terminal; its exit status is the command's. */
const PERSON = `
const { spawn } = require("node:child_process");
// In a pipeline the CDKTF CLI draws nothing to answer to; somebody at a terminal is in none.
const { CI, ...env } = process.env;
const terminal = spawn("script", ["-qefc", process.argv[1], "/dev/null"], { env, stdio: ["pipe", "pipe", "inherit"] });
let shown = "";
terminal.stdout.on("data", (text) => {
  process.stdout.write(text);
  const asked = shown.includes("Approve");
  shown += text;
  if (!asked && shown.includes("Approve")) setTimeout(() => terminal.stdin.write("\\r"), 500);
});
terminal.on("exit", (code) => process.exit(code ?? 1));
`;
