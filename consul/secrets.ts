import type { Role } from "./ports";

/**
 * Files of secrets. The same names are used in the cluster's secrets folder, in `agents/<agent>` below it, and in an
 * agent's container. Consul reads the .json files, curl reads the .header files (`-H @file`), the CLI the .token files.
 */
export const SECRET_FILES = {
  /** The trusted CAs, the newest first. */
  ca: "ca.pem",
  certificate: "cert.pem",
  key: "key.pem",
  gossip: "gossip.json",
  tokens: "tokens.json",
  management: "management.json",
  /**
   * The SHA-256 of the oldest management token that is still accepted. When a server becomes the leader, it creates the
   * management token that it was started with, if there is none (initializeACLs in Consul's leader.go), so an election
   * would bring back a revoked token. Therefore a change of this file replaces the servers.
   */
  managementDigest: "management.sha256",
  managementHeader: "management.header",
  /** The token of the rollout's scripts. */
  rolloutHeader: "rollout.header",
  /** The oldest token of the rollout's scripts that is still accepted. */
  formerHeader: "former.header",
  /** The token of the CLI. */
  healthToken: "health.token",
  /** At the top of the secrets folder: the SecretIDs of all tokens, on one line, for the step that creates them. */
  acl: "acl.json",
  /** At the top of the secrets folder: registrator's token, on one line. */
  registratorToken: "registrator.token",
  /** At the top of the secrets folder: the token of scheduled backups. */
  backupsHeader: "backups.header",
} as const;

/** The files of `agents/<agent>`, which are delivered to the agent's container. */
export const AGENT_SECRETS: Readonly<Record<Role, readonly string[]>> = {
  server: [
    SECRET_FILES.ca,
    SECRET_FILES.certificate,
    SECRET_FILES.key,
    SECRET_FILES.gossip,
    SECRET_FILES.tokens,
    SECRET_FILES.management,
    SECRET_FILES.managementDigest,
    SECRET_FILES.rolloutHeader,
    SECRET_FILES.formerHeader,
    SECRET_FILES.healthToken,
    SECRET_FILES.managementHeader,
  ],
  client: [
    SECRET_FILES.ca,
    SECRET_FILES.gossip,
    SECRET_FILES.tokens,
    SECRET_FILES.rolloutHeader,
    SECRET_FILES.formerHeader,
    SECRET_FILES.healthToken,
  ],
};

/** The folder of an agent's secrets in the cluster's secrets folder. */
export const agentSecrets = ({ secrets }: { readonly secrets: string }, agent: string): string =>
  `${secrets}/agents/${agent}`;
