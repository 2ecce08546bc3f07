import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { allowableCodes } from "../../cluster/catalogue";
import { STACK_JSON } from "../../consul/contract";
import { version } from "../../package.json";
import { hashDelivered } from "../secrets/keyed-hashes";
import { sha256 } from "../sha256";
import { argumentsOfInit } from "../terraform/folder";
import type { Stack } from "../terraform/synth";
import { terraformVersion } from "../terraform/terraform";
import type { Comparison, ComparisonOptions } from "./comparison";
import { planFile } from "./plans";

/**
 * The folder of plans that were approved before they are applied, on this machine or another one: `manifest.json`, a plan
 * for each stack, and in `stacks/<stack>/` what Terraform had beside it.
 */

/** A folder with another version was made by a program that this one does not understand. */
const VERSION = 1;
const MANIFEST = "manifest.json";
const STACKS = "stacks";
/** Without the dot: stores of a pipeline's files leave out hidden ones. */
const SAVED_LOCK = "terraform.lock.hcl";
const LOCK = ".terraform.lock.hcl";

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const hashes = z.record(z.string(), hash);

const savedStack = z.object({
  name: z.string(),
  /** SHA-256 of its plan. */
  plan: hash,
  /** SHA-256 of Terraform's lock file. */
  lock: hash,
  /** SHA-256 of its JSON, the program of the rollout and assets, by their paths in its folder. */
  files: hashes,
  /** The Terraform state that the plan is for. Undefined if there was none. */
  state: z.object({ lineage: z.string(), serial: z.number() }).optional(),
});

const savedManifest = z.object({
  version: z.literal(VERSION),
  /** This program's. */
  tool: z.string(),
  /** Terraform's or OpenTofu's name and version. */
  terraform: z.string(),
  cluster: z.string(),
  /** Hosts that the plans leave out: names, or patterns with `*`. */
  without: z.array(z.string()),
  /** What was allowed. */
  allow: z.array(z.enum(allowableCodes)),
  /** Undefined for a cluster without security. */
  secrets: z.object({ salt: z.string(), files: hashes }).optional(),
  stacks: z.array(savedStack).nonempty(),
});

export type SavedManifest = z.infer<typeof savedManifest>;

/**
 * Saves plans for another command. They appear as a whole: a folder without a manifest is not taken.
 * @param out a folder that does not exist, or is empty
 * @param hidden the folder of the plans
 * @throws for plans with secrets
 */
export async function savePlans(
  out: string,
  hidden: string,
  { cluster, stacks, found: { states } }: Comparison,
  { without, allow }: Pick<ComparisonOptions, "without" | "allow">,
): Promise<void> {
  const reasons = stacks.flatMap(secretsInPlan);
  if (reasons.length > 0) throw new Error(`no plan was saved\n${reasons.join("\n")}`);
  const manifest = {
    version: VERSION,
    tool: version,
    terraform: await terraformVersion(),
    cluster: cluster.name,
    without,
    allow,
    secrets: hashDelivered(cluster, agentsOf(stacks)),
    stacks: stacks.map((stack) => ({
      name: stack.name,
      plan: hashOf(planFile(hidden, stack.name)),
      lock: hashOf(join(stack.folder, LOCK)),
      files: synthesizedHashes(stack),
      state: states.get(stack.name)?.identity,
    })),
  };
  mkdirSync(out, { recursive: true, mode: 0o700 });
  chmodSync(out, 0o700);
  writeFileSync(join(out, ".gitignore"), "*\n", { mode: 0o600 });
  for (const { name, folder } of stacks) {
    copy(planFile(hidden, name), planFile(out, name));
    copy(join(folder, LOCK), savedLock(out, name));
    for (const file of synthesizedFiles(folder)) copy(join(folder, file), join(out, STACKS, name, file));
  }
  writeFileSync(join(out, MANIFEST), `${JSON.stringify(manifest, undefined, 2)}\n`, { flag: "wx", mode: 0o600 });
}

