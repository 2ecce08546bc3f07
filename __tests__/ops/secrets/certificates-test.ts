import "reflect-metadata";
import { KeyObject, webcrypto, X509Certificate } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer, type TLSSocket } from "node:tls";
import * as x509 from "@peculiar/x509";
import { type CertificateAndKey, certificateFlaws, expiry, issuerOf, keyFlaw } from "../../../ops/secrets/certificate";
import { issue, makeCa } from "../../../ops/secrets/certificates";
import { DAY_MS } from "./cluster-secrets";

const NOW = new Date();
const NAMES = { dns: ["server.dc1.consul", "s1.server.dc1.consul", "localhost"], ip: ["127.0.0.1", "10.0.0.1"] };
const parse = ({ cert }: CertificateAndKey) => new X509Certificate(cert);

describe("a CA", () => {
  let ca: CertificateAndKey;
  beforeAll(async () => {
    ca = await makeCa("c", NOW);
  });

  test("is self-signed, valid for ten years, and has its own key", () => {
    expect(parse(ca).ca).toBe(true);
    expect(Math.round((expiry(parse(ca)).getTime() - NOW.getTime()) / DAY_MS)).toBe(3650);
    const own = parse(ca);
    expect(issuerOf([own], [own])).toBe(own);
    expect(keyFlaw(parse(ca), ca.key)).toBeUndefined();
  });
  test("may sign certificates and nothing else, in critical extensions", () => {
    const extensions = new x509.X509Certificate(ca.cert);
    expect(extensions.getExtension(x509.BasicConstraintsExtension)).toMatchObject({ ca: true, critical: true });
    const usages = extensions.getExtension(x509.KeyUsagesExtension);
    expect([usages?.usages, usages?.critical]).toEqual([
      x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
      true,
    ]);
    expect(extensions.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId).toBe(
      extensions.getExtension(x509.AuthorityKeyIdentifierExtension)?.keyId,
    );
  });
  test("has another name than the previous one", async () =>
    expect(parse(await makeCa("c", NOW)).subject).not.toBe(parse(ca).subject));
});

