import type { ContainerConfig } from "@cdktf/provider-docker/lib/container";
import type { ConsulConfig } from "../cluster/file/schema";
import { AGENT_SECRETS, MANAGEMENT_TOKEN_DIGEST, type Security } from "../cluster/resolve/security";
import { OWN_HTTP, type Role } from "../consul/ports";
import { fromStack } from "./project-path";
import { uploadText } from "./rollout-step";

/** An agent's security, and where its secrets are: a folder, relative to the project or absolute, that is read when Terraform runs. */
export interface AgentSecurity {
  /** Default require. */
  readonly stage?: Security["stage"];
  /** What is in it by its role: see AGENT_SECRETS. */
  readonly secrets: string;
}

export const stageOf = ({ stage = "require" }: AgentSecurity): Security["stage"] => stage;

/** Where an agent finds its secrets. */
export const SECRETS_FOLDER = "/consul/secrets";
/** The token of the CLI. */
export const HEALTH_TOKEN = `${SECRETS_FOLDER}/health.token`;
const OWN_SECRETS = "/consul/own-secrets.sh";

/**
 * Consul's configuration that turns security on, as far as its stage says.
 * @param address the agent's IP address, for its certificate; undefined when only Consul knows it
 */
export function securityConfig(role: Role, security: AgentSecurity, address: string | undefined): ConsulConfig {
  const stage = stageOf(security);
  const server = role === "server";
  const speaksTls = stage !== "accept";
  const onlySecured = stage === "require";
  const ca = { ca_file: `${SECRETS_FOLDER}/ca.pem` };
  const leaf = { cert_file: `${SECRETS_FOLDER}/cert.pem`, key_file: `${SECRETS_FOLDER}/key.pem` };
  return {
    node_meta: { "cdktf-security": stage },
    // While it is being turned on, who has the key takes and sends both plain and encrypted.
    ...(!onlySecured && { encrypt_verify_incoming: false, encrypt_verify_outgoing: speaksTls }),
    ...((server || speaksTls) && {
      tls: {
        defaults: { ...ca, ...(server && leaf), verify_incoming: onlySecured, verify_outgoing: speaksTls },
        internal_rpc: { verify_server_hostname: speaksTls },
      },
      // Clients are given their certificates by the servers.
      auto_encrypt: server ? { allow_tls: true } : { tls: true, ...(address && { ip_san: [address] }) },
    }),
    acl: { enabled: true, default_policy: onlySecured ? "deny" : "allow" },
    // Whoever may register a service would otherwise run programs on its host.
    enable_script_checks: false,
    enable_local_script_checks: false,
    // Plain HTTP is for the container's own scripts and the host's own users.
    ...(onlySecured && { addresses: { http: OWN_HTTP } }),
  };
}

/** The agent's flags for the files of its secrets that are configuration: before anybody uses tokens, the servers have to know them. */
export function secretFlags(role: Role, security: AgentSecurity): string[] {
  const files = [
    "gossip.json",
    ...(role === "server" ? ["management.json"] : []),
    ...(stageOf(security) === "accept" ? [] : ["tokens.json"]),
  ];
  return files.map((file) => `-config-file=${SECRETS_FOLDER}/${file}`);
}

/**
 * The container's files for it. A path is the same for every operator, since Terraform keeps it; what is in the files is nowhere but in them. They are
 * brought to a container that runs, but for the one whose change replaces it.
 */
export function secretUploads(
  role: Role,
  { secrets }: AgentSecurity,
): NonNullable<Exclude<ContainerConfig["upload"], { resolve: unknown }>> {
  return [
    { file: OWN_SECRETS, content: uploadText("container/own-secrets.sh") },
    ...AGENT_SECRETS[role].map((name) => {
      const source = fromStack(`${secrets}/${name}`);
      const sourceHash = name === MANAGEMENT_TOKEN_DIGEST ? `\${${hashOf(`"${source}"`)}}` : undefined;
      return { file: `${SECRETS_FOLDER}/${name}`, source, sourceHash, permissions: "0400" };
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
export const SECURED_ENTRYPOINT = ["/bin/sh", OWN_SECRETS] as const;

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
