import { readFileSync } from "node:fs";

/** Processes of the machine where Terraform runs. */
export interface Processes {
  /** With its arguments; "" if it is unknown. */
  commandLine(pid: number): string;
  isAlive(pid: number): boolean;
  /**
   * When it started, as a word for a file name: a later process with the same id has another one. "" if it is unknown.
   */
  startOf(pid: number): string;
}

/** Linux has /proc; elsewhere, on macOS, there is `ps`. */
export class SystemProcesses implements Processes {
  constructor(
    private readonly proc = "/proc",
    private readonly ps = "ps",
  ) {}

  commandLine(pid: number): string {
    const words = textOf(`${this.proc}/${pid}/cmdline`);
    return words === undefined ? this.askPs(pid, "args=") : words.replaceAll("\0", " ").trim();
  }

  isAlive(pid: number): boolean {
    try {
      process.kill(pid, 0);
    } catch (error) {
      // It exists, and is another user's.
      return (error as NodeJS.ErrnoException).code === "EPERM";
    }
    // One that has ended is listed until its parent has taken notice, which some containers' first process never does.
    const [state = this.askPs(pid, "stat=")] = this.status(pid) ?? [];
    return !state.startsWith("Z");
  }

  startOf(pid: number): string {
    const start = this.status(pid)?.[19];
    return (start ?? this.askPs(pid, "lstart=")).replace(/[^A-Za-z0-9]+/g, "-");
  }

  /** The state, and what follows it (proc(5)); the program's name in front of it, in parentheses, may contain anything. */
  private status(pid: number): string[] | undefined {
    const text = textOf(`${this.proc}/${pid}/stat`);
    return text?.slice(text.lastIndexOf(")") + 2).split(" ");
  }

  private askPs(pid: number, column: string): string {
    // Loaded here, because a check that waits where there is /proc has no need of it.
    const { execFileSync } = require("node:child_process") as typeof import("node:child_process");
    try {
      // The whole line, whatever the width of a terminal; and one format for all programs that ask.
      const env = { ...process.env, LC_ALL: "C", TZ: "UTC" };
      const stdio = ["ignore", "pipe", "ignore"] as const;
      return execFileSync(this.ps, ["-ww", "-o", column, "-p", String(pid)], {
        env,
        encoding: "utf8",
        stdio: [...stdio],
      }).trim();
    } catch {
      return "";
    }
  }
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
