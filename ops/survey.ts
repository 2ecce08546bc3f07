import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Cluster } from "../cluster/cluster";
import { STACKS_OUTPUT } from "../cluster/ids";
import { describeProblem, type Problem } from "../cluster/problem";
import { backendBlock } from "../constructs/state-backend";
import { type Arguments, select } from "./arguments";
import { type Around, around } from "./around";
import { progress } from "./command";
import { guard } from "./guard";
import { unreachable } from "./hosts";
import { parallel } from "./parallel";
import { stacksAtOnce } from "./parallelism";
import { inScratch } from "./scratch";
import { readState, type StackState } from "./state";
import { OUTPUT, type Stack, synthesize } from "./synth";

/** What is known before anything is planned or deployed. */
export interface Survey {
  /** Those that the command is about. */
  readonly stacks: readonly Stack[];
  /** By stack's name, of all stacks. */
  readonly states: ReadonlyMap<string, StackState>;
  /** What the file may not mean for what is there, but for what has been accepted. */
  readonly problems: readonly Problem[];
  readonly around: Around;
  /** Why a host does not answer, by its name. */
  readonly dead: ReadonlyMap<string, string>;
}

/**
 * Synthesizes, reads what is there, and asks every host whether it answers; touches nothing.
 * @throws for a stack or host that is not there, and when the state cannot be read
 */
export async function survey(cluster: Cluster, args: Arguments): Promise<Survey> {
  const hosts = cluster.hosts.map(({ name }) => name);
  const without = args.without.length > 0 ? select("host", hosts, args.without) : [];
  for (const warning of cluster.warnings) progress(describeProblem(warning, cluster.locate));
  progress(`looking at ${hosts.length} hosts and at the state`);
  const [all, dead] = await Promise.all([synthesize(), unreachable(cluster.hosts.filter(({ name }) => !without.includes(name)))]);
  const names = select(
    "stack",
    all.map(({ name }) => name),
    args.stacks,
  );

  const states = new Map<string, StackState>();
  await parallel(all, stacksAtOnce(all), async ({ name, folder }) => void states.set(name, await readState(folder)));
  const listed = states.get(cluster.name)?.outputs[STACKS_OUTPUT];
  for (const name of (Array.isArray(listed) ? listed.map(String) : []).filter((one) => !states.has(one))) {
    states.set(name, await stateOfGone(cluster, name));
  }
  return {
    stacks: all.filter(({ name }) => names.includes(name)),
    states,
    problems: guard(cluster, all, states).filter(({ code }) => !args.accept.includes(code)),
    around: around(cluster, names, new Set(dead.keys()), without),
    dead,
  };
}

/** What to do about hosts that do not answer and hold up others. */
export function blockedText(command: "diff" | "deploy", { around: { blocked }, dead }: Survey): string {
  const named = blocked.map((host) => `host "${host}" does not answer: ${dead.get(host)}`);
  const options = blocked.map((host) => `--without ${host}`).join(" ");
  return [...named, `Its stack holds others too. Mend it, or leave it alone for now: npm run ${command} -- ${options}`].join("\n");
}

/** The state of a stack that is not synthesized any more, by nothing but its backend. */
function stateOfGone({ backend }: Cluster, stack: string): Promise<StackState> {
  return inScratch(join(OUTPUT, "stacks", ".gone-"), async (folder) => {
    writeFileSync(join(folder, "cdk.tf.json"), JSON.stringify(backendBlock(backend, stack)));
    return readState(folder);
  });
}
