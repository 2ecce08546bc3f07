import { lstatSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { parseDocument } from "yaml";
import type { Cluster } from "../../cluster/model";
import { securityOf } from "../../cluster/resolve/security";
import {
  claim,
  importedCopy,
  importPrefix,
  noteImport,
  refuseBusy,
  refuseOtherClusters,
  refuseOtherImport,
} from "./access";
import { makeFolder, SecretsError, SecretsFolder } from "./folder";
import { renderAll } from "./initialize";
import { AGENTS, CA, CA_KEY, GOSSIP, HISTORY, isSource, METRICS, OPERATOR, TOKENS } from "./sources";

/**
 * Brings secrets into a pipeline: as one line of text from the pipeline's secret store, or from a mounted folder. An import writes them to a temporary
 * folder and makes the cluster's own folder a link to it, so that the checkout contains no secret.
 */

/** Version of the text's format. */
const VERSION = 1;
/** The secrets of a cluster of thousands of agents take a tenth of this. */
const MAX_BYTES = 16 * 1024 * 1024;

interface Bundle {
  readonly version: number;
  readonly cluster: string;
  readonly files: Readonly<Record<string, string>>;
}

function sourcesIn(folder: SecretsFolder): Record<string, string> {
  const pairs = [OPERATOR, METRICS, ...folder.list(AGENTS).map((name) => `${AGENTS}/${name}`)].flatMap((at) => [
    `${at}/cert.pem`,
    `${at}/key.pem`,
  ]);
  return Object.fromEntries(
    [CA, CA_KEY, GOSSIP, TOKENS, HISTORY, ...pairs].flatMap((file) => {
      const content = folder.read(file);
      return content !== undefined && isSource(file) ? [[file, content]] : [];
    }),
  );
}

/**
 * A cluster's secrets as one line of text.
 * @param withCaKey without the key, the text is enough to deploy, but not to issue certificates
 */
export function pack(cluster: Cluster, folder: SecretsFolder, withCaKey: boolean): string {
  const { [CA_KEY]: caKey, ...files } = sourcesIn(folder);
  const bundle: Bundle = {
    version: VERSION,
    cluster: cluster.name,
    files: withCaKey && caKey !== undefined ? { [CA_KEY]: caKey, ...files } : files,
  };
  return gzipSync(JSON.stringify(bundle)).toString("base64");
}

/** @throws when the text is no export, or is another cluster's */
function unpack({ name }: Cluster, text: string): Bundle["files"] {
  const hint = "give it whole, as `npm run secrets -- export` printed it";
  let bundle: Partial<Bundle>;
  try {
    bundle = JSON.parse(
      gunzipSync(Buffer.from(text.trim(), "base64"), { maxOutputLength: MAX_BYTES }).toString("utf8"),
    );
  } catch {
    throw new Error(`CONSUL_SECRETS is no export of secrets, or not all of it\n  ${hint}`);
  }
  const { version, cluster, files } = bundle;
  if (version !== VERSION || typeof files !== "object")
    throw new Error("CONSUL_SECRETS is an export of another version of this program\n  export it again");
  if (cluster !== name)
    throw new Error(
      `CONSUL_SECRETS has the secrets of cluster "${cluster}", and the cluster file is that of "${name}"\n  give those of "${name}"`,
    );
  const unexpected = Object.entries(files).find(([file, content]) => !isSource(file) || typeof content !== "string");
  if (unexpected)
    throw new Error(`CONSUL_SECRETS has a file that is no secret: ${JSON.stringify(unexpected[0])}\n  ${hint}`);
  return files;
}

/**
 * Imports a cluster's secrets into a temporary folder.
 * @param from a folder to copy them from; without it they are in `text`
 * @returns the temporary folder
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
  const target = mkdtempSync(join(tmpdir(), importPrefix(cluster)));
  const copy = new SecretsFolder(target);
  try {
    claim(cluster, copy);
    noteImport(copy);
    for (const [file, content] of Object.entries(files)) copy.write(file, content);
    await renderAll(cluster, copy, []);
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
    if (code === "EEXIST")
      throw new SecretsError(
        "secrets-locked",
        folder.named(),
        "has just been made by another run of secrets",
        "wait until that has ended, and use its result",
      );
    throw new SecretsError(
      "secrets-folder-unusable",
      folder.named(),
      `cannot be made a link: ${code}`,
      "name one in a folder that this user can write to: `private_folder: FOLDER`, or `security: { secrets: FOLDER }`",
    );
  }
}

function nothingGiven(): never {
  throw new Error(
    "there is nothing to import\n  set CONSUL_SECRETS to what `npm run secrets -- export` printed, or name a folder: --from FOLDER",
  );
}

function sourcesOf(cluster: Cluster, from: string): Record<string, string> {
  const folder = new SecretsFolder(from);
  refuseOtherClusters(cluster, folder);
  const files = folder.exists ? sourcesIn(folder) : {};
  if (!(CA in files))
    throw new Error(`${from} has no ${CA}\n  name a folder like the one that \`npm run secrets -- init\` makes`);
  return files;
}

/** Deletes an imported copy. @returns false when the folder is no imported copy */
export function clean(cluster: Pick<Cluster, "name">, folder: SecretsFolder): boolean {
  const target = importedCopy(cluster, folder);
  if (target === undefined) return false;
  refuseBusy(folder);
  refuseOtherImport(folder);
  rmSync(target, { recursive: true, force: true });
  // Another run may have cleaned too, and a third may have imported again.
  if (importedCopy(cluster, folder) === target) rmSync(folder.at(), { force: true });
  return true;
}

/** A cluster's name and its secrets folder. */
export interface SecretsLocation {
  readonly cluster: Pick<Cluster, "name">;
  readonly folder: SecretsFolder;
}

/**
 * Reads the location of the secrets from a cluster file that may have errors: an imported copy must be deletable all the same.
 * @returns undefined when the file does not have it in the usual keys
 */
export function locationIn(file: string): SecretsLocation | undefined {
  const document = parseDocument(textOf(file));
  const name = document.get("name");
  const secrets = document.getIn(["security", "secrets"]);
  const privateFolder = document.get("private_folder");
  if (typeof name !== "string" || document.get("security") === "off") return undefined;
  const security = securityOf({
    name,
    private_folder: typeof privateFolder === "string" ? privateFolder : undefined,
    security: typeof secrets === "string" ? { secrets } : "on",
    hosts: {},
    registrator: "off",
  });
  return security && { cluster: { name }, folder: new SecretsFolder(security.secrets) };
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
