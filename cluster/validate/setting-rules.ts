import ipaddr from "ipaddr.js";
import { family, hostAndPort } from "../../consul/address";
import { readsFilesOfItsOwn } from "../../consul/config";
import { NODE_META, PATHS } from "../../consul/contract";
import { NEEDED_ENDPOINTS } from "../../consul/endpoints";
import { defaultPolicy } from "../../consul/security";
import { isEnterprise } from "../known-consul";
import type { AgentSettings } from "../model";
import type { Violation } from "../problem";

/** A key of Consul's configuration that `config:` or `flags:` sets. */
export interface Setting {
  /** The key, in Consul's spelling, with dots between sections. */
  readonly key: string;
  /** A flag's value is a text. */
  readonly value: unknown;
  /** As the file has it: `acl.enabled`, `-log-file`. */
  readonly written: string;
}

/** The agent that gets a setting. */
export interface SettingContext
  extends Pick<AgentSettings, "role" | "stage" | "ui" | "datacenter" | "image" | "endpoints" | "flags"> {
  /** Whether another agent of the cluster is on the same host. */
  readonly sharesHost: boolean;
  /** Whether keys that the cluster file has are rejected. A program may set them in both ways. */
  readonly ofFile: boolean;
}

export type Finding = Pick<Violation, "code" | "message" | "hint">;

/**
 * Judges a setting, with all settings of the agent; undefined passes it on. An error is for what cannot be meant: the
 * product would silently win, or the agent would end. What may work in somebody's image is a warning.
 */
type Rule = (setting: Setting, agent: SettingContext, all: readonly Setting[]) => Finding | undefined;

/** What the product sets by a key of the cluster file. If both were set, Consul's merge order would decide. */
export const owned =
  (ownKey: string) =>
  ({ written }: Setting): Finding => ({
    code: "owned-setting",
    message: `${written} has a key of its own in the cluster file`,
    hint: `set \`${ownKey}:\` instead`,
  });

const isSecured = ({ stage }: SettingContext): boolean => stage !== "off";

const decidedBySecurity = ({ written }: Setting): Finding => ({
  code: "owned-setting",
  message: `${written} is decided by \`security:\``,
  hint: "remove it; `security: { stage: ... }` sets what is enforced",
});

/** A cluster with `security: off` may have TLS of its own. */
const bySecurity: Rule = (setting, agent) => (isSecured(agent) ? decidedBySecurity(setting) : undefined);

/** ACLs of its own it may not have, because the rollout would have no token. */
const turnsOnAcls = ({ written }: Setting): Finding => ({
  code: "owned-setting",
  message: `${written} turns on what \`security: off\` turns off`,
  hint: "remove it, or turn security on: `security: on`",
});

const noEffect = ({ written }: Setting, why: string, hint: string): Finding => ({
  code: "no-effect",
  message: `${written} has no effect: ${why}`,
  hint,
});

const endsAgent = ({ written }: Setting, why: string, hint: string): Finding => ({
  code: "invalid-value",
  message: `${written}: ${why}, so the agent ends when it starts`,
  hint,
});

const isTrue = (value: unknown): boolean => value === true || /^(1|t|true)$/i.test(String(value));
const isFalse = (value: unknown): boolean => value === false || /^(0|f|false)$/i.test(String(value));
const textOf = (value: unknown): string => String(value).toLowerCase();

const withoutAcls: Rule = (setting, agent) =>
  isSecured(agent) || readsFilesOfItsOwn(agent.flags)
    ? undefined
    : noEffect(setting, "there are no ACLs with `security: off`", "remove it, or turn security on: `security: on`");

const aclsEnabled: Rule = (setting, agent) => {
  if (isSecured(agent)) return decidedBySecurity(setting);
  return isTrue(setting.value) ? turnsOnAcls(setting) : undefined;
};

