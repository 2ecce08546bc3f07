import type { Stack } from "./synth";
import { terraform } from "./terraform";

/** Who holds the lock of a stack's Terraform state. */
export interface StateLock {
  /** By which `terraform force-unlock` releases it; undefined for a backend that does not print one. */
  readonly id?: string;
  /** As Terraform prints them, without the empty ones: `Who: root@ops`. None for a backend that does not tell. */
  readonly facts: readonly string[];
}

/** The stacks in which a deploy is in progress: their Terraform state is locked. No host is contacted. */
export async function runningDeploys(stacks: readonly Stack[]): Promise<string[]> {
  const busy: string[] = [];
  for (const stack of stacks) if (await stateLock(stack)) busy.push(stack.name);
  return busy;
}

/** The lock of a stack's Terraform state; undefined if it is not locked. */
export async function stateLock(stack: Stack): Promise<StateLock | undefined> {
  const error = await lockError(stack);
  return error === undefined ? undefined : lockIn(error);
}

/** Terraform's error about the lock of a stack's Terraform state; undefined if it is not locked. */
export async function lockError({ folder }: Stack): Promise<string | undefined> {
  // A plan acquires the state lock, and releases it.
  const args = ["plan", "-refresh=false", "-input=false", "-no-color", "-lock-timeout=0s"];
  const { exitCode, error } = await terraform(folder, args);
  return exitCode !== 0 && lockIn(error) ? error : undefined;
}

/** The lock that an error of Terraform is about. There is no exit code for it: "Error acquiring the state lock". */
export function lockIn(error: string): StateLock | undefined {
  if (!/state lock/i.test(error)) return undefined;
  // HCP Terraform's and http's have the id in their message. Terraform prints it over its own data, not the holder's.
  const [, cloud, http] = /lock ID: "([^"]+)"|already locked:\s+ID=(\S+)/.exec(error) ?? [];
  const named = cloud ?? http;
  if (named !== undefined) return { id: named, facts: [] };
  // So does pg, whose locks end with the connection of whoever holds them, and have no id.
  if (/already locked (for workspace creation|for workspace)|workspace is already locked/i.test(error))
    return { facts: [] };
  const facts = [...error.matchAll(/^[│\s]*(ID|Operation|Who|Created):[ \t]+(\S.*)$/gm)].map(
    ([, name, value]) => `${name}: ${value?.trim()}`,
  );
  const id = facts.find((fact) => fact.startsWith("ID: "))?.slice("ID: ".length);
  return { id, facts: facts.filter((fact) => !fact.startsWith("ID: ")) };
}
