import type { ChildProcess } from "node:child_process";

/** What a program wrote, and how it ended. */
export interface ProgramEnd {
  /** Null if a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Empty where it writes to a file. */
  readonly output: string;
  readonly error: string;
  /** Whether it was killed because its time was up. */
  readonly timedOut: boolean;
}

/**
 * Waits until a program ends.
 * @param seconds after which it is killed. @default never
 * @throws Error when it cannot be started
 */
export function endOf(program: ChildProcess, seconds?: number): Promise<ProgramEnd> {
  return new Promise((done, fail) => {
    let output = "";
    let error = "";
    let timer: NodeJS.Timeout | undefined;
    const end = (how: Pick<ProgramEnd, "code" | "signal" | "timedOut">): void => {
      clearTimeout(timer);
      done({ output, error, ...how });
    };
    // Its own children, such as ssh, may keep the pipes open. Asked to end, it might wait some seconds for them.
    const giveUp = (): void => {
      program.kill("SIGKILL");
      program.stdout?.destroy();
      program.stderr?.destroy();
      end({ code: null, signal: "SIGKILL", timedOut: true });
    };
    if (seconds !== undefined) timer = setTimeout(giveUp, seconds * 1000);
    program.stdout?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    program.stderr?.setEncoding("utf8").on("data", (text: string) => {
      error += text;
    });
    program.once("error", (reason) => {
      clearTimeout(timer);
      fail(reason);
    });
    program.once("close", (code, signal) => end({ code, signal, timedOut: false }));
  });
}
