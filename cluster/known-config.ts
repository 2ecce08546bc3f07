/**
 * The keys of Consul's configuration and the flags of `consul agent`, of the version in cluster/known-consul.ts
 * (agent/config/config.go, deprecated.go and flags.go), former names included.
 */

const GOSSIP = `gossip_interval gossip_nodes probe_interval probe_timeout retransmit_mult suspicion_mult`;
const TLS = `ca_file ca_path cert_file key_file tls_cipher_suites tls_min_version use_auto_cert verify_incoming
     verify_outgoing verify_server_hostname`;

/** The keys of each section of the configuration; "" is its top. Other mappings have keys of the user's own. */
const SECTIONS: Readonly<Record<string, string>> = {
  "": `acl acl_agent_master_token acl_agent_token acl_datacenter acl_default_policy acl_down_policy
     acl_enable_key_list_policy acl_master_token acl_replication_token acl_token acl_ttl addresses advertise_addr
     advertise_addr_ipv4 advertise_addr_ipv6 advertise_addr_wan advertise_addr_wan_ipv4 advertise_addr_wan_ipv6
     advertise_reconnect_timeout ae_interval alt_domain audit auto_config auto_encrypt auto_reload_config autopilot
     bind_addr bootstrap bootstrap_expect build_date ca_file ca_path cache cert_file check
     check_deregister_interval_min check_output_max_size check_reap_interval check_update_interval checks client_addr
     cloud config_entries connect consul data_dir datacenter default_intention_policy default_query_time
     disable_anonymous_signature disable_coordinates disable_host_node_id disable_http_unprintable_char_filter
     disable_keyring_file disable_kv_key_validation disable_remote_exec disable_update_check discard_check_output
     discovery_max_stale dns_config domain enable_acl_replication enable_agent_tls_for_checks
     enable_central_service_config enable_debug enable_local_script_checks enable_script_checks enable_syslog encrypt
     encrypt_verify_incoming encrypt_verify_outgoing experiments federation_state_anti_entropy_sync_interval
     gossip_lan gossip_wan http_config key_file leave_on_terminate license_path license_poll_base_time
     license_poll_max_time license_update_base_time license_update_max_time limits locality log_file log_json
     log_level log_rotate_bytes log_rotate_duration log_rotate_max_files max_query_time node_id node_meta node_name
     non_voting_server partition peering performance pid_file ports primary_datacenter primary_gateways
     primary_gateways_interval protocol raft_boltdb raft_logstore raft_prevote_disabled raft_protocol
     raft_snapshot_interval raft_snapshot_threshold raft_trailing_logs read_replica reconnect_timeout
     reconnect_timeout_wan recursors rejoin_after_leave reporting retry_interval retry_interval_wan retry_join
     retry_join_wan retry_max retry_max_wan revision rpc segment segment_limit segment_name_limit segments serf_lan
     serf_lan_allowed_cidrs serf_wan serf_wan_allowed_cidrs server server_name server_rejoin_age_max service services
     session_ttl_min skip_leave_on_interrupt snapshot_agent start_join start_join_wan sync_coordinate_interval_min
     sync_coordinate_rate_target syslog_facility tagged_addresses telemetry tls tls_cipher_suites tls_min_version
     tls_prefer_server_cipher_suites translate_wan_addrs ui ui_config ui_content_path ui_dir unix_sockets
     use_streaming_backend verify_incoming verify_incoming_https verify_incoming_rpc verify_outgoing
     verify_server_hostname version version_metadata version_prerelease watches xds`,
  acl: `default_policy down_policy enable_key_list_policy enable_token_persistence enable_token_replication enabled
     msp_disable_bootstrap policy_ttl role_ttl token_ttl tokens`,
  "acl.tokens": `agent agent_master agent_recovery config_file_service_registration default dns initial_management
     managed_service_provider master replication`,
  addresses: `dns grpc grpc_tls http https`,
  audit: `enabled rpc_enabled sink`,
  auto_config: `authorization dns_sans enabled intro_token intro_token_file ip_sans server_addresses`,
  "auto_config.authorization": `enabled static`,
  "auto_config.authorization.static": `allow_reuse bound_audiences bound_issuer claim_assertions claim_mappings clock_skew_leeway expiration_leeway
     jwks_ca_cert jwks_url jwt_supported_algs jwt_validation_pub_keys list_claim_mappings not_before_leeway
     oidc_discovery_ca_cert oidc_discovery_url`,
  auto_encrypt: `allow_tls dns_san ip_san tls`,
  autopilot: `cleanup_dead_servers disable_upgrade_migration last_contact_threshold max_trailing_logs min_quorum
     redundancy_zone_tag server_stabilization_time upgrade_version_tag`,
  cache: `entry_fetch_max_burst entry_fetch_rate`,
  cloud: `auth_url client_id client_secret hostname resource_id scada_address`,
  config_entries: `bootstrap`,
  connect: `ca_config ca_provider enable_mesh_gateway_wan_federation enabled test_ca_leaf_root_change_spread
     virtual_ip_cidr_v4 virtual_ip_cidr_v6`,
  consul: `coordinate raft server`,
  "consul.coordinate": `update_batch_size update_max_batches update_period`,
  "consul.raft": `election_timeout heartbeat_timeout leader_lease_timeout`,
  "consul.server": `health_interval`,
  dns_config: `a_record_limit allow_stale cache_max_age disable_compression enable_additional_node_meta_txt enable_truncate
     max_stale node_ttl only_passing prefer_namespace recursor_strategy recursor_timeout service_ttl soa
     udp_answer_limit use_cache`,
  "dns_config.soa": `expire min_ttl refresh retry`,
  gossip_lan: GOSSIP,
  gossip_wan: GOSSIP,
  http_config: `allow_write_http_from block_endpoints idle_timeout max_header_bytes read_header_timeout read_timeout
     response_headers use_cache write_timeout`,
  limits: `http_max_conns_per_client https_handshake_timeout kv_max_value_size request_limits rpc_client_timeout
     rpc_handshake_timeout rpc_max_burst rpc_max_conns_per_client rpc_rate txn_max_req_len`,
  "limits.request_limits": `mode read_rate write_rate`,
  locality: `region zone`,
  peering: `enabled test_allow_peer_registrations`,
  performance: `enable_xds_load_balancing grpc_keepalive_interval grpc_keepalive_timeout leave_drain_time raft_multiplier
     rpc_hold_timeout`,
  ports: `dns expose_max_port expose_min_port grpc grpc_tls http https proxy_max_port proxy_min_port serf_lan serf_wan
     server sidecar_max_port sidecar_min_port`,
  raft_logstore: `backend boltdb disable_log_cache verification wal`,
  "raft_logstore.boltdb": `no_freelist_sync`,
  "raft_logstore.verification": `enabled interval`,
  "raft_logstore.wal": `segment_size_mb`,
  reporting: `license snapshot_retention_time`,
  "reporting.license": `enabled`,
  rpc: `enable_streaming`,
  telemetry: `circonus_api_app circonus_api_token circonus_api_url circonus_broker_id circonus_broker_select_tag
     circonus_check_display_name circonus_check_force_metric_activation circonus_check_id circonus_check_instance_id
     circonus_check_search_tag circonus_check_tags circonus_submission_interval circonus_submission_url
     disable_hostname disable_per_tenancy_usage_metrics dogstatsd_addr dogstatsd_tags enable_host_metrics
     filter_default metrics_prefix prefix_filter prometheus_retention_time retry_failed_connection statsd_address
     statsite_address`,
  tls: `defaults grpc https internal_rpc`,
  "tls.defaults": TLS,
  "tls.grpc": TLS,
  "tls.https": TLS,
  "tls.internal_rpc": TLS,
  ui_config: `content_path dashboard_url_templates dir enabled metrics_provider metrics_provider_files
     metrics_provider_options_json metrics_proxy`,
  "ui_config.metrics_proxy": `add_headers base_url path_allowlist`,
  unix_sockets: `group mode user`,
  xds: `update_max_per_second`,
};

