import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { AgentDescription, Cluster } from "../../cluster/model";
import { PATHS } from "../../consul/contract";
import { AGENT_SECRETS, agentSecrets } from "../../consul/secrets";
import { sha256 } from "../sha256";
import type { StateResource } from "../terraform/state";

/** An agent's secrets, as the folder has them now. */
export interface DeliveredSecrets {
  /** SHA-256, in hexadecimal, by the paths in its container. */
  readonly hashes: ReadonlyMap<string, string>;
  /** Whether the last deploy gave it just these. */
  readonly deployed: boolean;
}

/**
 * Undefined where an agent has none, or where they are not here, as in a pipeline that has forgotten them.
 * @param step what gave it them, as the state has it: see constructs/agent-secrets.ts
 */
export function deliveredSecrets(
  { security }: Cluster,
  { name, role }: AgentDescription,
  step: StateResource | undefined,
): DeliveredSecrets | undefined {
  if (!security) return undefined;
  const folder = resolve(agentSecrets(security, name));
  try {
    const hashes = AGENT_SECRETS[role].map((file): [string, string] => [
      `${PATHS.secrets}/${file}`,
      sha256(readFileSync(join(folder, file))),
    ]);
    return {
      hashes: new Map(hashes),
      deployed: lastTrigger(step) === sha256(hashes.map(([, hash]) => hash).join(" ")),
    };
  } catch (error) {
    if (["ENOENT", "EACCES"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}

/** What secretsHash of constructs/secured.ts was: the container's id stands before it. A value of any type stands in a state beside its type. */
const lastTrigger = (step: StateResource | undefined): unknown =>
  (step?.attributes.triggers_replace as { readonly value?: readonly unknown[] } | undefined)?.value?.at(-1);
