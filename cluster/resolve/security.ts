import { REGISTRATOR } from "../../consul/acl-policies";
import type { SecuredStage, Stage } from "../../consul/security";
import type { ParsedClusterFile, TokenEntry } from "../file/schema";
import type { Security } from "../model";
import { DEFAULTS, privatePath, secretsFolder } from "./defaults";
import { privateFolderOf } from "./private-folder";
import { usesRegistrator } from "./registrator";

type File = Pick<ParsedClusterFile, "name" | "private_folder" | "security" | "hosts" | "registrator">;

/** Undefined for `security: off`. */
export function securityOf(file: File): Security | undefined {
  if (file.security === "off") return undefined;
  const settings = file.security === "on" ? {} : file.security;
  const byDefault = privatePath(privateFolderOf(file), secretsFolder(file.name));
  const { stage = DEFAULTS.stage, secrets = byDefault, policies = {} } = settings;
  const tokens: Record<string, TokenEntry> = usesRegistrator(file) ? { [REGISTRATOR]: {} } : {};
  Object.assign(tokens, settings.tokens);
  const withPolicies = Object.entries(tokens).map(
    ([name, token]) => [name, { policies: [...(token.policies ?? [name])].sort() }] as const,
  );
  return { stage, secrets: secrets.replace(/\/$/, ""), policies, tokens: Object.fromEntries(withPolicies) };
}

/** The stage of a cluster's or an agent's security; `off` if it has none. */
export const stageOf = (security: { readonly stage?: SecuredStage } | undefined): Stage =>
  security ? (security.stage ?? DEFAULTS.stage) : "off";
