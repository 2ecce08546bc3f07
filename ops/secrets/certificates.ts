import "reflect-metadata";
import { createPrivateKey, KeyObject, randomBytes, webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import type { CertificateAndKey, Names } from "./certificate";

/**
 * Issues certificates. Callers load this file on demand, because its library takes a while to load.
 */

const CA_DAYS = 3650;
const CERTIFICATE_DAYS = 365;
/** Certificates are valid from an hour ago, because a host's clock may be behind this machine's. */
const BEFORE_MS = 60 * 60 * 1000;
const DAY_MS = 24 * 60 * 60 * 1000;

/** Every TLS implementation supports P-256, and `consul tls` uses it too. */
const P256 = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

// Node's own implementation, even where a test or a shim has replaced the global one.
x509.cryptoProvider.set("default", webcrypto);

/** A new certificate authority. */
export async function makeCa(cluster: string, now: Date): Promise<CertificateAndKey> {
  const keys = await newKeys();
  // During a rotation a cluster has two CAs. Their names differ, so that TLS libraries find the right one by name.
  const name = new x509.Name([{ CN: [`Consul CA of ${cluster} ${randomBytes(4).toString("hex")}`] }]);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name,
    notBefore: new Date(now.getTime() - BEFORE_MS),
    notAfter: new Date(now.getTime() + CA_DAYS * DAY_MS),
    signingAlgorithm: P256,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return pair(certificate, keys.privateKey);
}

/** Whom a certificate is for: a server, which is also a client of other servers, or a client alone. */
export interface CertificateSubject {
  readonly commonName: string;
  /** A server's names. Without them the certificate is for client authentication alone. */
  readonly names?: Names;
}

/** Issues a certificate, with a new key. It does not outlive its CA. */
export async function issue(
  ca: CertificateAndKey,
  { commonName, names }: CertificateSubject,
  now: Date,
): Promise<CertificateAndKey> {
  const issuer = new x509.X509Certificate(ca.cert);
  const [keys, signing] = await Promise.all([newKeys(), signingKey(ca.key)]);
  const issuerKeyId = issuer.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId;
  const { serverAuth, clientAuth } = x509.ExtendedKeyUsage;
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: new x509.Name([{ CN: [commonName] }]),
    // Byte for byte the CA's own subject, because Go finds a CA by these bytes.
    issuer: issuer.subjectName,
    notBefore: new Date(Math.max(now.getTime() - BEFORE_MS, issuer.notBefore.getTime())),
    notAfter: new Date(Math.min(now.getTime() + CERTIFICATE_DAYS * DAY_MS, issuer.notAfter.getTime())),
    signingAlgorithm: signing.algorithm,
    publicKey: keys.publicKey,
    signingKey: signing.key,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension(names ? [serverAuth, clientAuth] : [clientAuth]),
      ...(names
        ? [
            new x509.SubjectAlternativeNameExtension([
              ...names.dns.map((value) => ({ type: "dns" as const, value })),
              ...names.ip.map((value) => ({ type: "ip" as const, value })),
            ]),
          ]
        : []),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      issuerKeyId
        ? new x509.AuthorityKeyIdentifierExtension(issuerKeyId)
        : await x509.AuthorityKeyIdentifierExtension.create(await issuer.publicKey.export()),
    ],
  });
  return pair(certificate, keys.privateKey);
}

const newKeys = () => webcrypto.subtle.generateKey(P256, true, ["sign", "verify"]);

const pair = (certificate: x509.X509Certificate, key: webcrypto.CryptoKey): CertificateAndKey => ({
  cert: `${certificate.toString("pem")}\n`,
  key: KeyObject.from(key).export({ type: "pkcs8", format: "pem" }).toString(),
});

/** 127 random bits, because a serial number is positive. */
function serial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] as number) & 0x7f) | 0x40;
  return bytes.toString("hex");
}

const CURVES: Readonly<Record<string, { readonly namedCurve: string; readonly hash: string }>> = {
  prime256v1: { namedCurve: "P-256", hash: "SHA-256" },
  secp384r1: { namedCurve: "P-384", hash: "SHA-384" },
  secp521r1: { namedCurve: "P-521", hash: "SHA-512" },
};

/**
 * Reads a CA's key in PKCS#8, SEC 1 or PKCS#1.
 * @throws for a kind of key that TLS does not use
 */
async function signingKey(
  pem: string,
): Promise<{ key: webcrypto.CryptoKey; algorithm: { name: string; hash?: string } }> {
  const key = createPrivateKey(pem);
  const curve = CURVES[key.asymmetricKeyDetails?.namedCurve ?? ""];
  const algorithms: Readonly<Record<string, { name: string; hash?: string; namedCurve?: string } | undefined>> = {
    ec: curve && { name: "ECDSA", ...curve },
    rsa: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
    ed25519: { name: "Ed25519" },
  };
  const algorithm = algorithms[key.asymmetricKeyType ?? ""];
  if (!algorithm)
    throw new Error(
      "the CA's key is of a kind that cannot sign here\n  use an RSA key, or an EC one of P-256, P-384 or P-521",
    );
  const der = key.export({ type: "pkcs8", format: "der" });
  return { key: await webcrypto.subtle.importKey("pkcs8", der, algorithm, false, ["sign"]), algorithm };
}
