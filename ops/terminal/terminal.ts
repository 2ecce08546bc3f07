import { commandsIn } from "../../cluster/chosen-file";

type Output = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly rows?: number; readonly columns?: number };

/** What a command writes to: results go to standard output, everything else to standard error. */
export class Terminal {
  constructor(
    readonly stdout: Output = process.stdout,
    readonly stderr: Output = process.stderr,
  ) {}

  /** A result. */
  readonly print = (text: string): void => void this.stdout.write(`${text}\n`);

  /** A result for programs. */
  readonly printJson = (value: unknown): void => this.print(JSON.stringify(value, null, 2));

  /** Progress, warnings and errors, with the next commands as they are typed for the chosen cluster. */
  readonly log = (line: string): void => void this.stderr.write(`${commandsIn(line)}\n`);
}
