import { createHmac, hkdfSync, randomBytes } from "node:crypto";
import type { Cluster } from "../../cluster/model";
import { AGENT_SECRETS, SECRET_FILES } from "../../consul/secrets";
import { SecretsFolder } from "./folder";
import { agentFolder, GOSSIP } from "./sources";

/**
 * Hashes that tell whether secrets are the same, and nothing else about them. Their key is derived from the gossip key,
 * so that nobody can try values of a weak secret without the cluster's secrets.
 */
export interface KeyedHashes {
  readonly salt: string;
  /** By the path in the secrets folder. */
  readonly files: Readonly<Record<string, string>>;
}

/**
 * Hashes the secrets that a deploy of agents brings into containers.
 * @param agents names
 * @param salt of the hashes that these are compared with
 * @returns undefined for a cluster without security
 */
export function hashDelivered(
  cluster: Cluster,
  agents: readonly string[],
  salt = randomBytes(16).toString("hex"),
): KeyedHashes | undefined {
  if (!cluster.security) return undefined;
  const folder = new SecretsFolder(cluster.security.secrets);
  const key = Buffer.from(hkdfSync("sha256", folder.read(GOSSIP) ?? "", salt, "consul-cdktf saved plan", 32));
  const files = deliveredFiles(cluster, agents).flatMap((file): [string, string][] => {
    const content = folder.read(file);
    if (content === undefined) return [];
    return [[file, createHmac("sha256", key).update(`${file}\0${content}`).digest("hex")]];
  });
  return { salt, files: Object.fromEntries(files) };
}

/** The files whose hashes differ, and those that only one of both has. */
export function changedFiles(before: KeyedHashes, now: KeyedHashes): string[] {
  const all = new Set([...Object.keys(before.files), ...Object.keys(now.files)]);
  return [...all].filter((file) => before.files[file] !== now.files[file]).sort();
}

/** Files of single steps are there if the cluster has such a step. */
const deliveredFiles = (cluster: Cluster, agents: readonly string[]): string[] => [
  ...cluster.agents
    .filter(({ name }) => agents.includes(name))
    .flatMap((agent) => AGENT_SECRETS[agent.role].map((file) => `${agentFolder(agent)}/${file}`)),
  SECRET_FILES.acl,
  SECRET_FILES.registratorToken,
  SECRET_FILES.backupsHeader,
];