/** Its former name is used only where the new one is not set, and security sets it. */
const formerDefaultPolicy: Rule = (setting, agent, all) => {
  if (agent.stage === "off") return withoutAcls(setting, agent, all);
  if (textOf(setting.value) !== defaultPolicy(agent.stage)) return decidedBySecurity(setting);
  return noEffect(setting, "`security:` sets the same", "remove it");
};

const isPrimary = ({ value }: Setting, { datacenter }: SettingContext): boolean => textOf(value) === datacenter;

/** A secondary datacenter gets its tokens from the primary one. */
const primaryDatacenter: Rule = (setting, agent) =>
  !isSecured(agent) || isPrimary(setting, agent)
    ? undefined
    : {
        code: "invalid-value",
        message: `${setting.written}: a secured cluster creates its own tokens, so it cannot be secondary to datacenter "${setting.value}"`,
        hint: "remove it; secured datacenters are connected by cluster peering: docs/layouts.md",
      };

/** It turns ACLs on, too. */
const aclDatacenter: Rule = (setting, agent, all) => {
  if (!isSecured(agent)) return turnsOnAcls(setting);
  if (isPrimary(setting, agent)) return noEffect(setting, "`security:` sets the same", "remove it");
  return primaryDatacenter(setting, agent, all);
};

const federation: Rule = ({ written }, agent) =>
  isSecured(agent)
    ? {
        code: "unworkable-setting",
        message: `${written}: a secured cluster has a CA and a gossip key of its own, so it cannot be federated`,
        hint: "remove it; secured datacenters are connected by cluster peering: docs/layouts.md",
      }
    : undefined;

const only =
  (role: "server" | "client", what = "it"): Rule =>
  (setting, agent) =>
    agent.role === role || isFalse(setting.value)
      ? undefined
      : endsAgent(
          setting,
          `Consul allows ${what} only on ${role === "server" ? "servers" : "client agents"}`,
          `set it in the mapping of each ${role === "server" ? "server" : "client agent"}, under \`${role}s:\``,
        );

const autoEncrypt =
  (role: "server" | "client"): Rule =>
  (setting, agent, all) =>
    bySecurity(setting, agent, all) ?? only(role)(setting, agent, all);

const autoConfig: Rule = (setting, agent, all) =>
  isFalse(setting.value) ? undefined : (bySecurity(setting, agent, all) ?? only("client")(setting, agent, all));

/** A flag wins over files: `-ui`, for `ui: true`. There is none for `ui: false`. */
const uiEnabled: Rule = ({ written, value }, { ui }) => {
  if (ui && isFalse(value))
    return {
      code: "owned-setting",
      message: `${written}: ${value} contradicts \`ui: true\`, which is the default and wins`,
      hint: "set `ui: false` instead",
    };
  if (ui || !isTrue(value)) return undefined;
  return {
    code: "no-effect",
    message: `\`ui: false\` has no effect: ${written} turns the UI on`,
    hint: "set `ui: true` instead",
  };
};

const uiFolder: Rule = (setting, { ui }) =>
  ui && setting.value !== ""
    ? endsAgent(
        setting,
        "Consul takes no folder for the UI beside `-ui`",
        "set `ui: false`, and the folder serves the UI",
      )
    : undefined;

const hostNodeId: Rule = ({ written, value }, { sharesHost }) =>
  sharesHost && isFalse(value)
    ? {
        code: "invalid-value",
        message: `${written}: two agents of one host would have the same node ID, and never meet`,
        hint: "remove it: then each agent has a node ID of its own, in its data",
      }
    : undefined;

const nodeMeta: Rule = ({ written, value }) => {
  const names = typeof value === "string" ? [value.split(":")[0]] : Object.keys((value ?? {}) as object);
  return names.includes(NODE_META.security)
    ? {
        code: "owned-setting",
        message: `${written}: ${NODE_META.security} belongs to the product, which tells by it how far security is turned on`,
        hint: "use another name",
      }
    : undefined;
};

