import type { Cluster } from "../../cluster/model";
import { ACL_SECRETS, BACKUPS_HEADER, REGISTRATOR_SECRET } from "../../cluster/resolve/security";
import { SecretsError, type SecretsFolder, UNFINISHED } from "./folder";
import { isLock, withLock } from "./lock";
import { AGENTS, CA, CA_KEY, GOSSIP, OPERATOR, TOKENS } from "./sources";

/** The name of the cluster whose secrets the folder has. */
const OWNER = "cluster.name";
const IGNORE = ".gitignore";

/** What may be in a folder before it is anybody's: what was put there to be taken over, and what a first run left that was interrupted. */
const KNOWN = [
  IGNORE,
  OWNER,
  CA,
  CA_KEY,
  GOSSIP,
  TOKENS,
  OPERATOR,
  AGENTS,
  ACL_SECRETS,
  REGISTRATOR_SECRET,
  BACKUPS_HEADER,
];

/** Makes the folder this cluster's, which git is told to ignore wherever it is. */
export function claim({ name }: Cluster, folder: SecretsFolder): void {
  if (folder.read(OWNER) === undefined) folder.write(OWNER, `${name}\n`);
  if (folder.read(IGNORE) === undefined) folder.write(IGNORE, "*\n");
}

/** Does what changes a cluster's secrets: its own alone, and one run at a time. */
export async function changing<Result>(
  cluster: Cluster,
  folder: SecretsFolder,
  work: () => Promise<Result>,
): Promise<Result> {
  refuseForeign(cluster, folder);
  return withLock(folder, () => {
    // The run that had the folder before may have made it another cluster's.
    refuseForeign(cluster, folder);
    claim(cluster, folder);
    return work();
  });
}

/** @throws for what is no folder of this cluster's secrets, and would be spoilt by any that are made in it */
export function refuseForeign(cluster: Cluster, folder: SecretsFolder): void {
  refuseAnothers(cluster, folder);
  if (folder.read(OWNER) !== undefined || folder.list(AGENTS).length > 0) return;
  const strange = folder.list().filter((file) => !KNOWN.includes(file.replace(UNFINISHED, "")) && !isLock(file));
  if (strange.length === 0) return;
  throw new SecretsError(
    folder.named(),
    `is no folder of secrets: it has ${several(strange)}`,
    "name a folder that is the cluster's alone: `security: { secrets: FOLDER }`; or move away what is in it",
  );
}

/** @throws for the secrets of another cluster */
export function refuseAnothers({ name, agents }: Cluster, folder: SecretsFolder): void {
  const owner = folder.read(OWNER)?.trim();
  if (owner !== undefined && owner !== name) {
    throw new SecretsError(
      folder.named(),
      `has the secrets of cluster "${owner}", and the cluster file is that of "${name}"`,
      `name another folder: \`security: { secrets: FOLDER }\`; if it is the same cluster under a new name, write that into ${folder.named(OWNER)}`,
    );
  }
  // The folder may not say whose it is, and two clusters may have one name.
  const there = folder.list(AGENTS);
  if (there.length === 0 || agents.some((agent) => there.includes(agent.name))) return;
  throw new SecretsError(
    folder.named(),
    `has the secrets of another cluster: none of its agents is in the cluster file (${several(there)})`,
    `give each cluster a name and a folder of its own; if all agents of this one are new at once, remove ${folder.named(AGENTS)}`,
  );
}

const several = (names: readonly string[]): string =>
  names.length > 4 ? `${names.slice(0, 3).join(", ")} and ${names.length - 3} more` : names.join(", ");
