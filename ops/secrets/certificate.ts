import { createPrivateKey, X509Certificate } from "node:crypto";
import { catalogue } from "../../cluster/catalogue";
import type { AgentDescription, Cluster } from "../../cluster/model";
import type { Problem } from "../../cluster/problem";
import { family, isDnsName, isWildcard } from "../../consul/address";

/** A certificate and its private key, as PEM. */
export interface CertificateAndKey {
  readonly cert: string;
  readonly key: string;
}

/** A certificate that expires sooner is reported. */
export const SOON_DAYS = 30;
/** Renews what is reported. */
export const RENEW = `npm run secrets -- rotate --due ${SOON_DAYS}d`;
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

/** Certificates as this program writes them to a file. */
export const pemOf = (certificates: readonly X509Certificate[]): string =>
  certificates.map((certificate) => certificate.toString()).join("");

export const expiry = ({ validTo }: X509Certificate): Date => new Date(validTo);
export const dayText = (date: Date): string => date.toISOString().slice(0, 10);

/** A problem of a certificate or key that has yet to be located. */
export type Flaw = Pick<Problem, "code" | "message">;

const flaw = (code: Flaw["code"], message: string): Flaw => ({ code, message });

export const isError = ({ code }: Flaw): boolean => catalogue[code].severity === "error";

/** Whether a certificate is valid now, and for how long. */
export function timeFlaws(certificate: X509Certificate, now: Date): Flaw[] {
  const ends = expiry(certificate);
  const begins = new Date(certificate.validFrom);
  if (ends >= now && begins > now)
    return [flaw("certificate-not-yet-valid", `is valid from ${begins.toISOString()} only`)];
  return expiryFlaws(ends, now);
}

/** Whether what ends at a time has expired, or expires soon. */
export function expiryFlaws(ends: Date, now: Date): Flaw[] {
  if (ends < now) return [flaw("certificate-expired", `expired on ${dayText(ends)}`)];
  if (ends.getTime() - now.getTime() < SOON_DAYS * DAY_MS)
    return [flaw("certificate-expiring", `expires on ${dayText(ends)}`)];
  return [];
}

/**
 * Why a private key does not fit a certificate.
 * @param whose the certificate's name in the message
 */
export function keyFlaw(certificate: X509Certificate, key: string, whose = "its certificate"): Flaw | undefined {
  try {
    if (certificate.checkPrivateKey(createPrivateKey(key))) return undefined;
    return flaw("key-mismatch", `is not the key of ${whose}`);
  } catch {
    // PKCS#8 and the older formats have the word in their first lines.
    if (key.includes("ENCRYPTED")) return flaw("key-encrypted", "is encrypted with a passphrase");
    return flaw("key-invalid", "has no private key in PEM");
  }
}

/** Why a certificate cannot issue others. */
export const caFlaws = (certificate: X509Certificate): Flaw[] =>
  certificate.ca ? [] : [flaw("certificate-not-ca", "is no certificate of a CA (CA:TRUE)")];

const isIssuedBy = (certificate: X509Certificate, ca: X509Certificate): boolean =>
  certificate.checkIssued(ca) && certificate.verify(ca.publicKey);

/**
 * The trusted CA that a certificate chains to; undefined without one.
 * @param chain the certificate, then its intermediate CAs
 */
export function issuerOf(
  chain: readonly X509Certificate[],
  trusted: readonly X509Certificate[],
): X509Certificate | undefined {
  const [certificate, ...between] = chain;
  if (!certificate) return undefined;
  const next = between.find((ca) => isIssuedBy(certificate, ca));
  return (
    trusted.find((ca) => isIssuedBy(certificate, ca)) ??
    (next && issuerOf([next, ...between.filter((ca) => ca !== next)], trusted))
  );
}

/** CAs that the first of the list, the newest, has replaced: all but itself and the CAs that signed it. */
export function replacedCas(cas: readonly X509Certificate[]): X509Certificate[] {
  const [newest, ...others] = cas;
  const above = newest && others.find((ca) => isIssuedBy(newest, ca));
  return above ? replacedCas([above, ...others.filter((ca) => ca !== above)]) : others;
}

const PURPOSES = { serverAuth: "1.3.6.1.5.5.7.3.1", clientAuth: "1.3.6.1.5.5.7.3.2" } as const;

/**
 * What is wrong with a server's or the operator's certificate.
 * @param chain the certificate, then its intermediate CAs
 * @param names the names it must be valid for; undefined for client authentication, which checks the CA alone
 */
export function certificateFlaws(
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
  const flaws: Flaw[] = [];
  if (!issued) flaws.push(flaw("certificate-untrusted", "is not signed by a CA of ca.pem"));
  if (missing && missing.dns.length + missing.ip.length > 0)
    flaws.push(flaw("certificate-names", `is not valid for ${namesText(missing)}`));
  if (uses && purposes.length > 0)
    flaws.push(flaw("certificate-usage", `is not for ${purposes.join(" and ")} (extended key usage)`));
  return [...flaws, ...timeFlaws(certificate, now)];
}

/** The subject alternative names of a certificate. */
export interface Names {
  readonly dns: readonly string[];
  readonly ip: readonly string[];
}

/**
 * The names and addresses that a server's certificate needs: the names that agents verify (verify_server_hostname), and the addresses of its HTTPS and
 * gRPC ports. Templates and wildcards are not addresses.
 */
export function serverNames(
  { datacenter, network }: Cluster,
  { node, container, host, config, clientAddresses, bindAddr, advertiseAddr }: AgentDescription,
): Names {
  const domain = typeof config.domain === "string" ? config.domain.toLowerCase().replace(/\.$/, "") : "consul";
  const listens = clientAddresses.map((address) => (family(address) === 6 && isWildcard(address) ? "::1" : address));
  const addresses = [host.address, bindAddr, advertiseAddr, ...listens].filter((address) => address !== undefined);
  const unique = (names: readonly string[]) => [...new Set(names)];
  return {
    dns: unique([
      `server.${datacenter}.${domain}`,
      `${node}.server.${datacenter}.${domain}`,
      "localhost",
      ...(network === "bridge" ? [container] : []),
      ...addresses.filter(isDnsName),
    ]),
    ip: unique(["127.0.0.1", ...addresses.filter((address) => family(address) && !isWildcard(address))]),
  };
}

/** `DNS server.dc1.consul, localhost; IP 127.0.0.1` */
export const namesText = ({ dns, ip }: Names): string =>
  [...(dns.length > 0 ? [`DNS ${dns.join(", ")}`] : []), ...(ip.length > 0 ? [`IP ${ip.join(", ")}`] : [])].join("; ");
