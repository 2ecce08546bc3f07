import { REGISTRATOR } from "../../consul/acl-policies";
import type { SecuredStage } from "../../consul/security";
import type { ParsedClusterFile, PolicyName, Rules, TokenEntry } from "../file/schema";
import { usesRegistrator } from "./registrator";

/** A cluster's security, when it has any. */
export interface Security {
  readonly stage: SecuredStage;
  /** The folder of its secrets: relative to the project, or absolute. It is not read to synthesize. */
  readonly secrets: string;
  /** The cluster's own ACL policies, as Consul's rules, by their names. */
  readonly policies: Readonly<Record<PolicyName, Rules>>;
  /** The cluster's own tokens, by their names, each with the names of its policies. */
  readonly tokens: Readonly<Record<string, { readonly policies: readonly string[] }>>;
}

type File = Pick<ParsedClusterFile, "name" | "security" | "hosts" | "registrator">;

/** Undefined for `security: off`. */
export function securityOf(file: File): Security | undefined {
  const { name: cluster, security: entry } = file;
  if (entry === "off") return undefined;
  const {
    stage = "strict",
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
export const requiresSecurity = (file: File): boolean => securityOf(file)?.stage === "strict";
