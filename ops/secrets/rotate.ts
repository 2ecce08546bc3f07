import type { X509Certificate } from "node:crypto";
import type { Cluster } from "../../cluster/model";
import { select } from "../select";
import { refuseImportedCopy, withOwnFolder } from "./access";
import { certificatesIn, dayText, expiry, issuerOf, pemOf, replacedCas } from "./certificate";
import type { SecretsFolder } from "./folder";
import { newCa, newGossipKey, renderAll, type SecretsChange } from "./initialize";
import { type ProvidedCertificates, providedCa, reissue } from "./issue";
import { CA, CA_KEY, GOSSIP, type Holder, holdersOf, readCas, readPair, readTokens, required, TOKENS } from "./sources";
import { retiringIds, tokensOf, tokensText, withMissing, withRetired } from "./tokens";

/**
 * Rotations change the secrets folder alone; a deploy delivers the new secrets. Replaced secrets stay valid until `revoke`, so that agents can change
 * one by one. The cluster's keyring keeps an old gossip key as long as it is needed.
 */

/** Runs a rotation, never in an imported copy. */
export async function rotating<Change extends SecretsChange>(
  cluster: Cluster,
  folder: SecretsFolder,
  work: () => Promise<Change>,
): Promise<Change> {
  folder.refuseAbsent();
  refuseImportedCopy(cluster, folder, "what a rotation changes");
  return withOwnFolder(cluster, folder, work);
}

/** Creates a new gossip key. */
export async function rotateGossip(cluster: Cluster, folder: SecretsFolder): Promise<SecretsChange> {
  return rotating(cluster, folder, async () => {
    const made = [`${GOSSIP}: a new gossip key`];
    folder.write(GOSSIP, newGossipKey());
    return { made, needed: [], removed: await renderAll(cluster, folder, made) };
  });
}

/** Adds a new CA before the present ones, which stay trusted. */
export async function rotateCa(
  cluster: Cluster,
  folder: SecretsFolder,
  given: ProvidedCertificates,
  now = new Date(),
): Promise<SecretsChange> {
  return rotating(cluster, folder, async () => {
    const made = [await addCa(cluster, folder, given, now)];
    return { made, needed: [], removed: await renderAll(cluster, folder, made) };
  });
}

/** Writes a new CA, which is in front of the present ones, and its key. @returns the line about it */
export async function addCa(
  cluster: Cluster,
  folder: SecretsFolder,
  given: ProvidedCertificates,
  now: Date,
): Promise<string> {
  const there = required(folder, CA, readCas);
  const { cas, key } = providedCa(given, now) ?? (await newCa(cluster, now));
  const newest = cas[0] as X509Certificate;
  if (newest.fingerprint256 === there[0]?.fingerprint256)
    throw new Error(`${given.ca} is the newest CA of ${folder.named(CA)} already\n  give another one`);
  const fingerprints = cas.map(({ fingerprint256 }) => fingerprint256);
  // Before the key: after an interruption in between, agents still trust the old CA, and another rotation completes the change.
  folder.write(CA, pemOf([...cas, ...there.filter(({ fingerprint256 }) => !fingerprints.includes(fingerprint256))]));
  if (key === undefined) folder.remove(CA_KEY);
  else folder.write(CA_KEY, key);
  return `${key === undefined ? CA : `${CA}, ${CA_KEY}`}: a new CA in front, until ${dayText(expiry(newest))}`;
}

/**
 * Issues new certificates by the newest CA.
 * @param patterns servers' names, or `operator`; without any, all
 */
export async function rotateCertificates(
  cluster: Cluster,
  folder: SecretsFolder,
  patterns: readonly string[],
  given: ProvidedCertificates,
  now = new Date(),
): Promise<SecretsChange> {
  return rotating(cluster, folder, async () => {
    const cas = required(folder, CA, readCas);
    const holders = holdersOf(cluster);
    const names = certificatesNamed(
      holders.map(({ name }) => name),
      patterns,
    );
    const due = holders.filter(({ name }) => names.includes(name)).map((holder) => ({ holder, why: "rotated" }));
    const { made, needed } = await reissue(folder, due, cas, given, now);
    return { made, needed, removed: await renderAll(cluster, folder, made) };
  });
}

/** A shorter name is too much like others: of s4, s1 would be said to be meant, and of a client the server beside it. */
const SUGGESTED_FROM = 6;

function certificatesNamed(names: readonly string[], patterns: readonly string[]): string[] {
  const short = patterns.find(
    (pattern) => pattern.length < SUGGESTED_FROM && !pattern.includes("*") && !names.includes(pattern),
  );
  if (short !== undefined) throw new Error(`there is no certificate of ${short}; there are ${names.join(", ")}`);
  return select("certificate of", names, patterns);
}

/**
 * Creates new SecretIDs. The old ones stay valid until `revoke`.
 * @param patterns tokens' names; without any, all
 */
export async function rotateTokens(
  cluster: Cluster,
  folder: SecretsFolder,
  patterns: readonly string[],
): Promise<SecretsChange> {
  return rotating(cluster, folder, async () => {
    const before = required(folder, TOKENS, readTokens);
    const names = select("token", [...tokensOf(cluster).keys()], patterns);
    folder.write(TOKENS, tokensText(withMissing(cluster, withRetired(before, names))));
    const made = [`${TOKENS}: new SecretIDs of ${names.join(", ")}`];
    return { made, needed: [], removed: await renderAll(cluster, folder, made) };
  });
}

/**
 * Removes replaced secrets: all CAs but the newest, and retiring tokens.
 * @throws while a certificate of an older CA is in use
 */
export async function revoke(cluster: Cluster, folder: SecretsFolder): Promise<SecretsChange> {
  return rotating(cluster, folder, async () => {
    const cas = required(folder, CA, readCas);
    const tokens = required(folder, TOKENS, readTokens);
    const replaced = replacedCas(cas);
    const kept = cas.filter((ca) => !replaced.includes(ca));
    const old = holdersOf(cluster).filter((holder) => !isIssuedByAny(folder, holder, kept));
    if (old.length > 0) {
      const names = old.map(({ name }) => name).join(" ");
      throw new Error(
        `certificates of an older CA are in use: ${names}\n  npm run secrets -- rotate certificates ${names}, deploy, and then revoke`,
      );
    }
    const retired = retiringIds(tokens).length;
    const removed = [
      ...(replaced.length > 0 ? [`${CA}: ${replaced.length} older ${replaced.length === 1 ? "CA" : "CAs"}`] : []),
      ...(retired > 0 ? [`${TOKENS}: ${retired} old ${retired === 1 ? "token" : "tokens"}`] : []),
    ];
    folder.write(CA, pemOf(kept));
    folder.write(TOKENS, tokensText({ current: tokens.current, retiring: new Map() }));
    const made: string[] = [];
    return { made, needed: [], removed: [...removed, ...(await renderAll(cluster, folder, made))] };
  });
}

function isIssuedByAny(folder: SecretsFolder, holder: Holder, cas: readonly X509Certificate[]): boolean {
  const { cert } = readPair(folder, holder);
  return cert !== undefined && issuerOf(certificatesIn(cert), cas) !== undefined;
}
