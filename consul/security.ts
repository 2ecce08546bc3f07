import type { ConsulConfig } from "./config";
import { NODE_META, PATHS, STAGE_ON_THE_WIRE } from "./contract";
import { LOOPBACK, type Role } from "./ports";
import { SECRET_FILES } from "./secrets";

/**
 * How much of its security a cluster enforces, in the order in which a running cluster turns it on, one deploy for each.
 * `permissive`: agents have certificates, keys and tokens, and nothing is enforced. `outgoing`: agents use TLS and tokens
 * towards others, and still accept plain requests. `strict`: everything is enforced, and ACLs deny by default.
 */
export type Stage = keyof typeof STAGE_ON_THE_WIRE;
export type SecuredStage = Exclude<Stage, "off">;

/** What ACLs decide where no rule does. */
export const defaultPolicy = (stage: SecuredStage): "allow" | "deny" => (stage === "strict" ? "deny" : "allow");

/**
 * The agent's configuration of TLS, gossip encryption and ACLs.
 * @param address the agent's IP address, for its certificate; undefined if only Consul knows it
 */
export function securityConfig(role: Role, stage: SecuredStage, address: string | undefined): ConsulConfig {
  const usesTls = stage !== "permissive";
  const strict = stage === "strict";
  const config: ConsulConfig = {
    node_meta: { [NODE_META.security]: STAGE_ON_THE_WIRE[stage] },
    acl: { enabled: true, default_policy: defaultPolicy(stage) },
    // Otherwise everybody who may register a service could run programs on its host.
    enable_script_checks: false,
    enable_local_script_checks: false,
  };
  if (strict) {
    // The container's own scripts and users of the host use plain HTTP.
    config.addresses = { http: LOOPBACK };
  } else {
    // While gossip encryption is being turned on, agents accept plain messages, and send them until all have the key.
    config.encrypt_verify_incoming = false;
    config.encrypt_verify_outgoing = usesTls;
  }
  if (role === "server") {
    const certificate = {
      cert_file: secretPath(SECRET_FILES.certificate),
      key_file: secretPath(SECRET_FILES.key),
    };
    config.tls = tlsConfig(certificate, usesTls, strict);
    config.auto_encrypt = { allow_tls: true };
  } else if (usesTls) {
    config.tls = tlsConfig({}, usesTls, strict);
    // A client agent gets its certificate from the servers.
    config.auto_encrypt = address ? { tls: true, ip_san: [address] } : { tls: true };
  }
  return config;
}

const tlsConfig = (certificate: ConsulConfig, verifyOutgoing: boolean, verifyIncoming: boolean): ConsulConfig => ({
  defaults: {
    ca_file: secretPath(SECRET_FILES.ca),
    ...certificate,
    verify_incoming: verifyIncoming,
    verify_outgoing: verifyOutgoing,
  },
  internal_rpc: { verify_server_hostname: verifyOutgoing },
});

/** The agent's flags for secret files that are configuration. Servers have to know the tokens before agents use them. */
export function secretFlags(role: Role, stage: SecuredStage): string[] {
  const files: string[] = [SECRET_FILES.gossip];
  if (role === "server") files.push(SECRET_FILES.management);
  if (stage !== "permissive") files.push(SECRET_FILES.tokens);
  return files.map((file) => `-config-file=${secretPath(file)}`);
}

const secretPath = (file: string): string => `${PATHS.secrets}/${file}`;
