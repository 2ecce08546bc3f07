import { existsSync, lstatSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Cluster } from "../../cluster/model";
import { SECRET_FILES } from "../../consul/secrets";
import { SecretsError, type SecretsFolder, UNFINISHED } from "./folder";
import { AGENTS, CA, CA_KEY, GOSSIP, METRICS, OPERATOR, TOKENS } from "./sources";
import { withHistory } from "./versions";

/** Which runs may change a secrets folder: those of its own cluster, one at a time, and not in an imported copy. */

/** Contains the name of the cluster that the folder belongs to. */
const OWNER = "cluster.name";
const IGNORE = ".gitignore";

/** Files that may be in a folder before it belongs to a cluster: prepared by the operator, or left by an interrupted first run. */
const KNOWN = [
  IGNORE,
  OWNER,
  CA,
  CA_KEY,
  GOSSIP,
  TOKENS,
  OPERATOR,
  METRICS,
  AGENTS,
  SECRET_FILES.acl,
  SECRET_FILES.registratorToken,
  SECRET_FILES.backupsHeader,
];

/** Marks the folder as this cluster's, and makes git ignore it wherever it is. */
export function claim({ name }: Cluster, folder: SecretsFolder): void {
  if (folder.read(OWNER) === undefined) folder.write(OWNER, `${name}\n`);
  if (folder.read(IGNORE) === undefined) folder.write(IGNORE, "*\n");
}

/** Runs work that changes a cluster's secrets, in its own folder alone, and one run at a time. */
export async function withOwnFolder<Result>(
  cluster: Cluster,
  folder: SecretsFolder,
  work: () => Promise<Result>,
): Promise<Result> {
  refuseForeign(cluster, folder);
  return withLock(folder, () => {
    // The run that held the lock before may have claimed the folder for another cluster.
    refuseForeign(cluster, folder);
    claim(cluster, folder);
    return withHistory(cluster, folder, work);
  });
}

/** @throws when the folder is not a secrets folder of this cluster, so that new secrets would damage what is in it */
export function refuseForeign(cluster: Cluster, folder: SecretsFolder): void {
  refuseOtherClusters(cluster, folder);
  if (folder.read(OWNER) !== undefined || folder.list(AGENTS).length > 0) return;
  const foreign = folder.list().filter((file) => !KNOWN.includes(file.replace(UNFINISHED, "")) && !isLock(file));
  if (foreign.length === 0) return;
  throw new SecretsError(
    "secrets-folder-mixed",
    folder.named(),
    `is no folder of secrets: it has ${several(foreign)}`,
    "name a folder that is the cluster's alone: `security: { secrets: FOLDER }`; or move away what is in it",
  );
}

/** @throws when the folder has the secrets of another cluster */
export function refuseOtherClusters({ name, agents }: Cluster, folder: SecretsFolder): void {
  const owner = folder.read(OWNER)?.trim();
  if (owner !== undefined && owner !== name) {
    throw new SecretsError(
      "secrets-of-another-cluster",
      folder.named(),
      `has the secrets of cluster "${owner}", and the cluster file is that of "${name}"`,
      `name another folder: \`security: { secrets: FOLDER }\`; if it is the same cluster under a new name, write that into ${folder.named(OWNER)}`,
    );
  }
  // The folder may lack the owner file, and two clusters may share a name.
  const there = folder.list(AGENTS);
  if (there.length === 0 || agents.some((agent) => there.includes(agent.name))) return;
  throw new SecretsError(
    "secrets-of-another-cluster",
    folder.named(),
    `has the secrets of another cluster: none of its agents is in the cluster file (${several(there)})`,
    `give each cluster a name and a folder of its own; if all agents of this one are new at once, remove ${folder.named(AGENTS)}`,
  );
}

const several = (names: readonly string[]): string =>
  names.length > 4 ? `${names.slice(0, 3).join(", ")} and ${names.length - 3} more` : names.join(", ");

/** Prefix of an import's temporary folder, before six random characters. Only a folder with such a name is ever deleted. */
export const importPrefix = ({ name }: Pick<Cluster, "name">): string => `consul-cdktf-secrets-${name}-`;
const RANDOM_SUFFIX = /^[a-zA-Z0-9]{6}$/;

/** The temporary folder of an import that the cluster's folder links to, whether or not it still exists. */
export function importedCopy(cluster: Pick<Cluster, "name">, folder: SecretsFolder): string | undefined {
  if (!lstatSync(folder.at(), { throwIfNoEntry: false })?.isSymbolicLink()) return undefined;
  const target = readlinkSync(folder.at());
  const name = basename(target);
  const prefix = importPrefix(cluster);
  return name.startsWith(prefix) && RANDOM_SUFFIX.test(name.slice(prefix.length)) ? target : undefined;
}