const unworkable = ({ written }: Setting, why: string, hint: string): Finding => ({
  code: "unworkable-setting",
  message: `${written}: ${why}`,
  hint,
});

const TO_DOCKER = "remove it: the agent logs to Docker, and `log:` sets how";

const syslog: Rule = (setting) =>
  isTrue(setting.value) ? unworkable(setting, "the container has no syslog, so the agent ends", TO_DOCKER) : undefined;

/** Folders of the image in which Consul's user can write. */
const WRITABLE = [`${PATHS.data}/`, "/consul/config/", "/tmp/", "/dev/"];

const fileOf =
  (hint: string): Rule =>
  (setting) =>
    WRITABLE.some((folder) => String(setting.value).startsWith(folder))
      ? undefined
      : unworkable(setting, `Consul's user cannot write ${setting.value} in the container, so the agent ends`, hint);

const enterprise: Rule = (setting, { image }) =>
  isEnterprise(image) ? undefined : noEffect(setting, "only Consul Enterprise has it", "remove it");

const ignoredByConsul: Rule = (setting) => noEffect(setting, "Consul ignores it", "remove it");

const between =
  (least: number, most: number): Rule =>
  (setting) => {
    const number = Number(setting.value);
    if (number >= least && number <= most) return undefined;
    const range = most === Number.POSITIVE_INFINITY ? `${least} or more` : `from ${least} to ${most}`;
    return endsAgent(setting, `${setting.value} is not ${range}`, `use a whole number ${range}`);
  };

const raftProtocol: Rule = (setting) =>
  Number(setting.value) === 3
    ? undefined
    : unworkable(setting, "Consul has version 3 of the protocol alone, so the agent ends", "remove it");

const listOf = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : [String(value)]);

/** The rollout writes the deploy lock through the agent's API, from inside its container. */
const writers: Rule = (setting, { endpoints }, all) => {
  const own = hostAndPort(endpoints.local.replace("http://", ""))?.host ?? "";
  const networks = all.filter(({ key }) => key === setting.key).flatMap(({ value }) => listOf(value));
  if (networks.length === 0 || !family(own) || networks.some((network) => contains(network, own))) return undefined;
  return {
    code: "invalid-value",
    message: `${setting.written}: a deploy writes its lock from ${own}, which none of the networks contains`,
    hint: `add ${own}/${family(own) === 4 ? 32 : 128}`,
  };
};

function contains(network: string, address: string): boolean {
  try {
    const parsed = ipaddr.process(address);
    const [start, bits] = ipaddr.parseCIDR(network);
    return start.kind() === parsed.kind() && parsed.match([start, bits] as never);
  } catch {
    // Consul has the error for what is no network.
    return true;
  }
}

const blockedEndpoints: Rule = ({ written, value }, { role }) => {
  const prefix = listOf(value).find((path) => NEEDED_ENDPOINTS[role].some((needed) => needed.startsWith(path)));
  return prefix === undefined
    ? undefined
    : {
        code: "invalid-value",
        message: `${written}: ${prefix} is an endpoint that a deploy needs`,
        hint: "remove it; ACLs (`security: on`) are what keeps others from an endpoint",
      };
};

const TLS_SECTIONS = ["defaults", "grpc", "https", "internal_rpc"];

/** Each key of some keys with one rule. */
const each = (keys: readonly string[], rule: Rule): Record<string, Rule> =>
  Object.fromEntries(keys.map((key) => [key, rule]));

const inTls = (...keys: string[]): string[] =>
  keys.flatMap((key) => TLS_SECTIONS.map((section) => `tls.${section}.${key}`));

