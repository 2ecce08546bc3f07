#!/bin/sh
# probe.sh SECONDS ROLE NODE SCOPE TOKEN HTTPS FILE...: probes the agent in this container, and the cluster as the agent
# sees it. Behind consul-api.sh.
# SECONDS limits each request. SCOPE is `raft` (the agent and its leader), `agent` (status and doctor), or `cluster`
# (adoption: all members and peers, also from a client agent). TOKEN is `agent` or `management`. HTTPS is the agent's
# HTTPS URL, or empty. Of each FILE the output has the SHA-256.
# The output is short, because a thousand agents may be probed: one line for each answer, with its topic and JSON, or
# `!` and the reason why there is none.
# shellcheck disable=SC2154 # consul-api.sh sets url
set -u
seconds=$1 role=$2 node=$3 scope=$4 token=$5 https=$6
shift 6
health_token=/consul/secrets/health.token own_certificate=/consul/secrets/cert.pem management_header=/consul/secrets/management.header

# Functions that send a request: with the management token, and with the token that may read all services.
management() { if [ -r "$management_header" ]; then curl -sS -H "@$management_header" "$@"; else curl -sS "$@"; fi; }
watcher() {
  if [ -r "$health_token" ]; then
    printf 'X-Consul-Token: %s\n' "$(cat "$health_token")" | curl -sS -H @- "$@"
  else
    api "$@"
  fi
}
case $token in management) sender=management ;; *) sender=api ;; esac

# report TOPIC PATH FILTER [SENDER]
report() {
  response=$("${4:-$sender}" -m "$seconds" -w '\n%{http_code}' "$url$2" 2>&1)
  status=${response##*
} body=${response%
*}
  case $status in
  # Autopilot answers 429 when a server is unhealthy, and the KV store 404 when there is no entry.
  200 | 404 | 429) answer=$(printf '%s' "${body:-null}" | jq -c "$3" 2>/dev/null) && printf '%s %s\n' "$1" "$answer" && return ;;
  esac
  printf '%s ! %s\n' "$1" "$(printf '%s' "$body" | tr '\n' ' ')"
  return 1
}

self='{version: .Config.Version, id: .Config.NodeID, raft: .Stats.raft.state, index: .Stats.raft.applied_index,
  node: .Config.NodeName, datacenter: .Config.Datacenter, server: .Config.Server, address: .Member.Addr, gossipPort: .Member.Port, serverPort: .Member.Tags.port,
  dataFolder: .DebugConfig.DataDir, leavesOnTerm: .DebugConfig.LeaveOnTerm, gossipEncrypted: .Stats.serf_lan.encrypted}'
member='{name: .Name, address: "\(.Addr | if contains(":") then "[\(.)]" else . end):\(.Port)", status: .Status, server: (.Tags.role == "consul")}'

# An agent without any answer gets no further request.
report self /v1/agent/self "$self" || case $status in 000) exit ;; esac
if [ "$scope" = raft ]; then
  report leader /v1/status/leader .
  echo end
  exit
fi
if [ "$role" = server ] || [ "$scope" = cluster ]; then
  report members /v1/agent/members "map($member)"
else
  # A thousand client agents must not list a thousand members each.
  report members /v1/agent/members "map(select(.Name == \"$node\") | $member)"
fi
[ "$role" != server ] ||
  report servers '/v1/operator/raft/configuration?stale' '.Servers | map({id: .ID, node: .Node, address: .Address, voter: .Voter})'
answer=''
# A client agent asks a server, and may wait for one that is partitioned.
report leader /v1/status/leader .
leader=${answer:-'""'}
if [ "$scope" = cluster ] && [ "$leader" != '""' ]; then
  report peers /v1/status/peers .
elif [ "$role" = server ] && [ "$leader" != '""' ]; then
  report health /v1/operator/autopilot/health \
    '.Servers | map({node: .Name, healthy: .Healthy, status: .SerfStatus, index: .LastIndex, contact: .LastContact})'
  report locks '/v1/kv/consul-cdktf/?recurse&consistent' '(. // []) | map({key: .Key, value: .Value, index: .ModifyIndex})'
  report services /v1/catalog/services keys watcher
  failing='map(select(.CheckID != "serfHealth") | {node: .Node, service: .ServiceName, check: .Name, status: .Status, output: .Output[:200]})'
  for state in critical warning; do report "$state" "/v1/health/state/$state" "$failing" watcher; done
fi
# The certificate in use: a new file that has not been loaded yet does not count.
[ -z "$https" ] || certificate=$(curl -ksS -m "$seconds" -o /dev/null -w '%{certs}' "$https" 2>/dev/null | sed -n '/BEGIN CERT/,/END CERT/p;/END CERT/q')
if [ -n "${certificate:-}" ]; then
  printf 'certificate %s\n' "$(printf '%s' "$certificate" | jq -Rs .)"
elif [ "$role" = server ] && [ -r "$own_certificate" ]; then
  printf 'certificate %s\n' "$(jq -Rs . "$own_certificate")"
fi
for file; do
  if sum=$(sha256sum "$file" 2>/dev/null); then printf 'file %s %s\n' "${sum%% *}" "$file"; else printf 'missing %s\n' "$file"; fi
done
echo end
