import { lstatSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import type { Cluster } from "../../cluster/model";
import { makeFolder, SecretsError, SecretsFolder } from "./folder";
import { imported, temporary } from "./imported";
import { renderAll } from "./initialize";
import { refuseBusy } from "./lock";
import { claim, refuseAnothers } from "./owner";
import { AGENTS, CA, CA_KEY, GOSSIP, isSource, OPERATOR, TOKENS } from "./sources";

/**
 * How secrets get into a pipeline: as one line of text that its secret store keeps, or as a folder that is mounted. They are put into a temporary
 * folder, and the cluster's own is a link to it, so that nothing of them is in the checkout.
 */

/** The form of the text, in case that it ever has to change. */
const VERSION = 1;
/** The secrets of a cluster of thousands of agents are a tenth of that. */
const MAX_BYTES = 16 * 1024 * 1024;

interface Packed {
  readonly version: number;
  readonly cluster: string;
  readonly files: Readonly<Record<string, string>>;
}

function sourcesIn(folder: SecretsFolder): Record<string, string> {
  const pairs = [OPERATOR, ...folder.list(AGENTS).map((name) => `${AGENTS}/${name}`)].flatMap((at) => [
    `${at}/cert.pem`,
    `${at}/key.pem`,
  ]);
  return Object.fromEntries(
    [CA, CA_KEY, GOSSIP, TOKENS, ...pairs].flatMap((file) => {
      const content = folder.read(file);
      return content !== undefined && isSource(file) ? [[file, content]] : [];
    }),
  );
}

/**
 * A cluster's secrets as one line of text.
 * @param withCaKey without it, who has the text can deploy, but issue nothing
 */
export function pack(cluster: Cluster, folder: SecretsFolder, withCaKey: boolean): string {
  const { [CA_KEY]: caKey, ...files } = sourcesIn(folder);
  const packed: Packed = {
    version: VERSION,
    cluster: cluster.name,
    files: withCaKey && caKey !== undefined ? { [CA_KEY]: caKey, ...files } : files,
  };
  return gzipSync(JSON.stringify(packed)).toString("base64");
}

/** @throws for a text that is no export, or that of another cluster */
function unpack({ name }: Cluster, text: string): Packed["files"] {
  const again = "give it whole, as `npm run secrets -- export` printed it";
  let packed: Partial<Packed>;
  try {
    packed = JSON.parse(
      gunzipSync(Buffer.from(text.trim(), "base64"), { maxOutputLength: MAX_BYTES }).toString("utf8"),
    );
  } catch {
    throw new Error(`CONSUL_SECRETS is no export of secrets, or not all of it\n  ${again}`);
  }
  const { version, cluster, files } = packed;
  if (version !== VERSION || typeof files !== "object")
    throw new Error("CONSUL_SECRETS is an export of another version of this program\n  export it anew");
  if (cluster !== name)
    throw new Error(
      `CONSUL_SECRETS has the secrets of cluster "${cluster}", and the cluster file is that of "${name}"\n  give those of "${name}"`,
    );
  const strange = Object.entries(files).find(([file, content]) => !isSource(file) || typeof content !== "string");
  if (strange)
    throw new Error(`CONSUL_SECRETS has what is no file of secrets: ${JSON.stringify(strange[0])}\n  ${again}`);
  return files;
}

/**
 * Takes a cluster's secrets into a temporary folder.
 * @param from a folder to copy them from; else they are in `text`
 * @returns where they are
 */
export async function importSecrets(
  cluster: Cluster,
  folder: SecretsFolder,
  { from, text }: { from?: string; text?: string },
): Promise<string> {
  const files = from === undefined ? unpack(cluster, text ?? nothingGiven()) : sourcesOf(cluster, from);
  if (lstatSync(folder.at(), { throwIfNoEntry: false }) && !clean(cluster, folder)) {
    throw new Error(
      `${folder.named()} is there already, and no import has made it\n  use it as it is, or move it away`,
    );
  }
  const target = mkdtempSync(join(tmpdir(), temporary(cluster)));
  const there = new SecretsFolder(target);
  try {
    claim(cluster, there);
    for (const [file, content] of Object.entries(files)) there.write(file, content);
    await renderAll(cluster, there, []);
    makeFolder(dirname(folder.at()));
    link(target, folder);
  } catch (error) {
    rmSync(target, { recursive: true, force: true });
    throw error;
  }
  return target;
}

function link(target: string, folder: SecretsFolder): void {
  try {
    symlinkSync(target, folder.at());
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const [what, hint] =
      code === "EEXIST"
        ? ["has just been made by another run of secrets", "wait until that has ended, and use what is there"]
        : [
            `cannot be made a link: ${code}`,
            "name one in a folder that this user can write to: `security: { secrets: FOLDER }`",
          ];
    throw new SecretsError(folder.named(), what, hint);
  }
}

function nothingGiven(): never {
  throw new Error(
    "there is nothing to import\n  set CONSUL_SECRETS to what `npm run secrets -- export` printed, or name a folder: --from FOLDER",
  );
}

function sourcesOf(cluster: Cluster, from: string): Record<string, string> {
  const folder = new SecretsFolder(from);
  refuseAnothers(cluster, folder);
  const files = folder.exists ? sourcesIn(folder) : {};
  if (!(CA in files))
    throw new Error(`${from} has no ${CA}\n  name a folder like the one that \`npm run secrets -- init\` makes`);
  return files;
}

/** Removes what an import has made. @returns whether there was anything of the kind */
export function clean(cluster: Pick<Cluster, "name">, folder: SecretsFolder): boolean {
  const target = imported(cluster, folder);
  if (target === undefined) return false;
  refuseBusy(folder);
  rmSync(target, { recursive: true, force: true });
  // Another run may have done the same, and a third imported anew.
  if (imported(cluster, folder) === target) rmSync(folder.at(), { force: true });
  return true;
}
