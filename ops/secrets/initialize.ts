import type { X509Certificate } from "node:crypto";
import { randomBytes } from "node:crypto";
import type { Cluster } from "../../cluster/model";
import { refuseImportedCopy, withOwnFolder } from "./access";
import { certificatesIn, dayText, expiry, pemOf } from "./certificate";
import type { SecretsFolder } from "./folder";
import { type Due, type NeededCertificate, type ProvidedCertificates, providedCa, reissue, whyUnusable } from "./issue";
import { updateRendered } from "./render";
import {
  AGENTS,
  CA,
  CA_KEY,
  GOSSIP,
  holdersOf,
  missing,
  readCas,
  readGossip,
  readTokens,
  required,
  TOKENS,
} from "./sources";
import { NO_TOKENS, type Tokens, tokensOf, tokensText, withMissing, withRetired } from "./tokens";

/** What was done to a secrets folder, one line each. */
export interface SecretsChange {
  readonly made: readonly string[];
  readonly removed: readonly string[];
  /** Certificates that must be issued elsewhere. */
  readonly needed: readonly NeededCertificate[];
}

/** Creates missing secrets, and replaces unusable certificates. All other files stay as they are, to the byte. */
export async function initialize(
  cluster: Cluster,
  folder: SecretsFolder,
  given: ProvidedCertificates,
  now = new Date(),
): Promise<SecretsChange> {
  const ofCa = providedCa(given, now);
  if (given.certificates !== undefined && !ofCa && readCas(folder) === undefined)
    throw new Error(
      "--certificates needs the CA that issued them, because there is none yet\n  name its certificate too: --ca FILE",
    );
  folder.make();
  return withOwnFolder(cluster, folder, () => createMissing(cluster, folder, { ...given, ofCa }, now));
}

export type Prepared = ProvidedCertificates & { readonly ofCa: ReturnType<typeof providedCa> };

export async function createMissing(
  cluster: Cluster,
  folder: SecretsFolder,
  given: Prepared,
  now: Date,
): Promise<SecretsChange> {
  const made: string[] = [];
  const cas = await initializeCa(cluster, folder, given.ofCa, made, now);
  if (readGossip(folder) === undefined) {
    refuseIfInUse(folder, GOSSIP);
    refuseImportedCopy(cluster, folder, GOSSIP);
    folder.write(GOSSIP, newGossipKey());
    made.push(`${GOSSIP}: a gossip key`);
  }
  made.push(...initializeTokens(cluster, folder));

  const due = holdersOf(cluster).flatMap((holder): Due[] => {
    const why = whyUnusable(folder, holder, cas, now);
    return why === undefined ? [] : [{ holder, why }];
  });
  if (due.length > 0)
    refuseImportedCopy(cluster, folder, `certificates of ${due.map(({ holder }) => holder.name).join(", ")}`);
  const reissued = await reissue(folder, due, cas, given, now);
  made.push(...reissued.made);
  return { made, needed: reissued.needed, removed: await renderAll(cluster, folder, made) };
}

/** Renders the agents' files from the sources. Adds a line to `made`, and returns the names of deleted files. */
export async function renderAll(cluster: Cluster, folder: SecretsFolder, made: string[]): Promise<string[]> {
  const ca = required(folder, CA, () => folder.read(CA));
  const gossip = required(folder, GOSSIP, readGossip);
  const tokens = required(folder, TOKENS, readTokens);
  const { written, removed } = updateRendered(cluster, folder, { ca, gossip, tokens });
  const [first, ...others] = written;
  if (first !== undefined)
    made.push(`${first}${others.length > 0 ? `, and ${others.length} more files` : ""}: from what changed`);
  return removed;
}

/** One line of base64: 32 bytes, for AES-256. */
export const newGossipKey = (): string => `${randomBytes(32).toString("base64")}\n`;

/** A new source would not fit a running cluster. */
function refuseIfInUse(folder: SecretsFolder, file: string): void {
  if (folder.list(AGENTS).length > 0) throw missing(folder, file);
}

async function initializeCa(
  cluster: Cluster,
  folder: SecretsFolder,
  given: ReturnType<typeof providedCa>,
  made: string[],
  now: Date,
): Promise<readonly X509Certificate[]> {
  const there = readCas(folder);
  if (there) {
    const [newest] = there as [X509Certificate];
    if (given && given.cas[0]?.fingerprint256 !== newest.fingerprint256) {
      throw new Error(
        `${folder.named(CA)} is of another CA than --ca\n  go over to that one step by step: npm run secrets -- rotate ca --ca FILE`,
      );
    }
    if (given?.key !== undefined && given.key !== folder.read(CA_KEY)) {
      refuseImportedCopy(cluster, folder, CA_KEY);
      folder.write(CA_KEY, given.key);
      made.push(`${CA_KEY}: the CA's key, as it was given`);
    }
    return there;
  }
  refuseIfInUse(folder, CA);
  refuseImportedCopy(cluster, folder, CA);
  const { cas, key } = given ?? (await newCa(cluster, now));
  if (key !== undefined) folder.write(CA_KEY, key);
  folder.write(CA, pemOf(cas));
  const files = key === undefined ? CA : `${CA}, ${CA_KEY}`;
  made.push(
    `${files}: ${given ? "the CA that was given" : "a CA"}, until ${dayText(expiry(cas[0] as X509Certificate))}`,
  );
  return cas;
}

export async function newCa(
  { name }: Cluster,
  now: Date,
): Promise<{ readonly cas: readonly X509Certificate[]; readonly key: string }> {
  const { makeCa } = await import("./certificates");
  const { cert, key } = await makeCa(name, now);
  return { cas: certificatesIn(cert), key };
}

/**
 * Creates missing tokens. Tokens that the file no longer needs stay valid as `retiring`, so that a line deleted by mistake locks no agent out.
 */
function initializeTokens(cluster: Cluster, folder: SecretsFolder): string[] {
  const there = readTokens(folder);
  if (!there) refuseIfInUse(folder, TOKENS);
  const before: Tokens = there ?? NO_TOKENS;
  const needed = tokensOf(cluster);
  const obsolete = [...before.current.keys()].filter((name) => !needed.has(name));
  const after = withMissing(cluster, withRetired(before, obsolete));
  const added = [...needed.keys()].filter((name) => !before.current.has(name));
  if (added.length + obsolete.length === 0) return [];
  refuseImportedCopy(cluster, folder, `tokens of ${[...added, ...obsolete].join(", ")}`);
  folder.write(TOKENS, tokensText(after));
  const shown = (names: readonly string[]) =>
    names.length > 8 ? `${names.slice(0, 7).join(", ")} and ${names.length - 7} more` : names.join(", ");
  return [
    ...(added.length > 0 ? [`${TOKENS}: SecretIDs of ${shown(added)}`] : []),
    ...(obsolete.length > 0
      ? [`${TOKENS}: to be revoked, because nothing in the cluster file uses them: ${shown(obsolete)}`]
      : []),
  ];
}
