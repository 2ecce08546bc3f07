import type { X509Certificate } from "node:crypto";
import type { Cluster } from "../../cluster/model";
import { select } from "../deploy/arguments";
import { certificatesIn, dayText, expiry, issuerOf, pemOf, replacedCas } from "./certificate";
import type { SecretsFolder } from "./folder";
import { refuseImported } from "./imported";
import { type Done, newCa, newGossipKey, renderAll } from "./initialize";
import { changing } from "./owner";
import { type ProvidedCertificates, providedCa } from "./provided";
import { reissue } from "./reissue";
import { CA, CA_KEY, GOSSIP, type Holder, holdersOf, readCas, readPair, readTokens, required, TOKENS } from "./sources";
import { complete, retiringIds, retiringToo, tokensOf, tokensText } from "./tokens";

/**
 * Rotations change the folder alone: a deploy brings them to the cluster. What is replaced stays valid beside the new until `retire`, so that agents
 * can go over one by one. Of the gossip key, the cluster's keyring has the old one as long as that is needed.
 */

/** Does what rotates secrets, where they are kept. */
function rotating(cluster: Cluster, folder: SecretsFolder, work: () => Promise<Done>): Promise<Done> {
  folder.refuseAbsent();
  refuseImported(cluster, folder, "what a rotation changes");
  return changing(cluster, folder, work);
}

/** A new gossip key. */
export async function rotateGossip(cluster: Cluster, folder: SecretsFolder): Promise<Done> {
  return rotating(cluster, folder, async () => {
    const made = [`${GOSSIP}: a new gossip key`];
    folder.write(GOSSIP, newGossipKey());
    return { made, needed: [], removed: await renderAll(cluster, folder, made) };
  });
}

/** A new CA in front of those that there are, which stay trusted. */
export async function rotateCa(
  cluster: Cluster,
  folder: SecretsFolder,
  given: ProvidedCertificates,
  now = new Date(),
): Promise<Done> {
  return rotating(cluster, folder, async () => {
    const there = required(folder, CA, readCas);
    const { cas, key } = providedCa(given, now) ?? (await newCa(cluster, now));
    const newest = cas[0] as X509Certificate;
    if (newest.fingerprint256 === there[0]?.fingerprint256)
      throw new Error(`${given.ca} is the newest CA of ${folder.named(CA)} already\n  give another one`);
    const fingerprints = cas.map(({ fingerprint256 }) => fingerprint256);
    // Before the key: a run that is interrupted between them leaves agents that trust the old CA still, and another rotation mends it.
    folder.write(CA, pemOf([...cas, ...there.filter(({ fingerprint256 }) => !fingerprints.includes(fingerprint256))]));
    if (key === undefined) folder.remove(CA_KEY);
    else folder.write(CA_KEY, key);
    const made = [
      `${key === undefined ? CA : `${CA}, ${CA_KEY}`}: a new CA in front, until ${dayText(expiry(newest))}`,
    ];
    return { made, needed: [], removed: await renderAll(cluster, folder, made) };
  });
}

/**
 * New leaf certificates by the newest CA.
 * @param patterns servers' names, or `operator`; none: all
 */
export async function rotateCertificates(
  cluster: Cluster,
  folder: SecretsFolder,
  patterns: readonly string[],
  given: ProvidedCertificates,
  now = new Date(),
): Promise<Done> {
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
 * New SecretIDs; the old ones retire.
 * @param patterns tokens' names; none: all
 */
export async function rotateTokens(
  cluster: Cluster,
  folder: SecretsFolder,
  patterns: readonly string[],
): Promise<Done> {
  return rotating(cluster, folder, async () => {
    const before = required(folder, TOKENS, readTokens);
    const names = select("token", [...tokensOf(cluster).keys()], patterns);
    folder.write(TOKENS, tokensText(complete(cluster, retiringToo(before, names))));
    const made = [`${TOKENS}: new SecretIDs of ${names.join(", ")}`];
    return { made, needed: [], removed: await renderAll(cluster, folder, made) };
  });
}

/**
 * Drops what rotations replaced: all CAs but the newest, and tokens that are retiring.
 * @throws while a certificate goes back to an older CA
 */
export async function revoke(cluster: Cluster, folder: SecretsFolder): Promise<Done> {
  return rotating(cluster, folder, async () => {
    const [cas, tokens] = [required(folder, CA, readCas), required(folder, TOKENS, readTokens)];
    const replaced = replacedCas(cas);
    const kept = cas.filter((ca) => !replaced.includes(ca));
    const old = holdersOf(cluster).filter((holder) => !isIssuedByOne(folder, holder, kept));
    if (old.length > 0) {
      const names = old.map(({ name }) => name).join(" ");
      throw new Error(
        `certificates of an older CA are in use: ${names}\n  npm run secrets -- rotate leaves ${names}, deploy, and then retire what it replaced`,
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

function isIssuedByOne(folder: SecretsFolder, holder: Holder, cas: readonly X509Certificate[]): boolean {
  const { cert } = readPair(folder, holder);
  return cert !== undefined && issuerOf(certificatesIn(cert), cas) !== undefined;
}