describe("a server's certificate", () => {
  let ca: CertificateAndKey;
  let leaf: CertificateAndKey;
  beforeAll(async () => {
    ca = await makeCa("c", NOW);
    leaf = await issue(ca, { commonName: "s1", names: NAMES }, NOW);
  });

  test("is valid for its names and addresses, as server and client, for a year, and is no CA", () => {
    const certificate = parse(leaf);
    expect(certificateFlaws([certificate], [parse(ca)], NAMES, NOW)).toEqual([]);
    expect(certificate.checkHost("server.dc2.consul")).toBeUndefined();
    expect(certificate.checkIP("10.0.0.2")).toBeUndefined();
    expect(certificate.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
    expect(certificate.ca).toBe(false);
    expect(Math.round((expiry(certificate).getTime() - NOW.getTime()) / DAY_MS)).toBe(365);
  });
  test("is valid already on a host whose clock is behind", () =>
    expect(new Date(parse(leaf).validFrom).getTime()).toBeLessThan(NOW.getTime() - 59 * 60_000));
  test("does not outlive its CA", async () => {
    const old = await makeCa("c", new Date(NOW.getTime() - 3600 * DAY_MS));
    expect(expiry(parse(await issue(old, { commonName: "s1", names: NAMES }, NOW)))).toEqual(expiry(parse(old)));
  });
  test("passes a mutual TLS handshake with the operator's; another CA's does not", async () => {
    const operator = await issue(ca, { commonName: "operator of c" }, NOW);
    const stranger = await issue(await makeCa("c", NOW), { commonName: "operator of c" }, NOW);
    const server = createServer(
      { ...leaf, ca: ca.cert, requestCert: true, rejectUnauthorized: true },
      (socket) => void socket.end("in"),
    );
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const shake = (client: CertificateAndKey, servername: string) => {
      const socket = connect({ port, host: "127.0.0.1", ...client, ca: ca.cert, servername });
      return answer(socket);
    };
    expect(await shake(operator, "server.dc1.consul")).toBe("in");
    expect(await shake(operator, "server.dc2.consul")).toMatch(/ERR_TLS_CERT_ALTNAME_INVALID/);
    expect(await shake(stranger, "server.dc1.consul")).not.toBe("in");
    server.close();
  });
});

/** What a connection receives until it ends, or its error. */
function answer(socket: TLSSocket): Promise<string> {
  return new Promise((resolve) => {
    let said = "";
    socket.on("data", (text) => {
      said += text;
    });
    socket.on("error", ({ message, ...error }: NodeJS.ErrnoException) => resolve(`${error.code} ${message}`));
    socket.on("close", () => resolve(said));
  });
}

describe("a provided CA", () => {
  const ALGORITHMS = {
    "RSA, PKCS#1": [
      { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256", publicExponent: new Uint8Array([1, 0, 1]), modulusLength: 2048 },
      "pkcs1",
    ],
    "RSA, PKCS#8": [
      { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256", publicExponent: new Uint8Array([1, 0, 1]), modulusLength: 2048 },
      "pkcs8",
    ],
    "P-384, SEC 1": [{ name: "ECDSA", namedCurve: "P-384", hash: "SHA-384" }, "sec1"],
    "P-521, PKCS#8": [{ name: "ECDSA", namedCurve: "P-521", hash: "SHA-512" }, "pkcs8"],
    "Ed25519, PKCS#8": [{ name: "Ed25519" }, "pkcs8"],
  } as const;

  test.each(Object.entries(ALGORITHMS))(
    "of %s issues certificates with its subject, byte for byte",
    async (_, [algorithm, type]) => {
      const keys = (await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"])) as webcrypto.CryptoKeyPair;
      const certificate = await x509.X509CertificateGenerator.createSelfSigned({
        name: new x509.Name([
          { C: [{ printableString: "DE" }] },
          { O: [{ utf8String: "Example" }] },
          { CN: [{ bmpString: "Root" }] },
        ]),
        notBefore: new Date(NOW.getTime() - DAY_MS),
        signingAlgorithm: algorithm,
        keys,
        extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
      });
      const key = KeyObject.from(keys.privateKey).export({ type, format: "pem" } as { type: "pkcs8"; format: "pem" });
      const ca = { cert: certificate.toString("pem"), key: key.toString() };
      const leaf = await issue(ca, { commonName: "s1", names: NAMES }, NOW);
      expect(certificateFlaws([parse(leaf)], [parse(ca)], NAMES, NOW)).toEqual([]);
      const raw = (name: x509.Name) => Buffer.from(name.toArrayBuffer()).toString("hex");
      expect(raw(new x509.X509Certificate(leaf.cert).issuerName)).toBe(raw(certificate.subjectName));
      expect(keyFlaw(parse(leaf), leaf.key)).toBeUndefined();
    },
  );
});

test("a certificate chains to its CA by an intermediate CA in its file", async () => {
  const root = await makeCa("root", NOW);
  const keys = await webcrypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
  const rootKey = await webcrypto.subtle.importKey(
    "pkcs8",
    Buffer.from(root.key.replace(/-----[^-]+-----|\s/g, ""), "base64"),
    { name: "ECDSA", namedCurve: "P-256" },
    false,
    ["sign"],
  );
  const between = await x509.X509CertificateGenerator.create({
    subject: "CN=between",
    issuer: new x509.X509Certificate(root.cert).subjectName,
    publicKey: keys.publicKey,
    signingKey: rootKey,
    signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
    extensions: [new x509.BasicConstraintsExtension(true, 0, true)],
  });
  const authority = {
    cert: between.toString("pem"),
    key: KeyObject.from(keys.privateKey).export({ type: "pkcs8", format: "pem" }).toString(),
  };
  const leaf = await issue(authority, { commonName: "s1", names: NAMES }, NOW);
  expect(issuerOf([parse(leaf), parse(authority)], [parse(root)])?.subject).toBe(parse(root).subject);
  expect(issuerOf([parse(leaf)], [parse(root)])).toBeUndefined();
});
