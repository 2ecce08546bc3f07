import { version } from "../../package.json";
import { addBackups } from "./backups";
import { addChanges } from "./changes";
import { DocumentedCommand, type Invocation } from "./command";
import { addCompletion } from "./completion";
import { addInspection } from "./inspection";
import { addMaintenance } from "./maintenance";
import { addProject } from "./project";
import { addSecrets } from "./secrets";
import { addState } from "./state";

/** Exit codes of every command, beside its own. */
export const COMMON_EXIT_CODES = [
  [0, "success"],
  [1, "an error, or wrong options"],
  [130, "ended by Ctrl-C; 128 and the signal's number for any signal"],
] as const;

/** The command line: every command with its arguments, options, examples and exit codes. */
export function createProgram(invocation: Invocation): DocumentedCommand {
  const { stdout, stderr } = invocation.terminal;
  const program = new DocumentedCommand("consul-cdktf", invocation)
    .description("Consul on plain Docker hosts, as a CDKTF stack generator.")
    .usage("COMMAND [options]")
    .version(version, "-V, --version", "print the version")
    .helpCommand("help [COMMAND]", "show the help of a command")
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      getOutHelpWidth: () => stdout.columns ?? 100,
      getErrHelpWidth: () => stderr.columns ?? 100,
    })
    .configureHelp({ commandUsage: (command) => (command as DocumentedCommand).typedUsage() })
    .addHelpText(
      "after",
      [
        "",
        "Every command takes --cluster FILE, the cluster file, as the variable CLUSTER.",
        "In a project, each command is an npm script: npm run COMMAND -- OPTIONS",
      ].join("\n"),
    );
  addProject(program);
  addCompletion(program);
  addChanges(program);
  addSecrets(program);
  addBackups(program);
  addMaintenance(program);
  addInspection(program);
  addState(program);
  return program;
}