const KEYS: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries(SECTIONS).map(([section, keys]) => [section, keys.trim().split(/\s+/)]),
);

/** The keys of a section, by its path with dots; undefined if any key may be there. */
export const keysOf = (section: string): readonly string[] | undefined => KEYS.get(section);

/** Every key by its path with dots. */
export const CONFIG_KEYS: readonly string[] = [...KEYS].flatMap(([section, keys]) =>
  keys.map((key) => (section === "" ? key : `${section}.${key}`)),
);

/** Switches: a flag alone is `true`. The key that each sets; "" for a flag that has no key. */
const SWITCHES: Readonly<Record<string, string>> = {
  "-auto-reload-config": "auto_reload_config",
  "-bootstrap": "bootstrap",
  "-dev": "",
  "-disable-host-node-id": "disable_host_node_id",
  "-disable-keyring-file": "disable_keyring_file",
  "-enable-local-script-checks": "enable_local_script_checks",
  "-enable-script-checks": "enable_script_checks",
  "-log-json": "log_json",
  "-non-voting-server": "read_replica",
  "-read-replica": "read_replica",
  "-rejoin": "rejoin_after_leave",
  "-server": "server",
  "-syslog": "enable_syslog",
  "-ui": "ui",
};

/** Flags that need a value. */
const VALUES: Readonly<Record<string, string>> = {
  "-advertise": "advertise_addr",
  "-advertise-wan": "advertise_addr_wan",
  "-allow-write-http-from": "http_config.allow_write_http_from",
  "-alt-domain": "alt_domain",
  "-bind": "bind_addr",
  "-bootstrap-expect": "bootstrap_expect",
  "-check_output_max_size": "check_output_max_size",
  "-client": "client_addr",
  "-config-dir": "",
  "-config-file": "",
  "-config-format": "",
  "-data-dir": "data_dir",
  "-datacenter": "datacenter",
  "-default-query-time": "default_query_time",
  "-dns-port": "ports.dns",
  "-domain": "domain",
  "-encrypt": "encrypt",
  "-grpc-port": "ports.grpc",
  "-grpc-tls-port": "ports.grpc_tls",
  "-hcl": "",
  "-http-port": "ports.http",
  "-https-port": "ports.https",
  "-join": "start_join",
  "-join-wan": "start_join_wan",
  "-log-file": "log_file",
  "-log-level": "log_level",
  "-log-rotate-bytes": "log_rotate_bytes",
  "-log-rotate-duration": "log_rotate_duration",
  "-log-rotate-max-files": "log_rotate_max_files",
  "-max-query-time": "max_query_time",
  "-node": "node_name",
  "-node-id": "node_id",
  "-node-meta": "node_meta",
  "-pid-file": "pid_file",
  "-primary-gateway": "primary_gateways",
  "-protocol": "protocol",
  "-raft-protocol": "raft_protocol",
  "-recursor": "recursors",
  "-retry-interval": "retry_interval",
  "-retry-interval-wan": "retry_interval_wan",
  "-retry-join": "retry_join",
  "-retry-join-wan": "retry_join_wan",
  "-retry-max": "retry_max",
  "-retry-max-wan": "retry_max_wan",
  "-segment": "segment",
  "-serf-lan-allowed-cidrs": "serf_lan_allowed_cidrs",
  "-serf-lan-bind": "serf_lan",
  "-serf-lan-port": "ports.serf_lan",
  "-serf-wan-allowed-cidrs": "serf_wan_allowed_cidrs",
  "-serf-wan-bind": "serf_wan",
  "-serf-wan-port": "ports.serf_wan",
  "-server-port": "ports.server",
  "-ui-content-path": "ui_config.content_path",
  "-ui-dir": "ui_config.dir",
};

export interface KnownFlag {
  /** The configuration's key, by its path with dots; "" if it has none. */
  readonly key: string;
  readonly isSwitch: boolean;
}

export const FLAGS: ReadonlyMap<string, KnownFlag> = new Map(
  [SWITCHES, VALUES].flatMap((flags) =>
    Object.entries(flags).map(([name, key]) => [name, { key, isSwitch: flags === SWITCHES }] as const),
  ),
);
