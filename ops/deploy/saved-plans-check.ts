import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { Cluster } from "../../cluster/model";
import { describeProblem } from "../../cluster/problem";
import { stackNames } from "../../cluster/resolve/stacks";
import { STACK_JSON } from "../../consul/contract";
import { version } from "../../package.json";
import { changedFiles, hashDelivered } from "../secrets/keyed-hashes";
import { listed } from "../terminal/format";
import type { StackState, StateIdentity } from "../terraform/state";
import type { Stack, StackJson } from "../terraform/synth";
import { type Preflight, unreachableTexts } from "./preflight";
import { hashOf, type SavedManifest, savedHashes, synthesizedHashes } from "./saved-plans";

/** What is not as it was when the plans were made. */
export interface Difference {
  readonly what: string;
  readonly planned: string;
  readonly found: string;
}

export const differenceText = ({ what, planned, found }: Difference): string =>
  `${what}: planned with ${planned}, found ${found}`;

const short = (hash: string): string => hash.slice(0, 12);

/** Differences in the saved files. */
export function savedDifferences(folder: string, manifest: SavedManifest): Difference[] {
  return [...savedHashes(manifest)].flatMap(([file, hash]) => {
    const path = join(folder, file);
    const found = existsSync(path) ? hashOf(path) : undefined;
    return found === hash
      ? []
      : [{ what: path, planned: short(hash), found: found === undefined ? "no file" : short(found) }];
  });
}

/** Differences in the programs: this one, and Terraform. */
export function programDifferences(manifest: SavedManifest, terraform: string): Difference[] {
  return [
    ...difference("consul-cdktf", manifest.tool, version),
    ...difference("Terraform", manifest.terraform, terraform),
  ];
}

export function clusterDifferences(
  manifest: SavedManifest,
  { name, hosts }: Pick<Cluster, "name" | "hosts">,
): Difference[] {
  if (name !== manifest.cluster)
    return difference("the cluster file", `cluster ${manifest.cluster}`, `cluster ${name}`);
  const names = stackNames(name, hosts);
  const missing = manifest.stacks.filter((stack) => !names.includes(stack.name));
  return missing.flatMap((stack) => difference("the cluster file", `stack ${stack.name}`, "no such stack"));
}

export function secretsDifferences(
  { secrets }: SavedManifest,
  cluster: Cluster,
  agents: readonly string[],
): Difference[] {
  const now = hashDelivered(cluster, agents, secrets?.salt);
  if (secrets === undefined || now === undefined)
    return difference("security", secrets ? "secrets" : "none", now ? "secrets" : "none");
  const changed = changedFiles(secrets, now);
  return changed.length === 0 ? [] : difference("secrets", "others", `changes in ${listed(changed)}`);
}

/** Differences in what was synthesized for a stack, with what its JSON differs in. */
export function synthesizedDifferences(
  folder: string,
  manifest: SavedManifest,
  stacks: readonly Stack[],
): Difference[] {
  return manifest.stacks.flatMap(({ name, files }) => {
    const stack = stacks.find((one) => one.name === name);
    if (stack === undefined) return difference(`stack ${name}`, "its JSON", "no such stack");
    const now = synthesizedHashes(stack);
    return [...new Set([...Object.keys(files), ...Object.keys(now)])].flatMap((file) => {
      const [planned = "no file", found = "no file"] = [files[file], now[file]];
      const resources = file === STACK_JSON && planned !== found ? changedResources(folder, stack) : [];
      const more = resources.length > 0 ? ` with another ${listed(resources)}` : "";
      return difference(`${file} of stack ${name}`, short(planned), `${short(found)}${more}`, planned === found);
    });
  });
}

function changedResources(folder: string, { name, folder: now }: Stack): string[] {
  const [before, after] = [join(folder, "stacks", name), now].map((at) =>
    resourcesIn(JSON.parse(readFileSync(join(at, STACK_JSON), "utf8"))),
  ) as [Map<string, unknown>, Map<string, unknown>];
  const addresses = new Set([...before.keys(), ...after.keys()]);
  return [...addresses].filter((address) => !isDeepStrictEqual(before.get(address), after.get(address))).sort();
}

const resourcesIn = ({ resource = {} }: StackJson): Map<string, unknown> =>
  new Map(
    Object.entries(resource).flatMap(([type, named]) =>
      Object.entries(named).map(([name, value]) => [`${type}.${name}`, value] as const),
    ),
  );

/** Why a deploy of saved plans has to be rejected, although everything is as it was. */
export const rejections = (
  { problems, lock, exclusions, unreachable }: Pick<Preflight, "problems" | "lock" | "exclusions" | "unreachable">,
  lockedStacks: readonly string[],
): string[] => [
  ...problems.map(describeProblem),
  ...unreachableTexts([...exclusions.blockedStacks.values(), exclusions.unreachableHosts].flat(), { unreachable }),
  ...lockedStacks.map((stack) => `the Terraform state of stack ${stack} is locked: another deploy runs, or was killed`),
  // It ended meanwhile, and nobody has looked for its containers since.
  ...(lock !== undefined && lockedStacks.length === 0 ? [lock] : []),
];

export const stateDifferences = ({ stacks }: SavedManifest, states: ReadonlyMap<string, StackState>): Difference[] =>
  stacks.flatMap(({ name, state }) =>
    difference(`the Terraform state of stack ${name}`, identityText(state), identityText(states.get(name)?.identity)),
  );

const identityText = (identity: StateIdentity | undefined): string =>
  identity === undefined ? "none" : `serial ${identity.serial}, lineage ${identity.lineage}`;

const difference = (what: string, planned: string, found: string, isSame = planned === found): Difference[] =>
  isSame ? [] : [{ what, planned, found }];
