#!/bin/sh
# probe.sh SECONDS ROLE NODE HTTPS FILE...: all that is to be seen of the agent in this container, and of its cluster as it sees it. No question takes more than
# SECONDS. HTTPS is the URL by which it takes HTTPS here, or nothing; of each FILE the SHA-256 is told. A line for each answer, in few words, for a thousand agents
# may be asked: what it is about and JSON, or `!` and why there is none. Behind consul-api.sh.
# shellcheck disable=SC2154 # consul-api.sh gives url
set -u
seconds=$1 role=$2 node=$3 https=$4
shift 4
health_token=/consul/secrets/health.token own_certificate=/consul/secrets/cert.pem

# tell WHAT PATH FILTER [WHO ASKS]
tell() {
  answer=$("${4:-api}" -m "$seconds" -w '\n%{http_code}' "$url$2" 2>&1)
  status=${answer##*
} body=${answer%
*}
  case $status in
  # Autopilot says 429 when a server is not healthy, and the KV 404 where there is nothing.
  200 | 404 | 429) told=$(printf '%s' "${body:-null}" | jq -c "$3" 2>/dev/null) && printf '%s %s\n' "$1" "$told" && return ;;
  esac
  printf '%s ! %s\n' "$1" "$(printf '%s' "$body" | tr '\n' ' ')"
  return 1
}
# Whoever may look at services.
watcher() {
  if [ -r "$health_token" ]; then
    printf 'X-Consul-Token: %s\n' "$(cat "$health_token")" | curl -sS -H @- "$@"
  else
    api "$@"
  fi
}

# An agent that does not answer at all is not asked for more.
tell self /v1/agent/self '{version: .Config.Version, id: .Config.NodeID, raft: .Stats.raft.state}' || case $status in 000) exit ;; esac
member='{name: .Name, address: "\(.Addr | if contains(":") then "[\(.)]" else . end):\(.Port)", status: .Status, server: (.Tags.role == "consul")}'
if [ "$role" = server ]; then
  tell members /v1/agent/members "map($member)"
  tell servers '/v1/operator/raft/configuration?stale' '.Servers | map({id: .ID, node: .Node, address: .Address, voter: .Voter})'
else
  # Not each of a thousand clients says who the others are.
  tell members /v1/agent/members "map(select(.Name == \"$node\") | $member)"
fi
told=''
# A client asks a server, and may wait for one that is cut off.
tell leader /v1/status/leader .
if [ "$role" = server ] && [ "${told:-\"\"}" != '""' ]; then
  tell health /v1/operator/autopilot/health \
    '.Servers | map({node: .Name, healthy: .Healthy, status: .SerfStatus, index: .LastIndex, contact: .LastContact})'
  tell locks '/v1/kv/consul-cdktf/?recurse&consistent' '(. // []) | map({key: .Key, value: .Value, index: .ModifyIndex})'
  tell services /v1/catalog/services keys watcher
  failing='map(select(.CheckID != "serfHealth") | {node: .Node, service: .ServiceName, check: .Name, status: .Status, output: .Output[:200]})'
  for state in critical warning; do tell "$state" "/v1/health/state/$state" "$failing" watcher; done
fi
# As it is in use: one that was brought, and is not loaded, is not shown.
[ -z "$https" ] || certificate=$(curl -ksS -m "$seconds" -o /dev/null -w '%{certs}' "$https" 2>/dev/null | sed -n '/BEGIN CERT/,/END CERT/p;/END CERT/q')
if [ -n "${certificate:-}" ]; then
  printf 'certificate %s\n' "$(printf '%s' "$certificate" | jq -Rs .)"
elif [ "$role" = server ] && [ -r "$own_certificate" ]; then
  printf 'certificate %s\n' "$(jq -Rs . "$own_certificate")"
fi
for file; do
  if sum=$(sha256sum "$file" 2>/dev/null); then printf 'file %s %s\n' "${sum%% *}" "$file"; else printf 'gone %s\n' "$file"; fi
done
echo end
