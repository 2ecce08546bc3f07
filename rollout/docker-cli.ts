import { type ChildProcess, type ChildProcessByStdio, type StdioOptions, spawn } from "node:child_process";
import { homedir } from "node:os";
import { resolve } from "node:path";
import type { Readable, Writable } from "node:stream";
import { dockerArguments } from "../consul/docker-arguments";
import type { Docker, DockerOptions, DockerResult } from "./docker";
import { endOf } from "./program";
import type { ExecTarget } from "./request";

/** Where the docker CLI runs. */
export interface Operator {
  /** The docker CLI's environment. */
  readonly env: NodeJS.ProcessEnv;
  /** The folder that relative paths begin at: of a request, its stack's folder. */
  readonly folder: string;
}

export interface CliOptions extends DockerOptions {
  /** An open file for its standard input, in place of `input`. */
  readonly inputFile?: number;
  /** An open file for its standard output; the result then has none. */
  readonly outputFile?: number;
}

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const cli of running) cli.kill("SIGKILL");
});

/** No docker CLI outlives the program: what a killed Terraform has asked for must not go on. */
export function endedWithProgram<Cli extends ChildProcess>(cli: Cli): Cli {
  running.add(cli);
  return cli.once("close", () => running.delete(cli)).once("error", () => running.delete(cli));
}

export const NO_CLI = "there is no docker CLI on the PATH, by which agents are reached";

/** Why the docker CLI did not start. */
export const startFailure = ({ message }: Error): string => (message.includes("ENOENT") ? NO_CLI : message);

/** A host's daemon by the docker CLI, which honours the operator's ssh configuration and credential helpers. */
export class DockerCli implements Docker {
  /**
   * @param reach arguments that reach the daemon: `-H ssh://root@10.0.0.11`
   * @param env the CLI's environment
   */
  constructor(
    private readonly reach: readonly string[],
    readonly env: NodeJS.ProcessEnv,
    private readonly program = "docker",
  ) {}

  /** The CLI that reaches a daemon. `~` is the operator's home folder. */
  static of({ daemon, certs }: Pick<ExecTarget, "daemon" | "certs">, { env, folder }: Operator): DockerCli {
    const path = certs?.replace(/^~(?=\/|$)/, homedir());
    return new DockerCli(dockerArguments(daemon, path && resolve(folder, path)), env);
  }

  /** The program and all its arguments. */
  command(args: readonly string[]): readonly [string, ...string[]] {
    return [this.program, ...this.reach, ...args];
  }

  /** Starts the CLI, which ends with this program. */
  start(args: readonly string[]): ChildProcessByStdio<Writable, Readable, Readable>;
  start(args: readonly string[], stdio: StdioOptions): ChildProcess;
  start(args: readonly string[], stdio: StdioOptions = "pipe"): ChildProcess {
    const [program, ...words] = this.command(args);
    return endedWithProgram(spawn(program, words, { env: this.env, stdio }));
  }

  async run(args: readonly string[], options: CliOptions = {}): Promise<DockerResult> {
    const { input, inputFile = "pipe", outputFile = "pipe", seconds = 60 } = options;
    const cli = this.start(args, [inputFile, outputFile, "pipe"]);
    // A CLI that ends before it has read everything says why itself.
    cli.stdin?.on("error", () => undefined);
    cli.stdin?.end(input);
    try {
      const { code, signal, output, error: errorOutput, timedOut } = await endOf(cli, seconds);
      if (code === 0) return { ok: true, output, error: "", errorOutput };
      const reason = timedOut ? `no answer within ${seconds} s` : errorOutput.trim() || `ended with ${signal ?? code}`;
      return { ok: false, output, error: reason, errorOutput };
    } catch (error) {
      return { ok: false, output: "", error: startFailure(error as Error), errorOutput: "" };
    }
  }
}
