import type { Project } from "./project";
import type { CommandResult } from "./test-bed/command";

/** Types a command at a terminal, and approves when the CDKTF CLI asks, which it does at a terminal only. */
export function typeAtTerminal(project: Project, command: string): Promise<CommandResult> {
  return project.run("node", ["-e", PERSON, command]);
}

/** util-linux's script gives the command a terminal; its exit code is the command's. */
const PERSON = `
const { spawn } = require("node:child_process");
// With CI set, the CDKTF CLI draws no question.
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
