import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Cluster } from "../../cluster/model";
import { describeProblem, type Problem } from "../../cluster/problem";
import { stackNames } from "../../cluster/resolve/stacks";
import { STACKS_OUTPUT } from "../../consul/contract";
import { progress } from "../command";
import { unreachable } from "../docker/hosts";
import { parallel } from "../parallel";
import { stacksAtOnce } from "../terraform/parallelism";
import { readState, readStateByBackend, type StackState } from "../terraform/state";
import { type Stack, synthesize } from "../terraform/synth";
import { type Arguments, select } from "./arguments";
import { leaveOut } from "./exclusions";
import { guard } from "./guard";
import { around, type Exclusions } from "./skipped";

/** What is known before anything is planned or deployed. */
export interface Preflight {
  /** Those that the command is about. */
  readonly stacks: readonly Stack[];
  /** By stack's name, of all stacks. */
  readonly states: ReadonlyMap<string, StackState>;
  /** What the file may not mean for what is there, but for what has been accepted. */
  readonly problems: readonly Problem[];
  readonly around: Exclusions;
  /** Where hosts are left out of some stack: all else that there is, by addresses, stack by stack. Empty otherwise. */
  readonly targets: ReadonlyMap<string, readonly string[]>;
  /** Why a host does not answer, by its name. */
  readonly dead: ReadonlyMap<string, string>;
}

/**
 * Synthesizes, reads what is there, and asks every host whether it answers; changes nothing but what is synthesized.
 * @throws for a stack or host that is not there, and when the state cannot be read
 */
export async function preflight(cluster: Cluster, args: Arguments): Promise<Preflight> {
  const hosts = cluster.hosts.map(({ name }) => name);
  const without = args.without.length > 0 ? select("host", hosts, args.without) : [];
  const names = select("stack", stackNames(cluster.name, cluster.hosts), args.stacks);
  for (const warning of cluster.warnings) progress(describeProblem(warning));
  progress(`looking at ${hosts.length} hosts and at the state`);
  const [all, dead] = await Promise.all([
    synthesize(),
    unreachable(cluster.hosts.filter(({ name }) => !without.includes(name))),
  ]);
  const states = new Map<string, StackState>();
  await parallel(all, stacksAtOnce(all), async ({ name, folder }) => void states.set(name, await readState(folder)));
  const listed = states.get(cluster.name)?.outputs[STACKS_OUTPUT];
  for (const name of (Array.isArray(listed) ? listed.map(String) : []).filter((one) => !states.has(one))) {
    states.set(name, await readStateByBackend(cluster.backend, name));
  }
  const stacks = all.filter(({ name }) => names.includes(name));
  const possible = around(cluster, names, new Set(dead.keys()), without);
  return {
    stacks,
    states,
    problems: guard(cluster, all, states).filter(({ code }) => !args.accept.includes(code)),
    around: possible,
    targets: cutOut(stacks, states, possible),
    dead,
  };
}

/** Leaves hosts out of what has been synthesized. */
function cutOut(stacks: readonly Stack[], states: Preflight["states"], { hosts }: Exclusions): Preflight["targets"] {
  if (hosts.size === 0) return new Map();
  return new Map(
    stacks.map(({ name, folder, json }) => {
      const { json: cut, targets } = leaveOut(
        json,
        states.get(name) ?? { outputs: {}, resources: [] },
        hosts.get(name) ?? [],
      );
      writeFileSync(join(folder, "cdk.tf.json"), JSON.stringify(cut, null, 2));
      return [name, targets];
    }),
  );
}

/** What to do about hosts that do not answer and hold up others. */
export function blockedText(command: "diff" | "deploy", { around: { blocked }, dead }: Preflight): string {
  const hosts = [...blocked.values()].flat();
  const named = hosts.map((host) => `host "${host}" does not answer: ${dead.get(host)}`);
  const options = hosts.map((host) => `--without ${host}`).join(" ");
  return [
    ...named,
    `Its stack holds others too. Mend it, or leave it alone for now: npm run ${command} -- ${options}`,
  ].join("\n");
}
