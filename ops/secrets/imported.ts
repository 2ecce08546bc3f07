import { lstatSync, readlinkSync } from "node:fs";
import { basename } from "node:path";
import type { Cluster } from "../../cluster/model";
import { SecretsError, type SecretsFolder } from "./folder";

/** What an import's temporary folder is called, before six characters by chance: only what is called so is removed again. */
export const temporary = ({ name }: Pick<Cluster, "name">): string => `consul-cdktf-secrets-${name}-`;
const CHANCE = /^[a-zA-Z0-9]{6}$/;

/** The temporary folder that an import has made, and the cluster's folder is a link to; whether or not it is still there. */
export function imported(cluster: Pick<Cluster, "name">, folder: SecretsFolder): string | undefined {
  if (!lstatSync(folder.at(), { throwIfNoEntry: false })?.isSymbolicLink()) return undefined;
  const target = readlinkSync(folder.at());
  const name = basename(target);
  return name.startsWith(temporary(cluster)) && CHANCE.test(name.slice(temporary(cluster).length)) ? target : undefined;
}

/**
 * What is made in an import has no other copy, and goes with it: the cluster would have it, and nobody else.
 * @param what would be changed, in a clause
 * @throws for what an import has made
 */
export function refuseImported(cluster: Cluster, folder: SecretsFolder, what: string): void {
  if (imported(cluster, folder) === undefined) return;
  throw new SecretsError(
    folder.named(),
    `is a copy that an import has made and \`forget\` removes: it would be the only place of ${what}`,
    "do it where the secrets are kept, and export them anew",
  );
}