/** @throws when there are no saved plans, or they are of another version */
export function readManifest(folder: string): SavedManifest {
  const file = join(folder, MANIFEST);
  if (!existsSync(file))
    throw new Error(`${folder} has no saved plans\n    hint: npm run plan -- --out FOLDER makes them`);
  const { success, data } = savedManifest.safeParse(jsonIn(file));
  if (success) return data;
  throw new Error(`${file} has another format than this program's\n    hint: plan and approve again`);
}

/** Undefined for a file that is damaged. */
function jsonIn(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

/** The names of files in a folder of plans, and the hashes that they should have. */
export const savedHashes = ({ stacks }: SavedManifest): Map<string, string> =>
  new Map(
    stacks.flatMap(({ name, plan, lock, files }) => [
      [planFile("", name), plan] as const,
      [savedLock("", name), lock] as const,
      ...Object.entries(files).map(([file, hash]) => [join(STACKS, name, file), hash] as const),
    ]),
  );

/** Puts the plans into a folder that only this user can open. */
export function takePlans(folder: string, { stacks }: SavedManifest, hidden: string): void {
  for (const { name } of stacks) copy(planFile(folder, name), planFile(hidden, name));
}

/** Has Terraform install exactly the providers that the plans were made with. */
export function placeLockFiles(folder: string, { stacks: saved }: SavedManifest, stacks: readonly Stack[]): void {
  for (const stack of stacks)
    if (saved.some(({ name }) => name === stack.name))
      copyFileSync(savedLock(folder, stack.name), join(stack.folder, LOCK));
}

const savedLock = (folder: string, stack: string): string => join(folder, STACKS, stack, SAVED_LOCK);

/** The agents whose containers are in stacks. */
export const agentsOf = (stacks: readonly Stack[]): string[] =>
  stacks.flatMap(({ json }) => Object.keys(json.resource?.docker_container ?? {}));

/** SHA-256 of what was synthesized for a stack, by paths in its folder. */
export const synthesizedHashes = ({ folder }: Pick<Stack, "folder">): Record<string, string> =>
  Object.fromEntries(synthesizedFiles(folder).map((file) => [file, hashOf(join(folder, file))]));

/**
 * Paths in a stack's folder, of what a synth writes: the JSON, and what the JSON refers to: the program of the rollout,
 * scripts of containers, and assets. Other files there may be older ones, or a user's, and may have secrets.
 */
function synthesizedFiles(folder: string): string[] {
  const json = readFileSync(join(folder, STACK_JSON), "utf8");
  const assets = filesIn(folder, ASSETS).filter((file) => json.includes(file.split("/").slice(0, 3).join("/")));
  const beside = new Set([...json.matchAll(/\$\{path\.module\}\/([\w.-]+)/g)].flatMap(([, file]) => file ?? []));
  return [STACK_JSON, ...[...beside].sort(), ...assets].filter((file) => existsSync(join(folder, file)));
}

/** CDKTF puts them below their names and hashes. */
const ASSETS = "assets";

function filesIn(folder: string, at: string): string[] {
  if (!existsSync(join(folder, at))) return [];
  return readdirSync(join(folder, at), { withFileTypes: true })
    .flatMap((entry) => (entry.isDirectory() ? filesIn(folder, join(at, entry.name)) : [join(at, entry.name)]))
    .sort();
}

export const hashOf = (file: string): string => sha256(readFileSync(file));

function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
  writeFileSync(to, readFileSync(from), { flag: "wx", mode: 0o600 });
}

/** What Terraform would copy into a plan, and must not leave this machine. */
function secretsInPlan({ name, folder, json }: Stack): string[] {
  const given = argumentsOfInit(folder);
  const variables = Object.entries(json.variable ?? {}).flatMap(([variable, { sensitive }]) =>
    sensitive ? [variable] : [],
  );
  return [
    ...(given.length === 0
      ? []
      : [
          `stack ${name}: ${given.join(", ")} of the backend come from -backend-config, and Terraform copies them into the plan
    hint: set the backend's environment variables instead, then rm -r ${join(folder, ".terraform")}`,
        ]),
    ...(variables.length === 0
      ? []
      : [
          `stack ${name}: Terraform copies the values of its sensitive variables ${variables.join(", ")} into the plan
    hint: deploy it without a saved plan`,
        ]),
  ];
}
