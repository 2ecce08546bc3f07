import { PATHS } from "../consul/contract";
import type { Role } from "../consul/ports";
import { AGENT_SECRETS, SECRET_FILES } from "../consul/secrets";
import type { Upload } from "./container-options";
import { fromStack } from "./project-path";

/** An agent's security, and the folder of its secrets. */
export interface AgentSecurity {
  /**
   * What is enforced. `permissive`: agents have certificates, keys and tokens, and nothing is enforced. `outgoing`:
   * agents use TLS and tokens towards others, and still accept plain requests. `strict`: everything is enforced, and
   * ACLs deny by default. A running cluster turns security on in this order, one deploy for each.
   * @default "strict"
   */
  readonly stage?: "permissive" | "outgoing" | "strict";
  /**
   * The folder of the agent's secrets, relative to the project or absolute. `consul-cdktf secrets init` makes one for
   * each agent, in `agents/`. Terraform reads it; the synthesized JSON has only its path.
   */
  readonly secrets: string;
}

/** What runs in front of a secured agent's entrypoint. */
export const SECURED_ENTRYPOINT = ["/bin/sh", PATHS.ownSecrets] as const;

/**
 * Files of secrets. The Terraform state has each file's path, which is the same for every operator, and never its
 * content. A step delivers changed files to a running container; only the change of one file replaces the container.
 */
export function secretUploads(role: Role, { secrets }: AgentSecurity): Upload[] {
  return AGENT_SECRETS[role].map((name): Upload => {
    const source = fromStack(`${secrets}/${name}`);
    const sourceHash = name === SECRET_FILES.managementDigest ? `\${${hashOf(`"${source}"`)}}` : undefined;
    return { file: `${PATHS.secrets}/${name}`, source, sourceHash, permissions: "0400" };
  });
}

/** Terraform's expression of the SHA-256 of secrets: of their own hashes, or `missing`, on one line. */
export function secretsHash(security: AgentSecurity, names: readonly string[]): string {
  return `\${sha256(join(" ", ${forEach(names, security, hashOf)}))}`;
}

/** Terraform's condition that secrets are where Terraform runs. */
export function secretsExist(security: AgentSecurity, names: readonly string[]): string {
  // Terraform rejects a condition that refers to nothing.
  return `\${path.root != "" && alltrue(${forEach(names, security, (file) => `fileexists(${file})`)})}`;
}

/** Terraform's expression of the hash of a file that may be missing. */
const hashOf = (file: string): string => `fileexists(${file}) ? filesha256(${file}) : "missing"`;

/** A list in Terraform: an expression's value for each file. */
function forEach(names: readonly string[], { secrets }: AgentSecurity, expression: (file: string) => string): string {
  return `[for name in ${JSON.stringify(names)} : ${expression(`"${fromStack(secrets)}/\${name}"`)}]`;
}
