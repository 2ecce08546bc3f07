import type { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type CertificateAndKey, caFlaws, certificatesIn, keyFlaw, pemOf, timeFlaws } from "./certificate";
import { type Holder, pairFlaws } from "./sources";

/** Material that somebody else made: paths, as they were given on the command line. */
export interface ProvidedCertificates {
  /** PEM of a CA. */
  readonly ca?: string;
  /** Its key; without it the CA is kept elsewhere. */
  readonly caKey?: string;
  /** Folder of <agent>.pem and <agent>-key.pem. */
  readonly leaves?: string;
}

function readGiven(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new Error(
      `${file} cannot be read: ${(error as NodeJS.ErrnoException).code}\n  name a PEM file that this user can read`,
    );
  }
}

/**
 * Reads a CA that was given.
 * @throws when it is none, is not of this day, or the key is another's
 */
export function providedCa(
  { ca, caKey }: ProvidedCertificates,
  now: Date,
): { readonly cas: readonly X509Certificate[]; readonly key?: string } | undefined {
  if (ca === undefined) {
    if (caKey !== undefined) throw new Error("--ca-key needs --ca\n  name the CA's certificate too: --ca FILE");
    return undefined;
  }
  const cas = certificatesOf(ca);
  const newest = cas[0] as X509Certificate;
  const flaw = [...caFlaws(newest), ...timeFlaws(newest, now)].find(({ severity }) => severity === "error");
  if (flaw)
    throw new Error(
      `${ca}: its first certificate ${flaw.what}\n  give the CA that issues the agents' certificates, first in its file`,
    );
  const key = caKey === undefined ? undefined : readGiven(caKey);
  const ofKey = key === undefined ? undefined : keyFlaw(newest, key, `the first certificate in ${ca}`);
  if (ofKey) throw new Error(`${caKey} ${ofKey}\n  give that CA's own key, as PEM and decrypted`);
  return { cas, key };
}

function certificatesOf(file: string): X509Certificate[] {
  const text = readGiven(file);
  try {
    return certificatesIn(text);
  } catch (error) {
    throw new Error(`${file} cannot be used: ${(error as Error).message}\n  give a PEM file`);
  }
}

/**
 * Reads a holder's certificate that was given; undefined when there is none for it.
 * @throws with everything that is wrong with it
 */
export function providedPair(
  { leaves }: ProvidedCertificates,
  { name, names }: Holder,
  trusted: readonly X509Certificate[],
  now: Date,
): CertificateAndKey | undefined {
  if (leaves === undefined) return undefined;
  const files = { "cert.pem": join(leaves, `${name}.pem`), "key.pem": join(leaves, `${name}-key.pem`) };
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
  const errors = pairFlaws(given, trusted, names, now).filter(({ severity }) => severity === "error");
  if (errors.length > 0)
    throw new Error(`${errors.map(({ file, what }) => `${files[file]} ${what}`).join("\n")}\n  have it issued anew`);
  return { cert: `${pemOf(certificatesIn(given.cert as string))}`, key: given.key as string };
}
