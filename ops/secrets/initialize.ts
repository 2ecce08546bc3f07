import type { X509Certificate } from "node:crypto";
import { randomBytes } from "node:crypto";
import type { Cluster } from "../../cluster/model";
import { certificatesIn, dayText, expiry, pemOf } from "./certificate";
import type { SecretsFolder } from "./folder";
import { refuseImported } from "./imported";
import { changing } from "./owner";
import { type ProvidedCertificates, providedCa } from "./provided";
import { type Due, type Need, reissue } from "./reissue";
import { bringUpToDate } from "./render";
import {
  AGENTS,
  CA,
  CA_KEY,
  GOSSIP,
  holdersOf,
  missing,
  pairFlaws,
  readCas,
  readGossip,
  readPair,
  readTokens,
  required,
  TOKENS,
} from "./sources";
import { complete, NO_TOKENS, retiringToo, type Tokens, tokensOf, tokensText } from "./tokens";

/** What was done to a folder of secrets, a line each. */
export interface Done {
  readonly made: readonly string[];
  readonly removed: readonly string[];
  /** What only a CA that is kept elsewhere can make. */
  readonly needed: readonly Need[];
}

/** Makes what a cluster lacks of its secrets, and what is not fit for use any more; leaves the rest as it is, to the byte. */
export async function initialize(
  cluster: Cluster,
  folder: SecretsFolder,
  given: ProvidedCertificates,
  now = new Date(),
): Promise<Done> {
  const ofCa = providedCa(given, now);
  if (given.leaves !== undefined && !ofCa && readCas(folder) === undefined)
    throw new Error(
      "--leaves needs the CA that issued them, for there is none yet\n  name its certificate too: --ca FILE",
    );
  folder.make();
  return changing(cluster, folder, () => makeWhatLacks(cluster, folder, { ...given, ofCa }, now));
}

type Prepared = ProvidedCertificates & { readonly ofCa: ReturnType<typeof providedCa> };

async function makeWhatLacks(cluster: Cluster, folder: SecretsFolder, given: Prepared, now: Date): Promise<Done> {
  const made: string[] = [];
  const cas = await initializeCa(cluster, folder, given.ofCa, made, now);
  if (readGossip(folder) === undefined) {
    refuseIfInUse(folder, GOSSIP);
    refuseImported(cluster, folder, GOSSIP);
    folder.write(GOSSIP, newGossipKey());
    made.push(`${GOSSIP}: a gossip key`);
  }
  made.push(...initializeTokens(cluster, folder));

  const due = holdersOf(cluster).flatMap((holder): Due[] => {
    const pair = readPair(folder, holder);
    const whole = pair.cert !== undefined && pair.key !== undefined;
    const errors = pairFlaws(pair, cas, holder.names, now).filter(({ severity }) => severity === "error");
    return errors.length > 0
      ? [{ holder, why: whole ? `the old one ${errors.map(({ what }) => what).join(", ")}` : "new" }]
      : [];
  });
  if (due.length > 0)
    refuseImported(cluster, folder, `certificates of ${due.map(({ holder }) => holder.name).join(", ")}`);
  const renewed = await reissue(folder, due, cas, given, now);
  made.push(...renewed.made);
  return { made, needed: renewed.needed, removed: await renderAll(cluster, folder, made) };
}

/** Renders what agents are given, from what is in the folder; says what was made, and returns what was removed. */
export async function renderAll(cluster: Cluster, folder: SecretsFolder, made: string[]): Promise<string[]> {
  const ca = required(folder, CA, () => folder.read(CA));
  const [gossip, tokens] = [required(folder, GOSSIP, readGossip), required(folder, TOKENS, readTokens)];
  const { written, removed } = bringUpToDate(cluster, folder, { ca, gossip, tokens });
  const [first, ...others] = written;
  if (first !== undefined)
    made.push(`${first}${others.length > 0 ? `, and ${others.length} more files` : ""}: from what changed`);
  return removed;
}

/** One line of base64. 32 bytes are AES-256. */
export const newGossipKey = (): string => `${randomBytes(32).toString("base64")}\n`;

/** Another one would not fit a cluster that runs. */
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
      refuseImported(cluster, folder, CA_KEY);
      folder.write(CA_KEY, given.key);
      made.push(`${CA_KEY}: the CA's key, as it was given`);
    }
    return there;
  }
  refuseIfInUse(folder, CA);
  refuseImported(cluster, folder, CA);
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

/** Tokens of agents that left the file, and of its own that were taken out of it, retire: a line that is put back by mistake stops nobody. */
function initializeTokens(cluster: Cluster, folder: SecretsFolder): string[] {
  const there = readTokens(folder);
  if (!there) refuseIfInUse(folder, TOKENS);
  const before: Tokens = there ?? NO_TOKENS;
  const needed = tokensOf(cluster);
  const obsolete = [...before.current.keys()].filter((name) => !needed.has(name));
  const after = complete(cluster, retiringToo(before, obsolete));
  const added = [...needed.keys()].filter((name) => !before.current.has(name));
  if (added.length + obsolete.length === 0) return [];
  refuseImported(cluster, folder, `tokens of ${[...added, ...obsolete].join(", ")}`);
  folder.write(TOKENS, tokensText(after));
  const said = (names: readonly string[]) =>
    names.length > 8 ? `${names.slice(0, 7).join(", ")} and ${names.length - 7} more` : names.join(", ");
  return [
    ...(added.length > 0 ? [`${TOKENS}: SecretIDs of ${said(added)}`] : []),
    ...(obsolete.length > 0 ? [`${TOKENS}: retiring now, since nobody needs them: ${said(obsolete)}`] : []),
  ];
}
