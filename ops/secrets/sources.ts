import type { X509Certificate } from "node:crypto";
import type { AgentDescription, Cluster } from "../../cluster/model";
import {
  type CertificateAndKey,
  caFlaws,
  certificateFlaws,
  certificatesIn,
  type Flaw,
  isError,
  keyFlaw,
  type Names,
  serverNames,
  timeFlaws,
} from "./certificate";
import { RECOVER, SecretsError, type SecretsFolder } from "./folder";
import { parseTokens, type Tokens } from "./tokens";

/** File names of the sources, from which all other files are rendered. */
export const CA = "ca.pem";
export const CA_KEY = "ca-key.pem";
export const GOSSIP = "gossip.key";
export const TOKENS = "tokens.json";
/** Hashes of agents' former secrets, which no rendering gives again. */
export const HISTORY = "history.txt";
export const OPERATOR = "operator";
/** The certificate and the token of programs that scrape metrics. */
export const METRICS = "metrics";
export const AGENTS = "agents";

/** The certificate that the CA's key must fit. */
export const NEWEST_CA = `the first certificate in ${CA}`;

const SOURCE = new RegExp(
  `^(?:${[CA, CA_KEY, GOSSIP, TOKENS, HISTORY].join("|").replaceAll(".", "\\.")}|(?:${OPERATOR}|${METRICS}|${AGENTS}/[a-z][a-z0-9-]*)/(?:cert|key)\\.pem)$`,
);

/** Whether a file of the folder is a source. */
export const isSource = (file: string): boolean => SOURCE.test(file);

/** The holder of a certificate: a server, the operator, or programs that scrape metrics. */
export interface Holder {
  /** The agent's name, `operator`, or `metrics`. */
  readonly name: string;
  /** Path in the secrets folder. */
  readonly folder: string;
  readonly commonName: string;
  /** The names that the certificate needs; undefined for client authentication. */
  readonly names?: Names;
}

export const agentFolder = ({ name }: Pick<AgentDescription, "name">): string => `${AGENTS}/${name}`;

/** All holders of certificates. Client agents get theirs from the servers (auto_encrypt). */
export function holdersOf(cluster: Cluster): Holder[] {
  const servers = cluster.agents.filter(({ role }) => role === "server");
  return [
    ...servers.map((agent) => ({
      name: agent.name,
      folder: agentFolder(agent),
      commonName: agent.node,
      names: serverNames(cluster, agent),
    })),
    { name: OPERATOR, folder: OPERATOR, commonName: `operator of ${cluster.name}` },
    ...(cluster.metrics ? [{ name: METRICS, folder: METRICS, commonName: `metrics of ${cluster.name}` }] : []),
  ];
}

/** The content of the sources. */
export interface Sources {
  /** PEM, the newest CA first. */
  readonly ca: string;
  readonly gossip: string;
  readonly tokens: Tokens;
}

/** Sizes of AES keys that Consul accepts. */
const GOSSIP_BYTES = [16, 24, 32];

/** The hint for a lost or damaged source: only a copy can replace it, or what agents have. */
const RESTORE = `restore it from where you keep a copy of the folder, or read it back: ${RECOVER}`;

/**
 * Reads a source.
 * @returns undefined when the file does not exist
 * @throws with the file's name and a hint when it cannot be used
 */
function readSource<Value>(
  folder: SecretsFolder,
  file: string,
  parse: (text: string) => Value,
  hint: string,
): Value | undefined {
  const text = folder.read(file);
  if (text === undefined) return undefined;
  try {
    return parse(text);
  } catch (error) {
    // The message of JSON.parse may quote the file.
    const why = error instanceof SyntaxError ? "is no JSON" : `cannot be used: ${(error as Error).message}`;
    throw new SecretsError("secret-invalid", folder.named(file), why, hint);
  }
}

/** Where the content of a lost source can still be read. */
const COPIES: Readonly<Record<string, string>> = {
  [CA]: `${OPERATOR}/${CA} is a copy`,
  [GOSSIP]: "each agent's gossip.json has it",
  [TOKENS]: "acl.json has what is current",
};

