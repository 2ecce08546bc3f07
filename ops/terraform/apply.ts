import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readSync } from "node:fs";
import { StringDecoder } from "node:string_decoder";
import { exitCodeOf } from "../process";
import { terraformEnvironment } from "./environment";
import { terraformBinary } from "./terraform";

export interface ApplyOptions {
  /** The stack's. */
  readonly folder: string;
  /** What `terraform plan -out` wrote. */
  readonly plan: string;
  /** A new file for what Terraform prints, in a folder that only this user can open. */
  readonly output: string;
  /** Operations at the same time. Undefined: Terraform's own default. */
  readonly parallelism: number | undefined;
  /** Variables beside those of this process. */
  readonly env: NodeJS.ProcessEnv;
  readonly onLine: (line: string) => void;
}

/** How often the output is read, in milliseconds. */
const READ_MS = 100;

/** A `terraform apply` that runs: it applies exactly what was planned, and asks nothing. */
export class Application {
  private readonly child: ChildProcess;
  private readonly written: number;
  private readonly tail: Tail;

  constructor({ folder, plan, output, parallelism, env, onLine }: ApplyOptions) {
    const words = parallelism === undefined ? [] : [`-parallelism=${parallelism}`];
    // Not a pipe: if this process is killed, Terraform would end at its next line, and lose what it has changed since it
    // last wrote its state.
    this.written = openSync(output, "wx", 0o600);
    this.tail = new Tail(output, onLine);
    this.child = spawn(terraformBinary(), ["apply", "-json", "-input=false", ...words, plan], {
      cwd: folder,
      env: { ...terraformEnvironment(), ...env },
      stdio: ["ignore", this.written, this.written],
      // In a session of its own: Ctrl-C at the terminal reaches this process alone, which stops in good order.
      detached: true,
    });
  }

  /** @returns Terraform's exit code */
  async ended(): Promise<number> {
    const reading = setInterval(() => this.tail.read(), READ_MS);
    try {
      return await exitCodeOf(this.child);
    } finally {
      clearInterval(reading);
      this.tail.end();
      closeSync(this.written);
    }
  }

  /** Terraform ends what it is doing, and starts nothing more. It ends the programs of provisioners at once. */
  interrupt(): void {
    this.child.kill("SIGINT");
  }
}

/** Reads the lines of a file that grows. */
class Tail {
  private readonly file: number;
  private readonly decoder = new StringDecoder("utf8");
  private readonly buffer = Buffer.alloc(64 * 1024);
  private offset = 0;
  private rest = "";

  constructor(
    path: string,
    private readonly onLine: (line: string) => void,
  ) {
    this.file = openSync(path, "r");
  }

  read(): void {
    for (;;) {
      const length = readSync(this.file, this.buffer, 0, this.buffer.length, this.offset);
      if (length === 0) return;
      this.offset += length;
      const lines = (this.rest + this.decoder.write(this.buffer.subarray(0, length))).split("\n");
      this.rest = lines.pop() ?? "";
      lines.forEach(this.onLine);
    }
  }

  end(): void {
    this.read();
    if (this.rest !== "") this.onLine(this.rest);
    closeSync(this.file);
  }
}
