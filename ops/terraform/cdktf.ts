import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { exitCodeOf } from "../process";
import { operationsAtOnce, stacksAtOnce } from "./parallelism";
import { type Manifest, OUTPUT, type Stack } from "./synth";
import { wholeOutput } from "./terraform";

export interface CdktfOptions {
  readonly command: "deploy" | "destroy";
  /** As they are in cdktf.out. */
  readonly stacks: readonly Stack[];
  readonly autoApprove?: boolean;
  /** Stacks at the same time. */
  readonly parallelism?: number;
  /** Operations at the same time in a stack. */
  readonly terraformParallelism?: number;
  /** Further options of the CDKTF CLI. */
  readonly passedOn: readonly string[];
  /** Whether Terraform runs remotely, where it takes no `-parallelism`. */
  readonly cloud: boolean;
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * Runs the CDKTF CLI at this terminal for some of the synthesized stacks.
 * @returns its exit code
 */
export async function cdktf(options: CdktfOptions): Promise<number> {
  const { command, stacks, cloud } = options;
  keepOnly(stacks.map(({ name }) => name));
  const words = [
    command,
    ...stacks.map(({ name }) => name),
    "--skip-synth",
    `--parallelism=${options.parallelism ?? stacksAtOnce(stacks)}`,
  ];
  if (!cloud) words.push(`--terraform-parallelism=${options.terraformParallelism ?? operationsAtOnce(stacks)}`);
  if (options.autoApprove) words.push("--auto-approve");
  words.push(...options.passedOn);
  const quiet = { CHECKPOINT_DISABLE: "1", DISABLE_VERSION_CHECK: "1" };
  const env = { ...process.env, ...quiet, ...wholeOutput(), ...options.env };
  const child = spawn(process.execPath, [cdktfCli(), ...words], { stdio: "inherit", env });
  // Ctrl-C reaches the child too, which completes what it has begun. This process must not end before the child.
  const wait = () => undefined;
  const pass = (signal: NodeJS.Signals) => void child.kill(signal);
  process.on("SIGINT", wait).on("SIGTERM", pass).on("SIGHUP", pass);
  try {
    return await exitCodeOf(child);
  } finally {
    process.off("SIGINT", wait).off("SIGTERM", pass).off("SIGHUP", pass);
  }
}

/** The program of a project's own CDKTF CLI, or of CDK Terrain's. @throws Error if it has neither */
export function cdktfCli(project = process.cwd()): string {
  const found = programOf("cdktf", project) ?? programOf("cdktn", project);
  if (found === undefined) throw new Error("this project has no CDKTF CLI; npm install --save-dev cdktf-cli");
  return found;
}

/** A CLI's program, in the npm package that a project has installed. */
function programOf(name: "cdktf" | "cdktn", project: string): string | undefined {
  try {
    const manifest = require.resolve(`${name}-cli/package.json`, { paths: [project] });
    const { bin } = JSON.parse(readFileSync(manifest, "utf8")) as { bin: Readonly<Record<string, string>> };
    return bin[name] && join(dirname(manifest), bin[name]);
  } catch {
    return undefined;
  }
}

/**
 * Removes all other stacks from CDKTF's manifest. The order among the rest stays, which the CLI's
 * --ignore-missing-stack-dependencies drops.
 */
function keepOnly(names: readonly string[]): void {
  const file = join(OUTPUT, "manifest.json");
  const manifest = JSON.parse(readFileSync(file, "utf8")) as Manifest;
  const kept = Object.entries(manifest.stacks)
    .filter(([name]) => names.includes(name))
    .map(([name, stack]) => {
      const dependencies = stack.dependencies.filter((dependency) => names.includes(dependency));
      return [name, { ...stack, dependencies }];
    });
  writeFileSync(file, JSON.stringify({ ...manifest, stacks: Object.fromEntries(kept) }, null, 2));
}
