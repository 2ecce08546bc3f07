import * as fs from "node:fs";
import * as path from "node:path";
import { run } from "./command";
import { type Machine, RUN_FOLDER } from "./world";

/**
 * Certificates for the daemons' TLS ports, made with openssl: one authority, one certificate for each host, one for
 * the operator.
 */

const AUTHORITY = path.join(RUN_FOLDER, "tls");

/** Files of a certificate, named as Docker's CLI expects them in its certificate folder. */
export interface Certificate {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** Makes the authority, unless it exists; everything else here needs it. */
export async function ensureAuthority(): Promise<void> {
  const { ca } = certificateIn(AUTHORITY);
  if (fs.existsSync(ca)) return;
  fs.mkdirSync(AUTHORITY, { recursive: true, mode: 0o700 });
  await openssl(
    "req",
    "-x509",
    ...NEW_KEY,
    "-keyout",
    authorityKey(),
    "-out",
    `${ca}.unfinished`,
    "-days",
    "3650",
    "-subj",
    "/CN=test bed authority",
    "-addext",
    "keyUsage=critical,keyCertSign,cRLSign",
  );
  fs.renameSync(`${ca}.unfinished`, ca);
}

/** A daemon's certificate, valid for the host's address and name. */
export function ensureServerCertificate(host: Machine, folder: string): Promise<Certificate> {
  return ensureCertificate(folder, host.name, [
    `subjectAltName=IP:${host.address},DNS:${host.name}`,
    "extendedKeyUsage=serverAuth",
  ]);
}

/** The operator's certificate, in a folder that Docker's CLI takes as DOCKER_CERT_PATH. */
export function ensureClientCertificate(folder: string): Promise<Certificate> {
  return ensureCertificate(folder, "operator", ["extendedKeyUsage=clientAuth"]);
}

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

async function ensureCertificate(folder: string, name: string, extensions: string[]): Promise<Certificate> {
  const made = certificateIn(folder);
  const authority = certificateIn(AUTHORITY);
  if (fs.existsSync(made.ca)) return made;
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  const request = path.join(folder, "request.pem");
  const extensionFile = path.join(folder, "extensions.conf");
  fs.writeFileSync(extensionFile, `${extensions.join("\n")}\n`);
  await openssl("req", "-new", ...NEW_KEY, "-keyout", made.key, "-out", request, "-subj", `/CN=${name}`);
  await openssl(
    "x509",
    "-req",
    "-in",
    request,
    "-CA",
    authority.ca,
    "-CAkey",
    authorityKey(),
    "-CAcreateserial",
    "-CAserial",
    path.join(folder, "serial"),
    "-days",
    "3650",
    "-extfile",
    extensionFile,
    "-out",
    made.cert,
  );
  for (const file of [request, extensionFile, path.join(folder, "serial")]) fs.rmSync(file, { force: true });
  // Last, since its presence means that the others are complete.
  fs.copyFileSync(authority.ca, made.ca);
  return made;
}

function certificateIn(folder: string): Certificate {
  return { ca: path.join(folder, "ca.pem"), cert: path.join(folder, "cert.pem"), key: path.join(folder, "key.pem") };
}

function authorityKey(): string {
  return path.join(AUTHORITY, "ca-key.pem");
}

async function openssl(...args: string[]): Promise<void> {
  await run("openssl", args);
}