/** Keys of the cluster file, by the keys of Consul that they set. */
export const OWNED_KEYS: Readonly<Record<string, string>> = {
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

/** The keys of Consul's configuration that are not simply passed on. */
export const RULES: Readonly<Record<string, Rule>> = {
  // Only HTTPS may be set to accept clients without certificates.
  ...each(
    [
      ...["encrypt_verify_incoming", "encrypt_verify_outgoing"],
      ...inTls("ca_file", "ca_path", "cert_file", "key_file"),
      ...["tls.defaults.verify_incoming", "tls.defaults.verify_outgoing", "tls.grpc.verify_incoming"],
      ...["verify_incoming", "verify_outgoing", "verify_server_hostname"].map((key) => `tls.internal_rpc.${key}`),
      ...["ca_file", "ca_path", "cert_file", "key_file"],
      ...["verify_incoming", "verify_incoming_https", "verify_incoming_rpc"],
      ...["verify_outgoing", "verify_server_hostname"],
    ],
    bySecurity,
  ),
  ...each(
    ["acl.default_policy", "acl.enable_token_persistence"],
    (setting, agent, all) => bySecurity(setting, agent, all) ?? withoutAcls(setting, agent, all),
  ),
  ...each(
    [
      ...["down_policy", "enable_key_list_policy", "enable_token_replication"].map((key) => `acl.${key}`),
      ...["policy_ttl", "role_ttl", "token_ttl"].map((key) => `acl.${key}`),
      ...["acl_down_policy", "acl_enable_key_list_policy", "acl_ttl", "enable_acl_replication"],
    ],
    withoutAcls,
  ),
  "acl.enabled": aclsEnabled,
  acl_datacenter: aclDatacenter,
  acl_default_policy: formerDefaultPolicy,
  primary_datacenter: primaryDatacenter,
  ...each(["retry_join_wan", "start_join_wan"], federation),

  "auto_encrypt.allow_tls": autoEncrypt("server"),
  "auto_encrypt.tls": autoEncrypt("client"),
  "auto_config.enabled": autoConfig,
  "auto_config.authorization.enabled": only("server"),
  advertise_reconnect_timeout: only("client"),
  "connect.enable_mesh_gateway_wan_federation": only("server"),
  primary_gateways: only("server"),

  "ui_config.enabled": uiEnabled,
  ...each(["ui_config.dir", "ui_dir"], uiFolder),
  disable_host_node_id: hostNodeId,
  node_meta: nodeMeta,
  "http_config.allow_write_http_from": writers,
  "http_config.block_endpoints": blockedEndpoints,

  enable_syslog: syslog,
  log_file: fileOf(TO_DOCKER),
  pid_file: fileOf("remove it: Docker knows the process"),
  check_output_max_size: between(1, Number.POSITIVE_INFINITY),
  "performance.raft_multiplier": between(1, 10),
  raft_protocol: raftProtocol,

  // Enterprise keys: agent/config/builder_ce.go.
  ...each(
    [
      ...["acl.msp_disable_bootstrap", "acl.tokens.managed_service_provider", "audit"],
      ...["dns_config.prefer_namespace", "license_path", "non_voting_server", "partition", "read_replica"],
      ...["reporting.license.enabled", "segment", "segments"],
    ],
    enterprise,
  ),
  // The user cannot configure these (agent/config/default.go), and others are of no meaning any more.
  ...each(
    [
      ...["acl_enforce_version_8", "ae_interval", "build_date", "check_deregister_interval_min", "check_reap_interval"],
      ...["connect.test_ca_leaf_root_change_spread", "peering.test_allow_peer_registrations", "revision"],
      ...["segment_name_limit", "snapshot_agent", "sync_coordinate_interval_min", "sync_coordinate_rate_target"],
      ...["tls_prefer_server_cipher_suites", "version", "version_metadata", "version_prerelease"],
    ],
    ignoredByConsul,
  ),
};

/** Flags that set no key, or that are rejected where their key is not. */
export const OWNED_FLAGS: Readonly<Record<string, string>> = {
  "-dev": "servers",
  "-domain": "config.domain",
  "-hcl": "config",
};
