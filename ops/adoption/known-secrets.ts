import type { AgentDescription, Cluster } from "../../cluster/model";
import { PATHS } from "../../consul/contract";
import { AGENT_SECRETS } from "../../consul/secrets";
import { SecretsFolder } from "../secrets/folder";
import { knownVersions, versionOfHashes } from "../secrets/versions";

/** The secrets in an agent's container, by their paths. None without security. */
export const secretFiles = ({ security }: Cluster, { role }: AgentDescription): string[] =>
  security ? AGENT_SECRETS[role].map((file) => `${PATHS.secrets}/${file}`) : [];

/**
 * Whether the secrets folder has, or had, what an agent's container has. Usually the Terraform state tells that: without
 * it, an old copy of the folder would be delivered.
 * @param hashes SHA-256 of the files in the container, in their order
 */
export function hasKnownSecrets({ security }: Cluster, agent: AgentDescription, hashes: readonly string[]): boolean {
  if (!security) return true;
  return knownVersions(new SecretsFolder(security.secrets))(agent, versionOfHashes(hashes));
}
