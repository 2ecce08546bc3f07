import type { Role } from "../../consul/ports";
import type { ParsedClusterFile, PolicyName, Rules, TokenEntry } from "../file/schema";
import { usesRegistrator } from "./registrator";

/**
 * How far a cluster's security is turned on. `accept`: agents have what they need, and take plain and secured alike. `use`: they speak secured to
 * others, and still take plain. `require`: nothing else is taken. A running cluster goes one step at a time; a new one begins with `require`.
 */
export const STAGES = ["off", "accept", "use", "require"] as const;
export type Stage = (typeof STAGES)[number];

/** A cluster's security, when it has any. */
export interface Security {
  readonly stage: Exclude<Stage, "off">;
  /** The folder of its secrets: relative to the project, or absolute. It is not read to synthesize. */
  readonly secrets: string;
  /** The cluster's own ACL policies, as Consul's rules, by their names. */
  readonly policies: Readonly<Record<PolicyName, Rules>>;
  /** The cluster's own tokens, by their names, each with the names of its policies. */
  readonly tokens: Readonly<Record<string, { readonly policies: readonly string[] }>>;
}

type File = Pick<ParsedClusterFile, "name" | "security" | "hosts" | "registrator">;

/** Registrator's token, and the policy that it has unless the file says others. */
export const REGISTRATOR = "registrator";

/** Undefined for `security: off`. */
export function securityOf(file: File): Security | undefined {
  const { name: cluster, security: entry } = file;
  if (entry === "off") return undefined;
  const {
    stage = "require",
    secrets = `secrets/${cluster}`,
    policies = {},
    tokens: written = {},
  } = entry === "on" ? {} : entry;
  const tokens = { ...(usesRegistrator(file) && { [REGISTRATOR]: {} }), ...written };
  const own = Object.entries(tokens).map(
    ([name, token]: [string, TokenEntry]) => [name, { policies: [...(token.policies ?? [name])].sort() }] as const,
  );
  return { stage, secrets: secrets.replace(/\/$/, ""), policies, tokens: Object.fromEntries(own) };
}

/** Whether plain HTTP is for each agent's own host alone, and nobody may do anything without a token. */
export const requiresSecurity = (file: File): boolean => securityOf(file)?.stage === "require";

/**
 * The SHA-256 of a management token that a server may have been started with: the oldest that is still taken. A server that becomes the leader makes the
 * one that it was started with, if it is not there (initializeACLs in Consul's leader.go), so that an election would bring a retired one back. Servers
 * are therefore replaced when this changes, which is when an older one retires.
 */
export const MANAGEMENT_TOKEN_DIGEST = "management.sha256";

/**
 * What is in `agents/<agent>` of the secrets' folder, and goes from there into the agent's container. Consul reads the .json files;
 * .header files are for curl (`-H @file`), .token files for the CLI.
 */
export const AGENT_SECRETS: Readonly<Record<Role, readonly string[]>> = {
  server: [
    "ca.pem",
    "cert.pem",
    "key.pem",
    "gossip.json",
    "tokens.json",
    "management.json",
    MANAGEMENT_TOKEN_DIGEST,
    "rollout.header",
    "former.header",
    "health.token",
    "management.header",
  ],
  client: ["ca.pem", "gossip.json", "tokens.json", "rollout.header", "former.header", "health.token"],
};

/** Names of tokens that every secured cluster has, and what each is for. */
export const BUILT_IN_TOKENS: Readonly<Record<string, string>> = {
  management: "everything: policies, tokens, snapshots",
  "rollout-server": "what a deploy asks and tells servers",
  "rollout-client": "what a deploy asks and tells clients",
  health: "whoever watches nodes and services",
  dns: "DNS, for whoever asks an agent",
};

/** The token of the containers that save on a schedule, where there are any. It is apart from the servers' own, so that it can be replaced alone. */
export const BACKUPS_TOKEN = "backups";

/** Names that no token of a file may have: those, and what `npm run secrets -- show` takes for something else. */
export const OWN_TOKENS: readonly string[] = [...Object.keys(BUILT_IN_TOKENS), "gossip"];

/** Policies that a token may have without the file's writing their rules; Consul's own for a snapshot, which takes all rights. */
export const KNOWN_POLICIES: readonly string[] = [REGISTRATOR, "snapshots", "global-management"];

/** Beside the agents' folders: the SecretIDs of all tokens, on one line, for the step that makes them. */
export const ACL_SECRETS = "acl.json";

/** Likewise: registrator's token, on the one line of a file, for the hosts' registrators. */
export const REGISTRATOR_SECRET = "registrator.token";
/** The token of scheduled backups, as curl takes a header. */
export const BACKUPS_HEADER = "backups.header";

/** Where an agent's secrets are. */
export const agentSecrets = ({ secrets }: Security, agent: string): string => `${secrets}/agents/${agent}`;
