import { type ChildProcess, spawn } from "node:child_process";
import type { Docker, DockerOptions, DockerResult } from "./docker";

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const cli of running) cli.kill("SIGKILL");
});

/** No docker CLI outlives the program: what a killed Terraform has asked for must not go on. */
export function endedWithProgram<Cli extends ChildProcess>(cli: Cli): Cli {
  running.add(cli);
  return cli.once("close", () => running.delete(cli)).once("error", () => running.delete(cli));
}

export const NO_CLI = "the docker CLI is needed where Terraform runs, for the checks of agents";

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
    private readonly env: NodeJS.ProcessEnv,
    private readonly program = "docker",
  ) {}

  run(args: readonly string[], { input, seconds = 60 }: DockerOptions = {}): Promise<DockerResult> {
    return new Promise((done) => {
      const words = [...this.reach, ...args];
      const cli = endedWithProgram(spawn(this.program, words, { env: this.env, stdio: ["pipe", "pipe", "pipe"] }));
      let output = "";
      let complaint = "";
      const end = (ok: boolean, error: string): void => {
        clearTimeout(timer);
        done({ ok, output, error, errorOutput: complaint });
      };
      // Its own children, such as ssh, may keep the pipes open. Asked to end, it would wait some seconds for the ssh.
      const timer = setTimeout(() => {
        cli.kill("SIGKILL");
        cli.stdout.destroy();
        cli.stderr.destroy();
        end(false, `no answer within ${seconds} s`);
      }, seconds * 1000);
      cli.stdout.setEncoding("utf8").on("data", (text: string) => {
        output += text;
      });
      cli.stderr.setEncoding("utf8").on("data", (text: string) => {
        complaint += text;
      });
      cli.once("error", (error) => end(false, startFailure(error)));
      cli.once("close", (code, signal) =>
        end(code === 0, code === 0 ? "" : complaint.trim() || `ended with ${signal ?? code}`),
      );
      // A CLI that ends before it has read everything says why itself.
      cli.stdin.on("error", () => undefined);
      cli.stdin.end(input);
    });
  }
}
