import type { ContainerConfig } from "@cdktf/provider-docker/lib/container";
import { PATHS } from "../consul/contract";
import type { Role } from "../consul/ports";
import { AGENT_SECRETS, SECRET_FILES } from "../consul/secrets";
import type { SecuredStage } from "../consul/security";
import { fromStack } from "./project-path";
import { uploadText } from "./rollout-step";

/** An agent's security, and where its secrets are: a folder, relative to the project or absolute, that is read when Terraform runs. */
export interface AgentSecurity {
  /** Default require. */
  readonly stage?: SecuredStage;
  /** What is in it by its role: see AGENT_SECRETS. */
  readonly secrets: string;
}

export const stageOf = ({ stage = "strict" }: AgentSecurity): SecuredStage => stage;

/**
 * The container's files for it. A path is the same for every operator, since Terraform keeps it; what is in the files is nowhere but in them. They are
 * brought to a container that runs, but for the one whose change replaces it.
 */
export function secretUploads(
  role: Role,
  { secrets }: AgentSecurity,
): NonNullable<Exclude<ContainerConfig["upload"], { resolve: unknown }>> {
  return [
    { file: PATHS.ownSecrets, content: uploadText("container/own-secrets.sh") },
    ...AGENT_SECRETS[role].map((name) => {
      const source = fromStack(`${secrets}/${name}`);
      const sourceHash = name === SECRET_FILES.managementDigest ? `\${${hashOf(`"${source}"`)}}` : undefined;
      return { file: `${PATHS.secrets}/${name}`, source, sourceHash, permissions: "0400" };
    }),
  ];
}

/** The SHA-256 of secrets, evaluated by Terraform: what changes when one of them does. Of their own hashes, or `missing`, in a line. */
export function secretsHash(security: AgentSecurity, names: readonly string[]): string {
  return `\${sha256(join(" ", ${ofEach(names, security, hashOf)}))}`;
}

/** Terraform's expression for the hash of a file that may be missing. */
const hashOf = (file: string): string => `fileexists(${file}) ? filesha256(${file}) : "missing"`;

/** Whether all of some secrets are where Terraform runs. */
export function secretsExist(security: AgentSecurity, names: readonly string[]): string {
  // Terraform refuses a condition that refers to nothing.
  return `\${path.root != "" && alltrue(${ofEach(names, security, (file) => `fileexists(${file})`)})}`;
}

/** A list of Terraform's: what an expression says of each file. */
function ofEach(names: readonly string[], { secrets }: AgentSecurity, expression: (file: string) => string): string {
  return `[for name in ${JSON.stringify(names)} : ${expression(`"${fromStack(secrets)}/\${name}"`)}]`;
}

/** What runs in front of a secured agent's entrypoint. */
export const SECURED_ENTRYPOINT = ["/bin/sh", PATHS.ownSecrets] as const;

/**
 * What a secured agent's container may do: start as root, give its data and secrets to Consul's user, become that, and stop it.
 * @param privilegedPorts below 1024: they take a capability that the image's entrypoint gives to Consul's program, which no-new-privileges would take away
 */
export function hardening(privilegedPorts: boolean): Partial<ContainerConfig> {
  const capabilities = [
    "CAP_CHOWN",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    ...(privilegedPorts ? ["CAP_NET_BIND_SERVICE", "CAP_SETFCAP"] : []),
  ];
  return {
    capabilities: { add: capabilities.sort(), drop: ["ALL"] },
    ...(!privilegedPorts && { securityOpts: ["no-new-privileges:true"] }),
  };
}
