import { createPrivateKey, X509Certificate } from "node:crypto";
import { type Names, namesText } from "./server-names";

/** A certificate and its private key, as PEM. */
export interface CertificateAndKey {
  readonly cert: string;
  readonly key: string;
}

/** From then on a certificate is to be renewed. */
export const SOON_DAYS = 30;
const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * The certificates of a PEM file, in its order.
 * @throws when there is none, or one is damaged
 */
export function certificatesIn(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw new Error("there is no PEM certificate in it");
  return blocks.map((block) => {
    try {
      return new X509Certificate(block);
    } catch {
      throw new Error("a certificate in it is damaged");
    }
  });
}

/** A certificate as this program writes it. */
export const pemOf = (certificates: readonly X509Certificate[]): string =>
  certificates.map((certificate) => certificate.toString()).join("");

export const expiry = ({ validTo }: X509Certificate): Date => new Date(validTo);
export const dayText = (date: Date): string => date.toISOString().slice(0, 10);

/** What is wrong, in a clause: fit to follow the name of a file. */
export interface Flaw {
  readonly severity: "error" | "warning";
  readonly what: string;
}

const error = (what: string): Flaw => ({ severity: "error", what });

/** Whether a certificate is of this day. */
export function timeFlaws(certificate: X509Certificate, now: Date): Flaw[] {
  const ends = expiry(certificate);
  const begins = new Date(certificate.validFrom);
  if (ends < now) return [error(`expired on ${dayText(ends)}`)];
  if (begins > now) return [error(`is valid from ${begins.toISOString()} only`)];
  if (ends.getTime() - now.getTime() < SOON_DAYS * DAY_MS)
    return [{ severity: "warning", what: `expires on ${dayText(ends)}` }];
  return [];
}

/**
 * Whether a private key is that of a certificate.
 * @param whose what the certificate is called for people
 */
export function keyFlaw(certificate: X509Certificate, key: string, whose = "its certificate"): string | undefined {
  try {
    return certificate.checkPrivateKey(createPrivateKey(key)) ? undefined : `is not the key of ${whose}`;
  } catch {
    // PKCS#8, and what came before it, say so in their first lines.
    return key.includes("ENCRYPTED") ? "is encrypted with a passphrase" : "has no private key in PEM";
  }
}

/** Whether a certificate can issue others. */
export const caFlaws = (certificate: X509Certificate): Flaw[] =>
  certificate.ca ? [] : [error("is no certificate of a CA (CA:TRUE)")];

const isIssuedBy = (certificate: X509Certificate, ca: X509Certificate): boolean =>
  certificate.checkIssued(ca) && certificate.verify(ca.publicKey);

/**
 * The CA, of those trusted, that a certificate goes back to; undefined when there is none.
 * @param chain the certificate, and those between it and its CA
 */
export function issuerOf(
  chain: readonly X509Certificate[],
  trusted: readonly X509Certificate[],
): X509Certificate | undefined {
  const [certificate, ...between] = chain;
  if (!certificate) return undefined;
  const next = between.find((one) => isIssuedBy(certificate, one));
  return (
    trusted.find((ca) => isIssuedBy(certificate, ca)) ??
    (next && issuerOf([next, ...between.filter((one) => one !== next)], trusted))
  );
}

/** CAs of a list that the first of them, the newest, has replaced: neither it nor any above it. */
export function replacedCas(cas: readonly X509Certificate[]): X509Certificate[] {
  const [newest, ...others] = cas;
  const above = newest && others.find((ca) => isIssuedBy(newest, ca));
  return above ? replacedCas([above, ...others.filter((ca) => ca !== above)]) : others;
}

const PURPOSES = { serverAuth: "1.3.6.1.5.5.7.3.1", clientAuth: "1.3.6.1.5.5.7.3.2" } as const;

/**
 * What is wrong with a leaf certificate.
 * @param chain the certificate, and those between it and its CA
 * @param names what it has to be valid for; undefined for a client's, which is known by its CA alone
 */
export function leafFlaws(
  chain: readonly X509Certificate[],
  trusted: readonly X509Certificate[],
  names: Names | undefined,
  now: Date,
): Flaw[] {
  const certificate = chain[0] as X509Certificate;
  const issued = issuerOf(chain, trusted) !== undefined;
  const missing = names && {
    dns: names.dns.filter((name) => certificate.checkHost(name, { subject: "never" }) === undefined),
    ip: names.ip.filter((address) => certificate.checkIP(address) === undefined),
  };
  const uses: readonly string[] | undefined = certificate.keyUsage;
  const purposes = (names ? (["serverAuth", "clientAuth"] as const) : (["clientAuth"] as const)).filter(
    (name) => !uses?.includes(PURPOSES[name]),
  );
  return [
    ...(issued ? [] : [error("is not signed by a CA of ca.pem")]),
    ...(missing && missing.dns.length + missing.ip.length > 0 ? [error(`is not valid for ${namesText(missing)}`)] : []),
    ...(uses && purposes.length > 0 ? [error(`is not for ${purposes.join(" and ")} (extended key usage)`)] : []),
    ...timeFlaws(certificate, now),
  ];
}
