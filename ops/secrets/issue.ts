import type { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type CertificateAndKey,
  caFlaws,
  certificatesIn,
  dayText,
  expiry,
  isError,
  keyFlaw,
  type Names,
  namesText,
  pemOf,
  timeFlaws,
} from "./certificate";
import type { SecretsFolder } from "./folder";
import { type Holder, pairFlaws, readAuthority, readPair } from "./sources";

/** Certificates and keys that were issued elsewhere: paths, as given on the command line. */
export interface ProvidedCertificates {
  /** PEM of a CA. */
  readonly ca?: string;
  /** The CA's key. Without it, certificates are issued elsewhere. */
  readonly caKey?: string;
  /** Folder of <agent>.pem and <agent>-key.pem. */
  readonly certificates?: string;
}

function readProvided(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new Error(
      `${file} cannot be read: ${(error as NodeJS.ErrnoException).code}\n  name a PEM file that this user can read`,
    );
  }
}

/**
 * Reads a provided CA.
 * @throws when it is no CA, is not valid today, or the key belongs to another certificate
 */
export function providedCa(
  { ca, caKey }: ProvidedCertificates,
  now: Date,
): { readonly cas: readonly X509Certificate[]; readonly key?: string } | undefined {
  if (ca === undefined) {
    if (caKey !== undefined) throw new Error("--ca-key needs --ca\n  name the CA's certificate too: --ca FILE");
    return undefined;
  }
  const cas = providedCertificates(ca);
  const newest = cas[0] as X509Certificate;
  const flaw = [...caFlaws(newest), ...timeFlaws(newest, now)].find(isError);
  if (flaw)
    throw new Error(
      `${ca}: its first certificate ${flaw.message}\n  give the CA that issues the agents' certificates, first in its file`,
    );
  const key = caKey === undefined ? undefined : readProvided(caKey);
  const ofKey = key === undefined ? undefined : keyFlaw(newest, key, `the first certificate in ${ca}`);
  if (ofKey) throw new Error(`${caKey} ${ofKey.message}\n  give that CA's own key, as PEM and decrypted`);
  return { cas, key };
}

function providedCertificates(file: string): X509Certificate[] {
  const text = readProvided(file);
  try {
    return certificatesIn(text);
  } catch (error) {
    throw new Error(`${file} cannot be used: ${(error as Error).message}\n  give a PEM file`);
  }
}

/**
 * Reads a holder's provided certificate; undefined when the folder has none for it.
 * @throws with everything that is wrong with the certificate
 */
function providedPair(
  { certificates: folder }: ProvidedCertificates,
  { name, names }: Holder,
  trusted: readonly X509Certificate[],
  now: Date,
): CertificateAndKey | undefined {
  if (folder === undefined) return undefined;
  const files = { "cert.pem": join(folder, `${name}.pem`), "key.pem": join(folder, `${name}-key.pem`) };
  const read = (file: string): string | undefined => {
    try {
      return readFileSync(file, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw new Error(`${file} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
    }
  };
  const given = { cert: read(files["cert.pem"]), key: read(files["key.pem"]) };
  if (given.cert === undefined && given.key === undefined) return undefined;
  const errors = pairFlaws(given, trusted, names, now).filter(isError);
  if (errors.length > 0)
    throw new Error(
      `${errors.map(({ file, message }) => `${files[file]} ${message}`).join("\n")}\n  have a new certificate issued`,
    );
  return { cert: pemOf(certificatesIn(given.cert as string)), key: given.key as string };
}

/** A certificate that must be issued elsewhere, because the CA's key is not here. */
export interface NeededCertificate extends Partial<Names> {
  readonly name: string;
  readonly why: string;
}

export interface Reissued {
  /** One line for each certificate. */
  readonly made: string[];
  readonly needed: NeededCertificate[];
}

/** A holder that needs a new certificate, and why. */
export interface Due {
  readonly holder: Holder;
  readonly why: string;
}

/** Why a holder needs a new certificate at once: nobody accepts the present one, or there is none. */
export function whyUnusable(
  folder: SecretsFolder,
  holder: Holder,
  cas: readonly X509Certificate[],
  now: Date,
): string | undefined {
  const pair = readPair(folder, holder);
  const errors = pairFlaws(pair, cas, holder.names, now).filter(isError);
  if (errors.length === 0) return undefined;
  const whole = pair.cert !== undefined && pair.key !== undefined;
  return whole ? `the old one ${errors.map(({ message }) => message).join(", ")}` : "new";
}

/**
 * Gives holders new certificates: provided ones, otherwise issued by the newest CA if its key is here.
 * @throws before anything is written, when a provided certificate does not fit
 */
export async function reissue(
  folder: SecretsFolder,
  due: readonly Due[],
  cas: readonly X509Certificate[],
  given: ProvidedCertificates,
  now: Date,
): Promise<Reissued> {
  if (due.length === 0) return { made: [], needed: [] };
  const provided = due.map(({ holder }) => providedPair(given, holder, cas, now));
  const authority = provided.includes(undefined) ? readAuthority(folder, now) : undefined;
  const issue = authority && (await import("./certificates")).issue;
  const made: string[] = [];
  const needed: NeededCertificate[] = [];
  for (const [index, { holder, why }] of due.entries()) {
    const pair = provided[index] ?? (authority && (await issue?.(authority, holder, now)));
    if (!pair) {
      needed.push({ name: holder.name, why, ...holder.names });
      continue;
    }
    writePair(folder, holder, pair);
    const until = dayText(expiry(certificatesIn(pair.cert)[0] as X509Certificate));
    const from = provided[index] ? "taken from --certificates" : "issued";
    made.push(
      `${holder.folder}/cert.pem, key.pem: ${from}, until ${until}${holder.names ? `, for ${namesText(holder.names)}` : ""} (${why})`,
    );
  }
  return { made, needed };
}

/** The key is written first: an interrupted write leaves a certificate with another key, which `init` finds and reissues. */
function writePair(folder: SecretsFolder, holder: Holder, { cert, key }: CertificateAndKey): void {
  folder.write(`${holder.folder}/key.pem`, key);
  folder.write(`${holder.folder}/cert.pem`, cert);
}

/**
 * Lists the certificates that the CA's owner has to issue.
 * @param command the command that takes them
 */
export function neededText(needed: readonly NeededCertificate[], command: string): string {
  const lines = needed.map(({ name, why, dns = [], ip = [] }) => {
    const names = namesText({ dns, ip });
    return `  ${name}.pem, ${name}-key.pem (${why}): ${names === "" ? "client authentication" : `server and client authentication; ${names}`}`;
  });
  return [
    "the CA's key is not here, so these certificates have to be issued where it is:",
    ...lines,
    `  put them into a folder, then: npm run secrets -- ${command} --certificates FOLDER`,
  ].join("\n");
}
