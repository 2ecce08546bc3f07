import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** What a program took, from its start to its end. */
export interface MeasuredRun {
  readonly seconds: number;
  /** The most memory that it held, in MiB. */
  readonly peakMemory: number;
}

export const PROJECT = join(__dirname, "..");
const PRINT_PEAK_MEMORY = join(__dirname, "print-peak-memory.cjs");

/** Node's arguments that run TypeScript, as cdktf.json gives them for main.ts. */
export function ownRunner(): string[] {
  const { app } = JSON.parse(readFileSync(join(PROJECT, "cdktf.json"), "utf8")) as { app: string };
  return app.split(" ").slice(1, -1);
}

/** Runs one of the project's programs, and measures it. */
export function measureApp(runner: readonly string[], program: string, env: NodeJS.ProcessEnv): Promise<MeasuredRun> {
  return new Promise((resolve, reject) => {
    const begun = performance.now();
    const child = spawn(process.execPath, ["--require", PRINT_PEAK_MEMORY, ...runner, program], {
      cwd: PROJECT,
      env: { ...inheritedEnvironment(), ...env },
      stdio: ["ignore", "ignore", "pipe", "pipe"],
    });
    const [errors, peak] = [child.stderr, child.stdio[3]].map((stream) => {
      const chunks: Buffer[] = [];
      stream?.on("data", (chunk: Buffer) => chunks.push(chunk));
      return chunks;
    });
    let seconds = 0;
    child.once("exit", () => {
      seconds = (performance.now() - begun) / 1000;
    });
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve({ seconds, peakMemory: Number(Buffer.concat(peak ?? [])) / 1024 });
      else reject(new Error(`${program} ended with exit code ${code}:\n${Buffer.concat(errors ?? [])}`));
    });
  });
}

/** This process's environment without what would change what is measured. */
export function inheritedEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(CDKTF_|CLUSTER$|HOSTS$|NODE_OPTIONS$|TF_|DOCKER_)/.test(name)),
  );
}
