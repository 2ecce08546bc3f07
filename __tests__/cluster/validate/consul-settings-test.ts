import { CONFIG_KEYS, FLAGS } from "../../../cluster/known-config";
import { settingViolations } from "../../../cluster/validate/consul-settings";
import type { SettingContext } from "../../../cluster/validate/setting-rules";
import type { ConsulConfig } from "../../../consul/config";
import { KV_PREFIX } from "../../../consul/contract";
import { NEEDED_ENDPOINTS } from "../../../consul/endpoints";
import { LEADER_PATH, SELF_PATH } from "../../../rollout/queries";
import { clusterFile, FOUR_HOSTS, marked, saidOf } from "../../cluster-files";

const SERVER: SettingContext = {
  role: "server",
  stage: "off",
  ui: true,
  datacenter: "dc1",
  image: "hashicorp/consul:1.22.7",
  endpoints: { local: "http://127.0.0.1:8500", http: "http://127.0.0.1:8500" },
  flags: [],
  sharesHost: false,
  ofFile: true,
};
const CLIENT: SettingContext = { ...SERVER, role: "client" };
const STRICT: SettingContext = { ...SERVER, stage: "strict" };

/** `passed`, or each problem: its code, and the key that it says to set instead. */
function decision(config: object, flags: readonly string[], agent: SettingContext): string {
  const problems = settingViolations(config as ConsulConfig, flags, { ...agent, flags });
  return (
    problems
      .map(({ code, hint }) => [code, ...(/(?<=^set `)[^`]*?(?=:?` instead)/.exec(hint) ?? [])].join(" "))
      .join(", ") || "passed"
  );
}
const inConfig = (config: object, agent = SERVER) => decision(config, [], agent);
const inFlags = (flag: string, agent = SERVER) => decision({}, [flag], agent);

/** `a.b` with a value, as a configuration. */
const configOf = (key: string, value: unknown): object =>
  key.split(".").reduceRight<unknown>((inner, name) => ({ [name]: inner }), value) as object;

/** Keys that the cluster file has, whatever their value is. */
const OWN: Readonly<Record<string, string>> = {
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

const owned = "owned-setting";
const noEffect = "no-effect";
const unworkable = "unworkable-setting";
const invalid = "invalid-value";
const passed = "passed";

/** The other keys that are not passed on with every value: the value, and the decision without and with security. */
const JUDGED: readonly (readonly [key: string, value: unknown, off: string, strict: string])[] = [
  // ACLs, by their names of today
  ["acl.enabled", true, owned, owned],
  ["acl.enabled", false, passed, owned],
  ["acl.default_policy", "deny", noEffect, owned],
  ["acl.enable_token_persistence", true, noEffect, owned],
  ["acl.down_policy", "extend-cache", noEffect, passed],
  ["acl.enable_key_list_policy", true, noEffect, passed],
  ["acl.enable_token_replication", true, noEffect, passed],
  ["acl.policy_ttl", "30s", noEffect, passed],
  ["acl.role_ttl", "30s", noEffect, passed],
  ["acl.token_ttl", "30s", noEffect, passed],
  ["acl.msp_disable_bootstrap", true, noEffect, noEffect],
  ["acl.tokens.managed_service_provider", [], noEffect, noEffect],
  // and by former ones
  ["acl_datacenter", "dc1", owned, noEffect],
  ["acl_datacenter", "dc2", owned, invalid],
  ["acl_default_policy", "deny", noEffect, noEffect],
  ["acl_default_policy", "allow", noEffect, owned],
  ["acl_down_policy", "extend-cache", noEffect, passed],
  ["acl_enable_key_list_policy", true, noEffect, passed],
  ["acl_ttl", "30s", noEffect, passed],
  ["enable_acl_replication", true, noEffect, passed],
  // TLS of one's own, which a cluster without security may have
  ...["ca_file", "ca_path", "cert_file", "key_file"].flatMap((key) =>
    [key, ...["defaults", "grpc", "https", "internal_rpc"].map((section) => `tls.${section}.${key}`)].map(
      (each) => [each, "/consul/data/x.pem", passed, owned] as const,
    ),
  ),
  ...[
    "encrypt_verify_incoming",
    "encrypt_verify_outgoing",
    "tls.defaults.verify_incoming",
    "tls.defaults.verify_outgoing",
    "tls.grpc.verify_incoming",
    "tls.internal_rpc.verify_incoming",
    "tls.internal_rpc.verify_outgoing",
    "tls.internal_rpc.verify_server_hostname",
    "verify_incoming",
    "verify_incoming_https",
    "verify_incoming_rpc",
    "verify_outgoing",
    "verify_server_hostname",
  ].map((key) => [key, false, passed, owned] as const),
  ["auto_encrypt.allow_tls", true, passed, owned],
  ["auto_encrypt.tls", true, invalid, owned],
  ["auto_encrypt.tls", false, passed, owned],
  ["auto_config.enabled", true, invalid, owned],
  ["auto_config.enabled", false, passed, passed],
  ["tls_prefer_server_cipher_suites", true, noEffect, noEffect],
  // Datacenters
  ["primary_datacenter", "dc1", passed, passed],
  ["primary_datacenter", "DC1", passed, passed],
  ["primary_datacenter", "dc2", passed, invalid],
  ["retry_join_wan", ["10.1.0.11"], passed, unworkable],
  ["start_join_wan", ["10.1.0.11"], passed, unworkable],
  ["advertise_reconnect_timeout", "1h", invalid, invalid],
  // The UI
  ["ui_config.enabled", true, passed, passed],
  ["ui_config.enabled", false, `${owned} ui: false`, `${owned} ui: false`],
  ["ui_config.dir", "/consul/data/ui", invalid, invalid],
  ["ui_dir", "/consul/data/ui", invalid, invalid],
  // What the container lacks
  ["enable_syslog", true, unworkable, unworkable],
  ["enable_syslog", false, passed, passed],
  ["log_file", "/var/log/consul/consul.log", unworkable, unworkable],
  ["log_file", "/consul/data/log/", passed, passed],
  ["pid_file", "/run/consul.pid", unworkable, unworkable],
  ["pid_file", "/consul/data/pid", passed, passed],
  // What a deploy needs
  ["node_meta", { "cdktf-security": "off" }, owned, owned],
  ["node_meta", { rack: "a" }, passed, passed],
  ["http_config.allow_write_http_from", ["10.0.0.0/8"], invalid, invalid],
  ["http_config.allow_write_http_from", ["10.0.0.0/8", "127.0.0.0/8"], passed, passed],
  ["http_config.allow_write_http_from", ["::1/128"], invalid, invalid],
  ["http_config.allow_write_http_from", ["localhost"], passed, passed],
  ["http_config.block_endpoints", ["/v1/kv"], invalid, invalid],
  ["http_config.block_endpoints", ["/v1/operator"], invalid, invalid],
  ["http_config.block_endpoints", ["/v1/agent/monitor", "/v1/kv/secret"], passed, passed],
  // Numbers with which the agent ends
  ["check_output_max_size", 0, invalid, invalid],
  ["check_output_max_size", 1, passed, passed],
  ["performance.raft_multiplier", 11, invalid, invalid],
  ["performance.raft_multiplier", 0, invalid, invalid],
  ["performance.raft_multiplier", 5, passed, passed],
  ["raft_protocol", 2, unworkable, unworkable],
  ["raft_protocol", 3, passed, passed],
  ["disable_host_node_id", false, passed, passed],
  // Consul Enterprise
  ...[
    "audit",
    "dns_config.prefer_namespace",
    "license_path",
    "non_voting_server",
    "partition",
    "read_replica",
    "reporting.license.enabled",
    "segment",
    "segments",
  ].map((key) => [key, "x", noEffect, noEffect] as const),
  // Consul's own
  ...[
    "ae_interval",
    "build_date",
    "check_deregister_interval_min",
    "check_reap_interval",
    "connect.test_ca_leaf_root_change_spread",
    "peering.test_allow_peer_registrations",
    "revision",
    "segment_name_limit",
    "snapshot_agent",
    "sync_coordinate_interval_min",
    "sync_coordinate_rate_target",
    "version",
    "version_metadata",
    "version_prerelease",
  ].map((key) => [key, "x", noEffect, noEffect] as const),
];

const decided = new Set([...Object.keys(OWN), ...JUDGED.map(([key]) => key)]);
const isBelowDecided = (key: string) => [...decided].some((above) => key.startsWith(`${above}.`));

describe("each key of Consul's configuration", () => {
  test("is in the table", () => expect(CONFIG_KEYS).toHaveLength(436));
  test.each(Object.entries(OWN))("%s: refused, with the cluster file's key", (key, ownKey) => {
    for (const agent of [SERVER, CLIENT, STRICT])
      expect(inConfig(configOf(key, "x"), agent)).toBe(`owned-setting ${ownKey}`);
  });
  test.each(JUDGED)("%s: %j", (key, value, off, strict) => {
    expect(inConfig(configOf(key, value))).toBe(off);
    expect(inConfig(configOf(key, value), STRICT)).toBe(strict);
  });
  test.each(CONFIG_KEYS.filter((key) => !decided.has(key) && !isBelowDecided(key)))("%s: passed on", (key) => {
    for (const agent of [SERVER, STRICT]) expect(inConfig(configOf(key, "false"), agent)).toBe("passed");
  });
});

describe("each flag of `consul agent`", () => {
  test("is in the table", () => expect(FLAGS.size).toBe(68));
  test.each([...FLAGS])("%s: as its key, %j", (flag, { key }) => {
    const value = "false";
    const byKey = key === "" ? passed : inConfig(configOf(key, value));
    const own: Record<string, string> = { "-dev": "servers", "-domain": "config.domain", "-hcl": "config" };
    const expected = own[flag]
      ? `owned-setting ${own[flag]}`
      : key.startsWith("ports.")
        ? `owned-setting ${key}`
        : byKey;
    expect(inFlags(`${flag}=${value}`)).toBe(expected);
  });
  test.each([
    ["-server", "owned-setting servers"],
    ["-node=x", "owned-setting node"],
    ["--node=x", "owned-setting node"],
    ["-node x", "owned-setting node"],
    ["-retry-join=1.1.1.1", "owned-setting join"],
    ["-http-port=1", "owned-setting ports.http"],
    ["-data-dir=/x", "owned-setting data"],
    ["-recursor=10.0.0.2", "owned-setting dns.recursors"],
    ["-ui=false", "owned-setting ui"],
    ["-log-json", passed],
    ["-log-json=t", passed],
    ["-log-json=yes", invalid],
    ["-log-level debug", invalid],
    ["-log-level\tdebug", invalid],
    ["-log-level", invalid],
    ["-log-level=debug", passed],
    ["-log-file=/var/log/consul.log", unworkable],
    ["-syslog", unworkable],
    ["-ui-content-path=/consul/", passed],
    ["-ui-dir=/x", invalid],
    ["-node-meta=rack:a b", passed],
    ["-node-meta=cdktf-security:off", owned],
    ["-config-file=/x", passed],
    ["-enable-script-checks", passed],
    ["-no-such-flag", "unknown-consul-key"],
    ["-server-foo", "unknown-consul-key"],
    ["-allow-write-http-from=10.0.0.0/8", invalid],
    ["-read-replica", noEffect],
    ["-raft-protocol=2", unworkable],
  ])("%s: %s", (flag, expected) => expect(inFlags(flag)).toBe(expected));
  test("networks that may write are those of all flags and of the configuration", () => {
    const config = { http_config: { allow_write_http_from: ["127.0.0.0/8"] } };
    expect(decision(config, ["-allow-write-http-from=10.0.0.0/8"], SERVER)).toBe(passed);
  });
});

describe("`config`", () => {
  test.each([
    ["a file's path", { connect: { ca_config: { x_key_file: "/consul/tls/key.pem" } } }, passed],
    ["anything else", { telemetry: { prometheus_retention_time: "1h" }, dns_config: { udp_answer_limit: 5 } }, passed],
    ["keys of any case", { Log_Level: "warn", DNS_Config: { UDP_Answer_Limit: 5 } }, passed],
    [
      "what DNS has a key for, and what it has none for",
      { DNS_Config: { node_ttl: "5s", soa: { min_ttl: 5 } } },
      "owned-setting dns.node_ttl",
    ],
    ["a key of JavaScript's", { constructor: { a: 1 }, toString: "x" }, "unknown-consul-key, unknown-consul-key"],
    ["a misspelt key", { log_levle: "debug" }, "unknown-consul-key"],
    ["a misspelt key of a section", { telemetry: { statsd_adress: "x" } }, "unknown-consul-key"],
    ["a top-level key in a section", { dns_config: { server: 1 } }, "unknown-consul-key"],
    ["a number that JavaScript would change", { limits: { rpc_rate: 2 ** 53 } }, invalid],
    ["numbers in a list", { watches: [{ b: 2 ** 53 }, 2 ** 53 - 1, 0.5] }, invalid],
  ])("%s", (_, config, expected) => expect(inConfig(config)).toBe(expected));

  test.each([
    ["auto_encrypt.allow_tls", true, passed, invalid],
    ["auto_encrypt.tls", true, invalid, passed],
    ["auto_config.enabled", true, invalid, passed],
    ["auto_config.authorization.enabled", true, passed, invalid],
    ["advertise_reconnect_timeout", "1h", invalid, passed],
    ["connect.enable_mesh_gateway_wan_federation", true, passed, invalid],
    ["connect.enable_mesh_gateway_wan_federation", false, passed, passed],
    ["primary_gateways", ["10.1.0.1"], passed, invalid],
    ["http_config.block_endpoints", ["/v1/operator", "/v1/agent"], invalid, passed],
  ])("%s: %j is for one role alone", (key, value, server, client) => {
    expect(inConfig(configOf(key, value))).toBe(server);
    expect(inConfig(configOf(key, value), CLIENT)).toBe(client);
  });

  test("may have a UI of one's own, or turn the UI on, only as `ui` says", () => {
    const without = { ...SERVER, ui: false };
    expect(inConfig({ ui_config: { dir: "/consul/data/ui" } }, without)).toBe(passed);
    expect(inConfig({ ui_config: { enabled: true } }, without)).toBe("no-effect ui: true");
  });
  test("may give agents their host's node ID where each has a host of its own", () => {
    const beside = { ...SERVER, sharesHost: true };
    expect(inConfig({ disable_host_node_id: false }, beside)).toBe(invalid);
    expect(decision({}, ["-disable-host-node-id=false"], beside)).toBe(invalid);
    expect(inConfig({ disable_host_node_id: true }, beside)).toBe(passed);
  });
  test("may have keys of Enterprise in its images", () => {
    const image = "hashicorp/consul-enterprise:1.22.7-ent";
    expect(inConfig({ license_path: "/consul/data/license" }, { ...SERVER, image })).toBe(passed);
  });
  test("may have settings of ACLs where a file of the data folder turns them on", () => {
    expect(decision({ acl: { default_policy: "deny" } }, ["-config-file=/consul/data/acl.hcl"], SERVER)).toBe(passed);
  });
  test("may be of an API that listens at an address of its own", () => {
    const agent = { ...SERVER, endpoints: { local: "http://[fd00::1]:8500", http: "http://[fd00::1]:8500" } };
    const networks = (...list: string[]) => inConfig({ http_config: { allow_write_http_from: list } }, agent);
    expect(networks("fd00::/8")).toBe(passed);
    expect(networks("127.0.0.0/8")).toBe(invalid);
  });
  test("permissive security has the policy `allow`", () => {
    expect(inConfig({ acl_default_policy: "allow" }, { ...SERVER, stage: "permissive" })).toBe(noEffect);
    expect(inConfig({ acl_default_policy: "deny" }, { ...SERVER, stage: "permissive" })).toBe(owned);
  });
});

test("the endpoints that must not be blocked are those of the rollout", () =>
  expect(NEEDED_ENDPOINTS.server).toEqual(expect.arrayContaining([SELF_PATH, LEADER_PATH, `/v1/kv/${KV_PREFIX}`])));

test("a problem is where it is written: in the cluster's settings once, or in an agent's", () => {
  const { text, places } = marked(
    FOUR_HOSTS.replace(
      "[c1]",
      "[{ name: c1, config: { ▶UI: true, telemetry: { ▶nothing: 1 } }, flags: [-log-json, ▶-dev] }]",
    ).concat("config: { ▶acl_datacenter: dc1 }\nflags: [-rejoin, ▶-log-level debug]\n"),
  );
  const said = saidOf(clusterFile(text));
  expect(said.map(({ place }) => place).sort()).toEqual(places.filter((_, index) => index !== 1).sort());
});
