import type { Cluster } from "../../cluster/model";
import { certificatesIn, dayText, expiry, replacedCas } from "./certificate";
import type { SecretsFolder } from "./folder";
import {
  CA,
  CA_KEY,
  GOSSIP,
  holdersOf,
  METRICS,
  OPERATOR,
  readCas,
  readGossip,
  readPair,
  readTokens,
  required,
  TOKENS,
} from "./sources";
import { tokensOf } from "./tokens";

/** Describes a cluster's secrets, without revealing any. */
export interface Inventory {
  readonly certificates: readonly {
    readonly file: string;
    readonly for: string;
    readonly until: string;
    readonly fingerprint: string;
  }[];
  /** Whether certificates can be issued here. */
  readonly caKey: boolean;
  readonly gossip: boolean;
  readonly tokens: readonly { readonly name: string; readonly for: string; readonly retiring: number }[];
}

/** A certificate of the folder, and when it expires. */
export interface CertificateExpiry {
  readonly file: string;
  readonly until: Date;
}

/**
 * When the certificates of the folder expire, the newest CA's among them. Empty where the folder is not. Missing and
 * damaged ones are left out: `secrets check` reports them.
 */
export function expiries(cluster: Cluster, folder: SecretsFolder): CertificateExpiry[] {
  const files = [CA, ...holdersOf(cluster).map((holder) => `${holder.folder}/cert.pem`)];
  return files.flatMap((file) => {
    try {
      const [certificate] = certificatesIn(folder.read(file) ?? "");
      return certificate ? [{ file, until: expiry(certificate) }] : [];
    } catch {
      return [];
    }
  });
}

/** Holders of certificates that are no servers, by their folders. */
const CLIENTS: Readonly<Record<string, string>> = {
  [OPERATOR]: "people and programs",
  [METRICS]: "programs that scrape metrics",
};

export function inventory(cluster: Cluster, folder: SecretsFolder): Inventory {
  const cas = readCas(folder) ?? [];
  const old = replacedCas(cas);
  const certificates = [
    ...cas.map((ca) => ({
      file: CA,
      for: ca === cas[0] ? "the newest CA" : old.includes(ca) ? "an older CA, still trusted" : "a CA above it",
      certificate: ca,
    })),
    ...holdersOf(cluster).flatMap((holder) => {
      const { cert } = readPair(folder, holder);
      const [certificate] = cert === undefined ? [] : certificatesIn(cert);
      return certificate
        ? [
            {
              file: `${holder.folder}/cert.pem`,
              for: CLIENTS[holder.folder] ?? `server ${holder.name}`,
              certificate,
            },
          ]
        : [];
    }),
  ];
  const tokens = readTokens(folder);
  return {
    certificates: certificates.map(({ certificate, ...about }) => ({
      ...about,
      until: dayText(expiry(certificate)),
      fingerprint: certificate.fingerprint256,
    })),
    caKey: folder.read(CA_KEY) !== undefined,
    gossip: readGossip(folder) !== undefined,
    tokens: [...tokensOf(cluster)]
      .filter(([name]) => tokens?.current.has(name))
      .map(([name, purpose]) => ({ name, for: purpose, retiring: tokens?.retiring.get(name)?.length ?? 0 })),
  };
}

export const GOSSIP_NAME = "gossip";

/** One secret: a token's SecretID, or the gossip key. */
export function secretNamed(folder: SecretsFolder, name: string): string {
  if (name === GOSSIP_NAME) return required(folder, GOSSIP, readGossip);
  const tokens = required(folder, TOKENS, readTokens);
  const id = tokens.current.get(name);
  if (id === undefined)
    throw new Error(`there is no token ${name}; there are ${[...tokens.current.keys(), GOSSIP_NAME].join(", ")}`);
  return id;
}
