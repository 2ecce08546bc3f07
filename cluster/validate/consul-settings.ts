import type { ConsulConfig } from "../../consul/config";
import type { KeyPath, Violation } from "../problem";

/**
 * Keys of Consul's configuration that have a key of their own in the cluster file. If both were set, Consul's merge
 * order would decide.
 */
const OWNED_KEYS: Record<string, string> = {
  addresses: "client_addr",
  advertise_addr: "advertise_addr",
  autopilot: "autopilot",
  bind_addr: "bind_addr",
  bootstrap: "bootstrap_expect",
  bootstrap_expect: "bootstrap_expect",
  client_addr: "client_addr",
  data_dir: "data",
  datacenter: "datacenter",
  "dns_config.allow_stale": "dns.allow_stale",
  "dns_config.enable_truncate": "dns.enable_truncate",
  "dns_config.max_stale": "dns.max_stale",
  "dns_config.node_ttl": "dns.node_ttl",
  "dns_config.only_passing": "dns.only_passing",
  "dns_config.service_ttl": "dns.service_ttl",
  leave_on_terminate: "decommission",
  node_id: "node",
  node_name: "node",
  ports: "ports",
  recursors: "dns.recursors",
  retry_join: "join",
  server: "servers",
  start_join: "join",
  ui: "ui",
};

const OWNED_FLAGS: Record<string, string> = {
  "-advertise": "advertise_addr",
  "-bind": "bind_addr",
  "-bootstrap": "bootstrap_expect",
  "-bootstrap-expect": "bootstrap_expect",
  "-client": "client_addr",
  "-data-dir": "data",
  "-datacenter": "datacenter",
  "-dns-port": "ports.dns",
  "-domain": "config.domain",
  "-grpc-port": "ports.grpc",
  "-grpc-tls-port": "ports.grpc_tls",
  "-hcl": "config",
  "-http-port": "ports.http",
  "-https-port": "ports.https",
  "-join": "join",
  "-dev": "servers",
  "-node": "node",
  "-node-id": "node",
  "-recursor": "dns.recursors",
  "-retry-join": "join",
  "-serf-lan-port": "ports.serf_lan",
  "-serf-wan-port": "ports.serf_wan",
  "-server": "servers",
  "-server-port": "ports.server",
  "-ui": "ui",
};

/** Keys that `config:` must not have. */
export function configProblems(config: ConsulConfig | undefined, path: KeyPath, secured: boolean): Violation[] {
  if (!config) return [];
  const owned = Object.entries(OWNED_KEYS).flatMap(([key, ownKey]) =>
    pathsOf(config, key.split(".")).map((found) => ownedSetting(found.join("."), ownKey, [...path, ...found])),
  );
  return [...owned, ...securityProblems(config, path, secured), ...inexactNumbers(config, path)];
}

/**
 * Keys that `security:` decides, as paths; `*` is any key. Only HTTPS may be set to accept clients without
 * certificates.
 */
const SECURITY_KEYS = [
  "acl.enabled",
  "acl.default_policy",
  "acl.enable_token_persistence",
  "auto_encrypt.allow_tls",
  "auto_encrypt.tls",
  "ca_file",
  "ca_path",
  "cert_file",
  "encrypt_verify_incoming",
  "encrypt_verify_outgoing",
  "key_file",
  "tls.*.ca_file",
  "tls.*.ca_path",
  "tls.*.cert_file",
  "tls.*.key_file",
  "tls.defaults.verify_incoming",
  "tls.defaults.verify_outgoing",
  "tls.internal_rpc.verify_incoming",
  "tls.internal_rpc.verify_outgoing",
  "tls.internal_rpc.verify_server_hostname",
  "tls.grpc.verify_incoming",
  "verify_incoming",
  "verify_incoming_https",
  "verify_incoming_rpc",
  "verify_outgoing",
  "verify_server_hostname",
].map((key) => key.split("."));

function securityProblems(config: ConsulConfig, path: KeyPath, secured: boolean): Violation[] {
  // A cluster with `security: off` may have TLS of its own. ACLs of its own it may not, because the rollout's scripts
  // would have no token.
  const owned = secured
    ? SECURITY_KEYS.flatMap((key) => pathsOf(config, key))
    : pathsOf(config, ["acl", "enabled"], true);
  return owned.map((found) => ({
    code: "owned-setting",
    path: [...path, ...found],
    atKey: true,
    message: secured
      ? `${found.join(".")} is decided by \`security:\``
      : `${found.join(".")} turns on what \`security: off\` turns off`,
    hint: secured
      ? "remove it; `security: { stage: ... }` sets what is enforced"
      : "remove it, or turn security on: `security: on`",
  }));
}

/**
 * The paths in a configuration that match a path of keys, and have the wanted value if one is given. Consul ignores the
 * case of keys.
 */
function pathsOf(value: unknown, [key, ...rest]: readonly string[], wanted?: unknown): string[][] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [];
  return Object.entries(value)
    .filter(([name]) => key === "*" || name.toLowerCase() === key)
    .flatMap(([name, inner]) => {
      if (rest.length === 0) return wanted === undefined || inner === wanted ? [[name]] : [];
      return pathsOf(inner, rest, wanted).map((path) => [name, ...path]);
    });
}

/** JavaScript cannot represent every whole number beyond 2^53: Consul would get another number. */
export function inexactNumbers(value: unknown, path: KeyPath): Violation[] {
  if (typeof value === "object" && value !== null) {
    return Object.entries(value).flatMap(([key, item]) =>
      inexactNumbers(item, [...path, Array.isArray(value) ? Number(key) : key]),
    );
  }
  if (typeof value !== "number" || !Number.isInteger(value) || Number.isSafeInteger(value)) return [];
  return [
    {
      code: "invalid-value",
      path,
      message: `${value} is too large: JavaScript would round it`,
      hint: `use at most ${Number.MAX_SAFE_INTEGER}, or write it as text, in quotes`,
    },
  ];
}

/**
 * Flags that `flags:` must not have.
 * @param owned the keys of the file, by the flags that they set
 */
export function flagProblems(
  flags: readonly string[] | undefined,
  path: KeyPath,
  owned: Readonly<Record<string, string>> = OWNED_FLAGS,
): Violation[] {
  return (flags ?? []).flatMap((flag, index): Violation[] => {
    const at = [...path, index];
    const name = flag.replace(/^--/, "-").replace(/[= ].*$/s, "");
    const ownKey = Object.hasOwn(owned, name) ? owned[name] : undefined;
    return ownKey ? [ownedSetting(name, ownKey, at)] : [];
  });
}

const ownedSetting = (key: string, ownKey: string, path: KeyPath): Violation => ({
  code: "owned-setting",
  path,
  atKey: true,
  message: `${key} has a key of its own in the cluster file`,
  hint: `set \`${ownKey}:\` instead`,
});
