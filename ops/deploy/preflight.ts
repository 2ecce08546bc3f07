import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ProblemCode } from "../../cluster/catalogue";
import type { Cluster } from "../../cluster/model";
import { describeProblem, type Problem } from "../../cluster/problem";
import { stackNames } from "../../cluster/resolve/stacks";
import { STACK_JSON, STACKS_OUTPUT } from "../../consul/contract";
import type { ListedContainer } from "../docker/container";
import { hostContainers } from "../docker/hosts";
import { unsavedStates } from "../inspect/unsaved-state";
import { checkoutWarnings, locationsOf } from "../project/locations";
import { select } from "../select";
import { count } from "../terminal/format";
import { lockError } from "../terraform/running-deploys";
import { readStateByBackend, readStates, type StackState } from "../terraform/state";
import { type Stack, synthesize } from "../terraform/synth";
import { contradictedSettings, keptLogOptions } from "./daemon-defaults";
import { excludeHosts } from "./exclude-hosts";
import { type Exclusions, exclusionsOf } from "./exclusions";
import { guard } from "./guard";
import { secondContainers } from "./second-containers";
import { staleSecrets } from "./stale-secrets";
import { newDaemons, witnesses } from "./witnesses";

/** What of a cluster is planned or deployed. */
export interface Selection {
  /** Names of stacks, or patterns with `*`. None: all. */
  readonly stacks: readonly string[];
  /** Hosts to skip: names, or patterns with `*`. */
  readonly without: readonly string[];
  /** Problems that are allowed for this deploy. */
  readonly allow: readonly ProblemCode[];
}

export interface PreflightOptions extends Selection {
  /** Gets the synthesized stacks before any Terraform runs in their folders. */
  readonly onSynthesized?: (stacks: readonly Stack[]) => void;
}

/** What is known before anything is planned or deployed. */
export interface Preflight {
  /** The selected stacks. */
  readonly stacks: readonly Stack[];
  /** Terraform states of all stacks, by their names. */
  readonly states: ReadonlyMap<string, StackState>;
  /** Why the deploy has to be rejected, except for problems that are allowed. */
  readonly problems: readonly Problem[];
  /**
   * Another deploy is in progress, and has containers that are not in the Terraform state yet: Terraform's error about its
   * state lock.
   */
  readonly lock?: string;
  readonly exclusions: Exclusions;
  /** By stack: the addresses of all resources that are not excluded. Only for stacks with excluded hosts. */
  readonly targets: ReadonlyMap<string, readonly string[]>;
  /** Why hosts are unreachable, by their names. */
  readonly unreachable: ReadonlyMap<string, string>;
}

/**
 * Synthesizes, reads the Terraform states, and connects to every host. It changes nothing but what is synthesized.
 * @throws for a stack or host that does not exist, and when a Terraform state cannot be read
 */
export async function preflight(
  cluster: Cluster,
  options: PreflightOptions,
  log: (line: string) => void,
): Promise<Preflight> {
  const hosts = cluster.hosts.map(({ name }) => name);
  const without = options.without.length > 0 ? select("host", hosts, options.without) : [];
  const names = select("stack", stackNames(cluster.name, cluster.hosts), options.stacks);
  for (const warning of cluster.warnings) log(describeProblem(warning));
  log(`inspecting ${count(hosts.length, "host")} and reading the Terraform state`);
  const [[all, states], inspected] = await Promise.all([
    synthesize().then(async (stacks) => {
      options.onSynthesized?.(stacks);
      return [stacks, await withFormerStates(cluster, stacks)] as const;
    }),
    hostContainers(cluster.hosts.filter(({ name }) => !without.includes(name))),
  ]);
  const unreachable = new Map<string, string>();
  const containers = new Map<string, readonly ListedContainer[]>();
  for (const [host, found] of inspected)
    if (typeof found === "string") unreachable.set(host, found);
    else containers.set(host, found);
  const stacks = all.filter(({ name }) => names.includes(name));
  const basis = { cluster, stacks, states, containers };
  const contradicted = contradictedSettings(cluster, await newDaemons(basis));
  if (isFirst({ states }))
    for (const warning of checkoutWarnings(cluster, locationsOf(cluster, false))) log(describeProblem(warning));
  const isWarning = ({ severity }: Problem) => severity === "warning";
  for (const warning of [...contradicted.filter(isWarning), ...keptLogOptions(cluster, states)])
    log(describeProblem(warning));
  const second = await secondContainers(basis, witnesses(log));
  const lock = second.length > 0 ? await firstLock(stacks) : undefined;
  const exclusions = exclusionsOf(cluster, names, new Set(unreachable.keys()), without);
  return {
    stacks,
    states,
    problems: [
      ...unsavedStates(all),
      ...guard(cluster, all, states),
      ...staleSecrets(cluster, states),
      ...contradicted.filter((found) => !isWarning(found)),
      ...(lock === undefined ? second : []),
    ].filter(({ code }) => !options.allow.includes(code)),
    lock,
    exclusions,
    targets: writePartialStacks(stacks, states, exclusions),
    unreachable,
  };
}

/** Whether nothing of the cluster was deployed before. */
export const isFirst = ({ states }: Pick<Preflight, "states">): boolean =>
  [...states.values()].every(({ resources }) => resources.length === 0);

/** Terraform's error about the first state lock that somebody holds. */
async function firstLock(stacks: readonly Stack[]): Promise<string | undefined> {
  for (const stack of stacks) {
    const error = await lockError(stack);
    if (error !== undefined) return error;
  }
  return undefined;
}

/** The Terraform states of all stacks, and of those that an earlier deploy had and the cluster file has no longer. */
async function withFormerStates(cluster: Cluster, stacks: readonly Stack[]): Promise<Map<string, StackState>> {
  const states = await readStates(stacks);
  const listed = states.get(cluster.name)?.outputs[STACKS_OUTPUT];
  const former = (Array.isArray(listed) ? listed.map(String) : []).filter((name) => !states.has(name));
  for (const name of former) states.set(name, await readStateByBackend(cluster.backend, name));
  return states;
}

/** Removes excluded hosts from the synthesized stacks. */
function writePartialStacks(
  stacks: readonly Stack[],
  states: Preflight["states"],
  { skippedHosts }: Exclusions,
): Preflight["targets"] {
  if (skippedHosts.size === 0) return new Map();
  return new Map(
    stacks.map(({ name, folder, json }) => {
      const state = states.get(name) ?? { outputs: {}, resources: [] };
      const partial = excludeHosts(json, state, skippedHosts.get(name) ?? []);
      writeFileSync(join(folder, STACK_JSON), JSON.stringify(partial.json, null, 2));
      return [name, partial.targets];
    }),
  );
}

/** Why each of these hosts is not deployed. */
export const unreachableTexts = (hosts: readonly string[], { unreachable }: Pick<Preflight, "unreachable">): string[] =>
  hosts.map((host) => `host "${host}" is unreachable: ${unreachable.get(host)}`);

/** What to do about unreachable hosts whose stacks have other hosts. */
export function blockedText(command: "diff" | "plan" | "deploy", found: Preflight): string {
  const hosts = [...found.exclusions.blockedStacks.values()].flat();
  const reasons = unreachableTexts(hosts, found);
  const options = hosts.map((host) => `--without ${host}`).join(" ");
  return [...reasons, `Its stack has other hosts. Fix it, or skip it: npm run ${command} -- ${options}`].join("\n");
}
