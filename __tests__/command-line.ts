import { Writable } from "node:stream";
import { main } from "../ops/main";
import { SIGNALS } from "../ops/signals";
import { Terminal } from "../ops/terminal/terminal";
import { PROJECT } from "./cluster-files";

export interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Surroundings {
  /** Variables that are set while the command runs, beside those of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default: the project's folder. */
  readonly cwd?: string;
  /** Characters on a line of the terminal that standard output is. Default: it is a pipe. */
  readonly columns?: number;
}

/**
 * Runs `consul-cdktf` in this process, which takes no time to start. Only one at a time: variables and the folder are
 * those of the process.
 */
export async function run(
  words: readonly string[],
  { env = {}, cwd = PROJECT, columns }: Surroundings = {},
): Promise<Ended> {
  const before = { env: { ...process.env }, cwd: process.cwd() };
  const outputs = [new Collected(), new Collected()] as const;
  if (columns !== undefined) Object.assign(outputs[0], { isTTY: true, columns });
  Object.assign(process.env, env);
  process.chdir(cwd);
  try {
    const status = await main(words, new Terminal(...outputs));
    return { status, stdout: outputs[0].text, stderr: outputs[1].text };
  } finally {
    process.chdir(before.cwd);
    // `logs` listens until its process ends.
    for (const signal of SIGNALS) process.removeAllListeners(signal);
    // The option --cluster sets a variable.
    for (const name of ["CLUSTER", ...Object.keys(env)]) delete process.env[name];
    Object.assign(process.env, before.env);
  }
}

class Collected extends Writable {
  text = "";

  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}
