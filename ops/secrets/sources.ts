import type { X509Certificate } from "node:crypto";
import type { AgentDescription, Cluster } from "../../cluster/model";
import {
  type CertificateAndKey,
  caFlaws,
  certificatesIn,
  type Flaw,
  keyFlaw,
  leafFlaws,
  timeFlaws,
} from "./certificate";
import { SecretsError, type SecretsFolder } from "./folder";
import { type Names, serverNames } from "./server-names";
import { parseTokens, type Tokens } from "./tokens";

/** Names in the folder of what everything else there is made of. */
export const CA = "ca.pem";
export const CA_KEY = "ca-key.pem";
export const GOSSIP = "gossip.key";
export const TOKENS = "tokens.json";
export const OPERATOR = "operator";
export const AGENTS = "agents";

/** What a key of the CA has to be that of. */
export const NEWEST_CA = `the first certificate in ${CA}`;

const SOURCE = new RegExp(
  `^(?:${[CA, CA_KEY, GOSSIP, TOKENS].join("|").replaceAll(".", "\\.")}|(?:${OPERATOR}|${AGENTS}/[a-z][a-z0-9-]*)/(?:cert|key)\\.pem)$`,
);

/** Whether it is what everything else in the folder is made of. */
export const isSource = (file: string): boolean => SOURCE.test(file);

/** Who has a certificate: a server, or the operator. */
export interface Holder {
  /** The agent's name, or `operator`. */
  readonly name: string;
  /** In the secrets' folder. */
  readonly folder: string;
  readonly commonName: string;
  /** What the certificate has to be valid for; undefined for a client's. */
  readonly names?: Names;
}

export const agentFolder = ({ name }: Pick<AgentDescription, "name">): string => `${AGENTS}/${name}`;

/** All that have a certificate. Clients of the cluster get theirs from the servers (auto_encrypt). */
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
  ];
}

/** What each agent's files are rendered from. */
export interface Sources {
  /** PEM, the newest CA first. */
  readonly ca: string;
  readonly gossip: string;
  readonly tokens: Tokens;
}

/** Consul takes AES keys of these many bytes. */
const GOSSIP_BYTES = [16, 24, 32];

/** The mend for a source that is lost or damaged: only whoever keeps a copy can bring it back. */
const RESTORE = "restore it from where you keep a copy of the folder";

/**
 * Reads a source, and says in its error which file it is and what to do.
 * @returns undefined for one that is not there
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
    // What JSON.parse says may quote the file.
    const why = error instanceof SyntaxError ? "is no JSON" : `cannot be used: ${(error as Error).message}`;
    throw new SecretsError(folder.named(file), why, hint);
  }
}

/** Where what a lost source said may still be read. */
const COPIES: Readonly<Record<string, string>> = {
  [CA]: `${OPERATOR}/${CA} is a copy`,
  [GOSSIP]: "each agent's gossip.json has it",
  [TOKENS]: "acl.json has what is current",
};

/** A source that is missing: before anything was made of it, or after, when another one would not fit a cluster that runs. */
export const missing = (folder: SecretsFolder, file: string): SecretsError =>
  folder.list(AGENTS).length > 0
    ? new SecretsError(
        folder.named(file),
        "is missing, and agents have what was made of it",
        `${RESTORE}; ${COPIES[file]}`,
      )
    : new SecretsError(folder.named(file), "is missing", "npm run secrets -- init");

/** @throws for a source that is missing */
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

/** A holder's certificate and key, as far as they are there. */
export const readPair = (
  folder: SecretsFolder,
  { folder: at }: Pick<Holder, "folder">,
): Partial<CertificateAndKey> => ({
  cert: folder.read(`${at}/cert.pem`),
  key: folder.read(`${at}/key.pem`),
});

/** A flaw, and in which of the two files. */
export type PairFlaw = Flaw & { readonly file: "cert.pem" | "key.pem" };

/**
 * The newest CA with its key; undefined when the key is kept elsewhere.
 * @throws when it cannot issue anything
 */
export function readAuthority(folder: SecretsFolder, now: Date): CertificateAndKey | undefined {
  const key = folder.read(CA_KEY);
  const newest = readCas(folder)?.[0];
  if (key === undefined || !newest) return undefined;
  const ofKey = keyFlaw(newest, key, NEWEST_CA);
  if (ofKey) throw new SecretsError(folder.named(CA_KEY), ofKey, "npm run secrets -- rotate ca");
  const flaw = [...caFlaws(newest), ...timeFlaws(newest, now)].find(({ severity }) => severity === "error");
  if (flaw)
    throw new SecretsError(folder.named(CA), `has a newest CA that ${flaw.what}`, "npm run secrets -- rotate ca");
  return { cert: newest.toString(), key };
}

/** What is wrong with a holder's certificate and key. */
export function pairFlaws(
  { cert, key }: Partial<CertificateAndKey>,
  trusted: readonly X509Certificate[],
  names: Names | undefined,
  now: Date,
): PairFlaw[] {
  const flaw = (file: PairFlaw["file"], what: string): PairFlaw => ({ file, severity: "error", what });
  if (cert === undefined || key === undefined) {
    return [
      ...(cert === undefined ? [flaw("cert.pem", "is missing")] : []),
      ...(key === undefined ? [flaw("key.pem", "is missing")] : []),
    ];
  }
  try {
    const chain = certificatesIn(cert);
    const ofKey = keyFlaw(chain[0] as X509Certificate, key);
    return [
      ...leafFlaws(chain, trusted, names, now).map((one) => ({ ...one, file: "cert.pem" as const })),
      ...(ofKey ? [flaw("key.pem", ofKey)] : []),
    ];
  } catch (error) {
    return [flaw("cert.pem", `cannot be used: ${(error as Error).message}`)];
  }
}
