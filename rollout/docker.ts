import { spawn } from "node:child_process";

/** What a docker CLI ended with. */
export interface DockerResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A host's Docker daemon. */
export interface Docker {
  /**
   * Runs one command of the docker CLI.
   * @param args after those that reach the daemon
   * @param seconds until it is killed, which counts as code 124
   * @param input for its standard input. @default none
   */
  run(args: readonly string[], seconds: number, input?: string): Promise<DockerResult>;
}

/** Of the shell's `timeout`: a command that was killed because it took too long. */
export const TIMED_OUT = 124;

/** A daemon that is reached by the docker CLI, which honours the operator's ssh configuration, and TLS folders. */
export class DockerCli implements Docker {
  /**
   * @param daemon arguments of the CLI that reach the daemon
   * @param env of the CLI: see dockerEnvironment
   */
  constructor(
    private readonly daemon: readonly string[],
    private readonly env: NodeJS.ProcessEnv,
    private readonly program = "docker",
  ) {}

  run(args: readonly string[], seconds: number, input = ""): Promise<DockerResult> {
    return new Promise((done) => {
      const cli = spawn(this.program, [...this.daemon, ...args], { env: this.env, stdio: ["pipe", "pipe", "pipe"] });
      let stdout = "";
      let stderr = "";
      let late = false;
      const timer = setTimeout(() => {
        late = true;
        cli.kill("SIGKILL");
      }, seconds * 1000);
      const end = (code: number) => {
        clearTimeout(timer);
        done({ code, stdout, stderr });
      };
      cli.stdout.setEncoding("utf8").on("data", (piece: string) => {
        stdout += piece;
      });
      cli.stderr.setEncoding("utf8").on("data", (piece: string) => {
        stderr += piece;
      });
      cli.once("error", ({ message }) => {
        stderr += message;
        end(127);
      });
      cli.once("close", (code) => end(late ? TIMED_OUT : (code ?? 1)));
      // A command that does not read it ends first.
      cli.stdin.on("error", () => undefined);
      cli.stdin.end(input);
    });
  }
}