/** The error for a missing source. Once agents have files that were rendered from it, a new one would not fit the running cluster. */
export const missing = (folder: SecretsFolder, file: string): SecretsError =>
  folder.list(AGENTS).length > 0
    ? new SecretsError(
        "secret-missing",
        folder.named(file),
        "is missing, and agents have files that were rendered from it",
        `${RESTORE}; ${COPIES[file]}`,
      )
    : new SecretsError("secret-missing", folder.named(file), "is missing", "npm run secrets -- init");

/** @throws when the source is missing */
export function required<Value>(
  folder: SecretsFolder,
  file: string,
  read: (folder: SecretsFolder) => Value | undefined,
): Value {
  const value = read(folder);
  if (value === undefined) throw missing(folder, file);
  return value;
}

export const readCas = (folder: SecretsFolder): X509Certificate[] | undefined =>
  readSource(folder, CA, certificatesIn, RESTORE);

export function readGossip(folder: SecretsFolder): string | undefined {
  const parse = (text: string) => {
    const key = text.trim();
    const bytes = Buffer.from(key, "base64");
    if (bytes.toString("base64") !== key || !GOSSIP_BYTES.includes(bytes.length))
      throw new Error(`it is not base64 of ${GOSSIP_BYTES.join(", ")} bytes`);
    return key;
  };
  return readSource(folder, GOSSIP, parse, `${RESTORE}; when there is none: npm run secrets -- rotate gossip`);
}

export const readTokens = (folder: SecretsFolder): Tokens | undefined =>
  readSource(folder, TOKENS, parseTokens, RESTORE);

/** A holder's certificate and key, as far as the files exist. */
export const readPair = (
  folder: SecretsFolder,
  { folder: at }: Pick<Holder, "folder">,
): Partial<CertificateAndKey> => ({
  cert: folder.read(`${at}/cert.pem`),
  key: folder.read(`${at}/key.pem`),
});

/** Something wrong with a certificate or its key, and in which of the two files. */
export type PairFlaw = Flaw & { readonly file: "cert.pem" | "key.pem" };

/**
 * The newest CA with its key; undefined when the key is kept elsewhere.
 * @throws when this CA cannot issue certificates
 */
export function readAuthority(folder: SecretsFolder, now: Date): CertificateAndKey | undefined {
  const key = folder.read(CA_KEY);
  const newest = readCas(folder)?.[0];
  if (key === undefined || !newest) return undefined;
  const ofKey = keyFlaw(newest, key, NEWEST_CA);
  const hint = "npm run secrets -- rotate ca";
  if (ofKey) throw new SecretsError(ofKey.code, folder.named(CA_KEY), ofKey.message, hint);
  const flaw = [...caFlaws(newest), ...timeFlaws(newest, now)].find(isError);
  if (flaw) throw new SecretsError(flaw.code, folder.named(CA), `the newest CA ${flaw.message}`, hint);
  return { cert: newest.toString(), key };
}

/** What is wrong with a holder's certificate and key. */
export function pairFlaws(
  { cert, key }: Partial<CertificateAndKey>,
  trusted: readonly X509Certificate[],
  names: Names | undefined,
  now: Date,
): PairFlaw[] {
  const flaw = (file: PairFlaw["file"], code: Flaw["code"], message: string): PairFlaw => ({ file, code, message });
  if (cert === undefined || key === undefined) {
    return [
      ...(cert === undefined ? [flaw("cert.pem", "secret-missing", "is missing")] : []),
      ...(key === undefined ? [flaw("key.pem", "secret-missing", "is missing")] : []),
    ];
  }
  try {
    const chain = certificatesIn(cert);
    const ofKey = keyFlaw(chain[0] as X509Certificate, key);
    return [
      ...certificateFlaws(chain, trusted, names, now).map((flaw) => ({ ...flaw, file: "cert.pem" as const })),
      ...(ofKey ? [{ ...ofKey, file: "key.pem" as const }] : []),
    ];
  } catch (error) {
    return [flaw("cert.pem", "secret-invalid", `cannot be used: ${(error as Error).message}`)];
  }
}
