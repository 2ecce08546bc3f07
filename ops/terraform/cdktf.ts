import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import type { Arguments } from "../deploy/arguments";
import { operationsAtOnce, stacksAtOnce } from "./parallelism";
import { type Manifest, OUTPUT, type Stack } from "./synth";
import { wholeOutput } from "./terraform";

const CDKTF = join(__dirname, "../../node_modules/.bin/cdktf");

export interface CdktfOptions {
  readonly command: "deploy" | "destroy";
  /** As they stand in cdktf.out. */
  readonly stacks: readonly Stack[];
  readonly args: Arguments;
  /** Whether Terraform runs elsewhere, which takes no -parallelism. */
  readonly cloud: boolean;
  readonly env?: NodeJS.ProcessEnv;
}

/** Runs the CDKTF CLI at this terminal for some of the stacks that have been synthesized, and says how it ended. */
export function cdktf({ command, stacks, args, cloud, env }: CdktfOptions): Promise<number> {
  keepOnly(stacks.map(({ name }) => name));
  const operations = args.terraformParallelism ?? operationsAtOnce(stacks);
  const words = [
    command,
    ...stacks.map(({ name }) => name),
    "--skip-synth",
    `--parallelism=${args.parallelism ?? stacksAtOnce(stacks)}`,
    ...(cloud ? [] : [`--terraform-parallelism=${operations}`]),
    ...args.passedOn,
  ];
  const quiet = { CHECKPOINT_DISABLE: "1", DISABLE_VERSION_CHECK: "1" };
  const child = spawn(CDKTF, words, { stdio: "inherit", env: { ...process.env, ...quiet, ...wholeOutput(), ...env } });
  // Ctrl-C reaches the child too, which finishes what it has begun; whoever waits for it must not be gone first.
  const wait = () => undefined;
  const pass = (signal: NodeJS.Signals) => void child.kill(signal);
  process.on("SIGINT", wait).on("SIGTERM", pass).on("SIGHUP", pass);
  return new Promise((done, refuse) => {
    child.once("error", refuse);
    child.once("close", (code, signal) => {
      process.off("SIGINT", wait).off("SIGTERM", pass).off("SIGHUP", pass);
      done(code ?? 128 + (signal ? constants.signals[signal] : 0));
    });
  });
}

/** Some stacks without the others: the order among them stays. (The CLI's --ignore-missing-stack-dependencies drops all order.) */
function keepOnly(names: readonly string[]): void {
  const file = join(OUTPUT, "manifest.json");
  const manifest = JSON.parse(readFileSync(file, "utf8")) as Manifest;
  const kept = Object.entries(manifest.stacks)
    .filter(([name]) => names.includes(name))
    .map(([name, stack]) => [
      name,
      { ...stack, dependencies: stack.dependencies.filter((dependency) => names.includes(dependency)) },
    ]);
  writeFileSync(file, JSON.stringify({ ...manifest, stacks: Object.fromEntries(kept) }, null, 2));
}
