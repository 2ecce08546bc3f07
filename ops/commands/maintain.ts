import { spawn } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import { commandsIn } from "../../cluster/chosen-file";
import type { Cluster, HostDescription } from "../../cluster/model";
import { didYouMean } from "../../cluster/suggest";
import { sinceText } from "../../rollout/holder";
import { chosenCluster } from "../chosen-cluster";
import { HostMaintenance } from "../maintenance/host-maintenance";
import { exitCodeOf } from "../process";
import { handleSignals } from "../signals";
import type { Terminal } from "../terminal/terminal";
import { releaseCheckout } from "../terraform/checkout-lock";
import { synthesizeBesideOthers } from "../terraform/synth";

export interface MaintainOptions {
  readonly host: string;
  /** Between the beginning and the end. No words: only one of these two is done. */
  readonly command: readonly string[];
  readonly begin?: boolean;
  readonly end?: boolean;
  /** The command restarts the host, and may return before the host is down. */
  readonly reboot?: boolean;
  /** Seconds to wait until the host is back. */
  readonly wait: number;
  readonly json?: boolean;
}

/** How often a host that is down is looked at. */
const LOOK_SECONDS = 2;

interface Outcome {
  readonly exitCode: number;
  /** Why it ended before everything was done. */
  readonly failure?: string;
}

export async function maintain(options: MaintainOptions, terminal: Terminal): Promise<number> {
  const { file, cluster } = chosenCluster(options.json ? undefined : terminal.print);
  const host = hostNamed(cluster, options.host);
  const stacks = await synthesizeBesideOthers();
  const maintenance = new HostMaintenance(cluster, host, stacks, terminal.log);
  // Its requests are read. A deploy in this checkout waits for the lock or the slot, not for this command.
  releaseCheckout();
  const outcome = await carryOut(maintenance, options, terminal.log);
  const since = await maintenance.since().catch(({ message }: Error) => {
    terminal.log(message);
    return "unknown" as const;
  });
  if (options.json) {
    const agents = maintenance.agents.map(({ name, role }) => ({ name, role }));
    const at = typeof since === "number" ? new Date(since * 1000).toISOString() : undefined;
    const inMaintenance = since === "unknown" ? undefined : since !== undefined;
    const { failure } = outcome;
    terminal.printJson({ file, host: host.name, inMaintenance, since: at, agents, failure });
  } else print(host.name, since, outcome, terminal);
  return outcome.exitCode;
}

function hostNamed({ hosts }: Cluster, name: string): HostDescription {
  const found = hosts.find((host) => host.name === name);
  if (found) return found;
  const names = hosts.map((host) => host.name);
  throw new Error(`the cluster has no host ${name}${didYouMean(name, names)}; there are ${names.join(", ")}`);
}

async function carryOut(
  maintenance: HostMaintenance,
  options: MaintainOptions,
  log: (line: string) => void,
): Promise<Outcome> {
  const { begin, end, reboot } = options;
  if (end) return outcomeOf(await endWhenBack(maintenance, new Map(), options, log));
  const failure = await maintenance.begin();
  if (begin || failure !== undefined) return outcomeOf(failure);
  const before = reboot ? await maintenance.starts() : new Map<string, string>();
  const exitCode = await runCommand(options, log);
  if (exitCode !== 0) return logged({ exitCode, failure: `the command ended with exit code ${exitCode}` }, log);
  return outcomeOf(await endWhenBack(maintenance, before, options, log));
}

function logged(outcome: Outcome, log: (line: string) => void): Outcome {
  if (outcome.failure !== undefined) log(outcome.failure);
  return outcome;
}

const outcomeOf = (failure: string | undefined): Outcome => ({ exitCode: failure === undefined ? 0 : 1, failure });

/**
 * Waits for the host, and ends its maintenance.
 * @param before when its containers were started, if they have to be started again
 * @returns why it did not end
 */
async function endWhenBack(
  maintenance: HostMaintenance,
  before: ReadonlyMap<string, string>,
  { wait }: MaintainOptions,
  log: (line: string) => void,
): Promise<string | undefined> {
  const end = Date.now() + wait * 1000;
  for (let last: string | undefined; ; await pause(LOOK_SECONDS * 1000)) {
    const missing = await maintenance.whyDown(before);
    if (missing === undefined) return maintenance.end();
    if (missing !== last) log(`waiting: ${missing}`);
    if (Date.now() > end) return logged(outcomeOf(`${missing}, for ${wait} s`), log).failure;
    last = missing;
  }
}

/** Runs the user's command. Ctrl-C at the terminal reaches it by itself; other signals are passed on. */
async function runCommand({ command, json }: MaintainOptions, log: (line: string) => void): Promise<number> {
  const [program = "", ...args] = command;
  log(`running: ${command.join(" ")}`);
  // With --json, standard output is for the result alone.
  const child = spawn(program, args, { stdio: ["inherit", json ? 2 : "inherit", "inherit"] });
  const release = handleSignals((signal) => {
    if (signal !== "SIGINT") child.kill(signal);
  });
  try {
    return await exitCodeOf(child);
  } catch (error) {
    log(`${program} cannot be started: ${(error as Error).message}`);
    return 127;
  } finally {
    release();
  }
}

function print(host: string, since: number | "unknown" | undefined, { failure }: Outcome, { print }: Terminal): void {
  if (since === "unknown") return;
  if (since === undefined) {
    print(failure === undefined ? `${host} is in use again` : `${host} is not in maintenance`);
    return;
  }
  print(`${host} is in maintenance since ${sinceText(since)}`);
  print(commandsIn(`  when it is over: npm run maintain -- ${host} --end`));
}
