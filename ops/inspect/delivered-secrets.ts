import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { AgentDescription, Cluster } from "../../cluster/model";
import { PATHS } from "../../consul/contract";
import { AGENT_SECRETS, agentSecrets } from "../../consul/secrets";
import { versionOfHashes } from "../secrets/versions";
import { sha256 } from "../sha256";
import type { StateResource } from "../terraform/state";

/** An agent's secrets, as the secrets folder has them now. */
export interface DeliveredSecrets {
  /** SHA-256, in hexadecimal, by the paths in its container. */
  readonly hashes: ReadonlyMap<string, string>;
  /** Whether the last deploy delivered exactly these. */
  readonly deployed: boolean;
}

/**
 * Undefined without security, or when the files are not here, for instance in a pipeline that has cleaned its copy.
 * @param step the step that delivered them, in the Terraform state: see constructs/agent-secrets.ts
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
      deployed: lastTrigger(step) === versionOfHashes(hashes.map(([, hash]) => hash)),
    };
  } catch (error) {
    if (["ENOENT", "EACCES"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}

/** The value of `secretsHash` (constructs/agent-security.ts) at the last deploy, after the container's id. The Terraform state has a value of any type beside its type. */
export const lastTrigger = (step: StateResource | undefined): unknown =>
  (step?.attributes.triggers_replace as { readonly value?: readonly unknown[] } | undefined)?.value?.at(-1);