/** In an import's temporary folder: the project that it was made for. */
const IMPORTED_FOR = "imported-for";

export const noteImport = (copy: SecretsFolder): void => void copy.write(IMPORTED_FOR, process.cwd());

/**
 * Checkouts that are side by side have one private folder. A job in one of them must not remove what a job in another one
 * deploys with.
 * @throws for an import that was made for a project elsewhere, which still exists
 */
export function refuseOtherImport(folder: SecretsFolder): void {
  const project = folder.read(IMPORTED_FOR);
  if (project === undefined || project === process.cwd() || !existsSync(project)) return;
  throw new SecretsError(
    "secrets-locked",
    folder.named(),
    `is an import for the checkout ${project}, which has the same private folder`,
    "give each job's checkout a folder of its own to lie in; if no job runs in that checkout, run this there: npm run secrets -- clean",
  );
}

/**
 * A secret created in an imported copy would be deleted with it: the cluster would then use a secret that nobody has.
 * @param what the secret that would be created, as a noun
 * @throws in an imported copy
 */
export function refuseImportedCopy(cluster: Cluster, folder: SecretsFolder, what: string): void {
  if (importedCopy(cluster, folder) === undefined) return;
  throw new SecretsError(
    "secrets-imported",
    folder.named(),
    `is a copy that an import has made and \`clean\` deletes: it would be the only place of ${what}`,
    "do it where the secrets are kept, and export them again",
  );
}

/*
 * Runs that change a folder are serialized: two at once would mix their results, two CAs above all. Each run writes a lock file with its process id,
 * and continues when it sees no other run's. One shared lock file would not do: two runs could take it over from a dead process at the same time.
 */

const LOCK = /^\.lock-([1-9]\d*)$/;
const lockName = (id: number): string => `.lock-${id}`;

/** Whether a file of the folder is a run's lock. */
const isLock = (file: string): boolean => LOCK.test(file);

/** Locks of this process. Process ids are reused, in containers above all, so a file with this process's id may be a dead run's. */
const held = new Set<string>();

/** Two runs that started at the same time see each other's locks. Each tries again after a random pause. */
const TRIES = 4;
const PAUSE_MS = 100;

/** Runs work that changes a folder, unless another run is changing it. */
export async function withLock<Result>(folder: SecretsFolder, work: () => Promise<Result>): Promise<Result> {
  const own = folder.at(lockName(process.pid));
  for (let tries = 1; !acquire(folder, own); tries++) {
    if (tries >= TRIES) refuseBusy(folder);
    await pause(Math.random() * PAUSE_MS);
  }
  try {
    return await work();
  } finally {
    release(own);
  }
}

/** @throws while another run changes the folder */
export function refuseBusy(folder: SecretsFolder): void {
  const [other] = runningProcesses(folder);
  if (other === undefined) return;
  const lock = folder.named(lockName(other));
  throw new SecretsError(
    "secrets-locked",
    folder.named(),
    `is being changed: another run of secrets is in progress, process ${other}`,
    `wait until it has ended; if that process is no run of secrets, remove ${lock}`,
  );
}

/** @returns whether this run may continue */
function acquire(folder: SecretsFolder, own: string): boolean {
  if (held.has(own)) return false;
  try {
    writeFileSync(own, "", { mode: 0o600 });
  } catch (error) {
    // No other run can write to a read-only folder either; a run that has nothing to write may still succeed.
    if (["EROFS", "EACCES", "EPERM"].includes((error as NodeJS.ErrnoException).code ?? "")) return true;
    throw error;
  }
  held.add(own);
  if (runningProcesses(folder).every((id) => id === process.pid)) return true;
  release(own);
  return false;
}

function release(own: string): void {
  held.delete(own);
  rmSync(own, { force: true });
}

/** Ids of the processes that change the folder. Locks of dead processes are deleted. */
function runningProcesses(folder: SecretsFolder): number[] {
  return folder.list().flatMap((file) => {
    const id = Number(LOCK.exec(file)?.[1] ?? 0);
    if (id === 0) return [];
    if (id === process.pid ? held.has(folder.at(file)) : isAlive(id)) return [id];
    rmSync(folder.at(file), { force: true });
    return [];
  });
}

function isAlive(id: number): boolean {
  try {
    return process.kill(id, 0);
  } catch (error) {
    // The process belongs to another user.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
