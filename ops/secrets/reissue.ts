import type { X509Certificate } from "node:crypto";
import { type CertificateAndKey, certificatesIn, dayText, expiry } from "./certificate";
import type { SecretsFolder } from "./folder";
import { type ProvidedCertificates, providedPair } from "./provided";
import { type Names, namesText } from "./server-names";
import { type Holder, readAuthority } from "./sources";

/** A certificate that has to come from a CA that is kept elsewhere. */
export interface Need extends Partial<Names> {
  readonly name: string;
  readonly why: string;
}

export interface Renewed {
  /** A line each. */
  readonly made: string[];
  readonly needed: Need[];
}

/** A holder that is to have a new certificate, and why. */
export interface Due {
  readonly holder: Holder;
  readonly why: string;
}

/**
 * Gives holders new certificates: those that were given, else by the newest CA, as far as its key is here.
 * @throws before anything is written, when one that was given does not fit
 */
export async function reissue(
  folder: SecretsFolder,
  due: readonly Due[],
  cas: readonly X509Certificate[],
  given: ProvidedCertificates,
  now: Date,
): Promise<Renewed> {
  if (due.length === 0) return { made: [], needed: [] };
  const taken = due.map(({ holder }) => providedPair(given, holder, cas, now));
  const authority = taken.includes(undefined) ? readAuthority(folder, now) : undefined;
  const issue = authority && (await import("./certificates")).issue;
  const made: string[] = [];
  const needed: Need[] = [];
  for (const [index, { holder, why }] of due.entries()) {
    const pair = taken[index] ?? (authority && (await issue?.(authority, holder, now)));
    if (!pair) {
      needed.push({ name: holder.name, why, ...holder.names });
      continue;
    }
    writePair(folder, holder, pair);
    const until = dayText(expiry(certificatesIn(pair.cert)[0] as X509Certificate));
    const from = taken[index] ? "taken from --leaves" : "issued";
    made.push(
      `${holder.folder}/cert.pem, key.pem: ${from}, until ${until}${holder.names ? `, for ${namesText(holder.names)}` : ""} (${why})`,
    );
  }
  return { made, needed };
}

/** The key first: what is written halfway is a certificate with another's key, which `init` finds and makes anew. */
function writePair(folder: SecretsFolder, holder: Holder, { cert, key }: CertificateAndKey): void {
  folder.write(`${holder.folder}/key.pem`, key);
  folder.write(`${holder.folder}/cert.pem`, cert);
}

/**
 * What to ask of a CA that is kept elsewhere.
 * @param command that takes the certificates
 */
export function needsText(needed: readonly Need[], command: string): string {
  const lines = needed.map(({ name, why, dns = [], ip = [] }) => {
    const names = namesText({ dns, ip });
    return `  ${name}.pem, ${name}-key.pem (${why}): ${names === "" ? "client authentication" : `server and client authentication; ${names}`}`;
  });
  return [
    "the CA's key is not here, so these certificates have to be issued where it is:",
    ...lines,
    `  put them into a folder, then: npm run secrets -- ${command} --leaves FOLDER`,
  ].join("\n");
}
