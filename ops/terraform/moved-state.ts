import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { withTempDir } from "../temp-dir";
import { lockIn } from "./running-deploys";
import { pullText, type StateIdentity } from "./state";
import { terraform } from "./terraform";

/** A version of a Terraform state, with its content. */
export interface StateVersion extends StateIdentity {
  readonly text: string;
}

/** @returns undefined for a state that does not exist yet */
export function versionOf(text: string): StateVersion | undefined {
  if (text.trim() === "") return undefined;
  const { lineage, serial } = JSON.parse(text) as { lineage: string; serial: number };
  // The backend pg has such an empty one for a stack that was never deployed.
  return lineage === "" ? undefined : { lineage, serial, text };
}

/**
 * Whether two versions have the same resources and outputs. HCP Terraform stores a state that is pushed under a serial of
 * its own, and pg the first one under a lineage of its own.
 */
export const hasSameContent = (one: StateVersion, other: StateVersion): boolean => contentOf(one) === contentOf(other);

function contentOf({ text }: StateVersion): string {
  const { outputs = {}, resources = [] } = JSON.parse(text) as Readonly<Record<string, unknown>>;
  return JSON.stringify([outputs, resources]);
}

/** The state that a folder's backend has. @throws when the backend is unreachable */
export const pull = async (folder: string): Promise<StateVersion | undefined> => versionOf(await pullText(folder));

/**
 * Writes a state into a folder's backend, and reads it back.
 * @throws for a state that is locked, and if another one is there afterwards
 */
export async function push(folder: string, state: StateVersion): Promise<void> {
  await pushText(folder, state.text);
  const stored = await pull(folder);
  if (stored === undefined || !hasSameContent(stored, state))
    throw new Error("the backend has another Terraform state than the one that was written");
}

/**
 * Writes a state into a folder's backend. Terraform rejects one that is older than what is there.
 * @throws for a state that is locked
 */
export async function pushText(folder: string, text: string): Promise<void> {
  await withTempDir(join(resolve(folder), ".pushed-"), async (hidden) => {
    const file = join(hidden, "state.json");
    writeFileSync(file, text, { mode: 0o600 });
    const { exitCode, error } = await terraform(folder, ["state", "push", file]);
    if (exitCode !== 0) throw lockIn(error) ? new StateLocked() : new Error(error);
  });
}

export class StateLocked extends Error {
  constructor() {
    super("the Terraform state is locked");
  }
}
