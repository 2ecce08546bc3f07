import { join } from "node:path";
import type { Credentials } from "./credentials";
import type { RunningCommand } from "./test-bed/command";
import type { Operator } from "./test-bed/operator";

const START_MS = 30_000;
const STOP_MS = 60_000;

/**
 * A program of e2e that runs beside a test on the operator's machine: it prints a line when it has started, and a line
 * of JSON on SIGTERM.
 */
export class Background<Report> {
  private constructor(private readonly running: RunningCommand) {}

  /** @param operator the operator's machine, on which the program runs, or anything else that starts commands */
  static async start<Report>(
    operator: Pick<Operator, "spawn">,
    program: string,
    args: readonly string[],
    credentials?: Credentials,
  ): Promise<Background<Report>> {
    const env = credentials && { CREDENTIALS: JSON.stringify(credentials) };
    const running = operator.spawn("node", ["--require", "./typescript.cjs", join(__dirname, program), ...args], {
      cwd: join(__dirname, ".."),
      env,
    });
    let ended = false;
    void running.finished.then(() => {
      ended = true;
    });
    const end = Date.now() + START_MS;
    while (running.stdout === "") {
      if (ended || Date.now() > end) {
        running.killAll();
        throw new Error(`${program} did not begin: ${running.stderr}`);
      }
      await new Promise((resume) => setTimeout(resume, 50));
    }
    return new Background<Report>(running);
  }

  async stop(): Promise<Report> {
    this.running.signal("SIGTERM");
    const timer = setTimeout(() => this.running.killAll(), STOP_MS);
    const { stdout, stderr } = await this.running.finished.finally(() => clearTimeout(timer));
    const report = stdout.split("\n").find((line) => line.startsWith("{"));
    if (!report) throw new Error(`ended without a report: ${stderr}`);
    return JSON.parse(report);
  }
}
