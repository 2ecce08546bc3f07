import { type ChildProcess, spawn } from "node:child_process";
import { commandLine, killProcessesWithEnvironment, processesInGroup, send } from "./processes";

/** How a command is run. */
export interface CommandOptions {
  /** Working directory. @default the current one */
  readonly cwd?: string;
  /** The whole environment of the command. @default this process's own */
  readonly env?: NodeJS.ProcessEnv;
  /** Text for its standard input. @default none */
  readonly input?: string;
  /** Milliseconds after which it and everything it started is killed. @default 120000 */
  readonly timeoutMs?: number;
  /** Throw when it fails. @default true */
  readonly check?: boolean;
}

/** The result of a command. */
export interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
  /** The exit code; 128 + the signal's number or -1 when it did not exit by itself. */
  readonly exitCode: number;
}

/** A command in the background. */
export interface RunningCommand {
  /** Process id of the group's leader, as this machine sees it. */
  readonly pid: number;
  /** Its output so far. */
  readonly stdout: string;
  readonly stderr: string;
  /** Settles when it has ended; never throws for an exit code. */
  readonly finished: Promise<CommandResult>;
  /** Sends a signal to its process group, as Ctrl-C in a terminal does. */
  signal(signal: NodeJS.Signals): void;
  /** SIGKILL to all processes that it started, including those that left its process group. */
  killAll(): void;
}

/** A command that failed, with everything needed to see why. */
export class CommandFailed extends Error {
  constructor(
    readonly command: string,
    readonly result: CommandResult,
    reason?: string,
  ) {
    super(
      [
        `${reason ?? `exit code ${result.exitCode}`} from: ${command}`,
        ...section("stdout", result.stdout),
        ...section("stderr", result.stderr),
      ].join("\n"),
    );
    this.name = "CommandFailed";
  }
}

/**
 * In every command's environment, so that a program that starts its own session (a pseudo terminal) can still be
 * found.
 */
const MARK = "CONSUL_CDKTF_RIG_COMMAND";
const DEFAULT_TIMEOUT_MS = 120_000;
const running = new Set<RunningCommand>();
let commandCount = 0;

/** Runs a command and waits for it. */
export async function run(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const started = start(command, args, options);
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    started.killAll();
  }, timeoutMs);
  const result = await started.finished.finally(() => clearTimeout(timer));
  const shown = [command, ...args].join(" ");
  if (timedOut) throw new CommandFailed(shown, result, `no end after ${timeoutMs / 1000} s, killed`);
  if (options.check !== false && result.exitCode !== 0) throw new CommandFailed(shown, result);
  return result;
}

/** Starts a command and does not wait for it. */
export function start(command: string, args: readonly string[], options: CommandOptions = {}): RunningCommand {
  const mark = `${process.pid}.${Date.now()}.${commandCount++}`;
  const child = spawn(command, [...args], {
    cwd: options.cwd,
    env: { ...(options.env ?? process.env), [MARK]: mark },
    // A group of its own, so that a time-out ends the command's children too.
    detached: true,
    stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
  });
  const output = { stdout: "", stderr: "" };
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (output.stdout += text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
  // A command may end without reading all its input.
  child.stdin?.on("error", () => undefined).end(options.input);

  const signal = (name: NodeJS.Signals) => {
    const group = processesInGroup(child.pid ?? -1);
    // nsenter only waits, and returns the command's exit code; a signal would end it before the command has finished.
    const inside = name === "SIGKILL" ? group : group.filter((pid) => !commandLine(pid).startsWith("nsenter "));
    for (const pid of inside) send(pid, name);
  };
  const handle: RunningCommand = {
    pid: child.pid ?? -1,
    get stdout() {
      return output.stdout;
    },
    get stderr() {
      return output.stderr;
    },
    finished: ended(child, output).finally(() => running.delete(handle)),
    signal,
    killAll: () => {
      signal("SIGKILL");
      killProcessesWithEnvironment(MARK, mark);
    },
  };
  handle.finished.catch(() => undefined);
  running.add(handle);
  return handle;
}

// Commands have their own process groups, so they would otherwise outlive this process.
process.on("exit", () => {
  for (const command of running) command.killAll();
});

function ended(child: ChildProcess, output: { stdout: string; stderr: string }): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const settle = (code: number | null) => resolve({ ...output, exitCode: code ?? -1 });
    child.once("error", reject);
    child.once("close", settle);
    // A daemon that keeps the pipes open must not delay the command's end.
    child.once("exit", (code) => setTimeout(() => settle(code), 2000).unref());
  });
}

function section(title: string, text: string): string[] {
  const tail = text.trimEnd().split("\n").slice(-30).join("\n").slice(-4000);
  return tail ? [`--- ${title} (its end)`, tail] : [];
}
