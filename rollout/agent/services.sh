#!/bin/sh
# services.sh SECONDS ROLE NODE DECLARED: delivers the services and checks that the cluster file declares on this
# container's agent, NODE. DECLARED is a configuration file of Consul's, as JSON.
# Consul validates the file first. If the agent still rejects it, the agent gets its previous file back. Exit codes: 0
# when the agent and the catalog have the declared services, 3 on a rejection or at the timeout.
# Behind consul-api.sh and reload.sh.
# shellcheck disable=SC2154 # consul-api.sh gives url
set -u
seconds=$1 role=$2 node=$3 declared=$4 begun=$(now)
folder=/consul/declared file=/consul/declared/services.json
# A copy of the file that the agent has loaded, written after a reload or when the container starts. Consul loads only
# files that end in .json.
read=$folder/services.read
# The grace period of readiness.sh: this step must not hold a slot of Terraform's parallelism that another server needs.
grace=6
was_never_ready() { if [ "$role" = client ]; then [ ! -e "${CONSUL_DATA_DIR:-/consul/data}/was-in" ]; else [ "$(ask /v1/status/peers)" = '[]' ]; fi; }

[ -e "$file" ] || [ "$declared" != '{}' ] || exit 0

# Validates the declared file beside a minimal configuration. Consul has already accepted the rest of the agent's own
# configuration, which has no effect on services.
validate() {
  trial=$(mktemp -d) || return
  printf '{"data_dir": "/consul/data", "node_name": "%s", "bind_addr": "127.0.0.1", "advertise_addr": "127.0.0.1"}' "$node" >"$trial/agent.json"
  printf '%s' "$declared" >"$trial/services.json"
  verdict=$(consul validate -quiet "$trial/agent.json" "$trial/services.json" 2>&1)
  valid=$?
  rm -rf "$trial"
  printf '%s' "$verdict" | tr -s '[:space:]' ' '
  return "$valid"
}
# put CONTENT: replaces the file in one step, so that a reload never reads half a file.
put() {
  rm -f "$read"
  printf '%s' "$1" >"$folder/services.new" && mv "$folder/services.new" "$file"
}
# Prints the reason if the agent rejects the file. Without a leader the agent cannot resolve a token, so a signal
# reloads it, and a signal has no response.
reload() {
  if [ -z "$(leader)" ]; then
    signal_reload
    return
  fi
  answer=$(api -X PUT -w '\n%{http_code}' "$url/v1/agent/reload" 2>&1)
  case $answer in
  *200) return 0 ;;
  *)
    printf '%s' "${answer%???}" | tr -s '[:space:]' ' '
    return 1
    ;;
  esac
}
refused() {
  echo "$node: $1: $2" >&2
  exit 3
}

had=$(cat "$file" 2>/dev/null) || had='{}'
if [ "$(cat "$read" 2>/dev/null)" != "$declared" ]; then
  why=$(validate) || refused "its services are not delivered, because Consul rejects them" "${why#*Config validation failed: }"
  put "$declared" || refused "its services cannot be written" "$file"
  if ! why=$(reload); then
    put "$had" && reload >/dev/null
    refused "its agent rejects its services, and keeps the previous ones" "$why"
  fi
  cp "$file" "$read"
fi

# Lists services and checks that the agent or the catalog does not have yet. Fails if one of them is unreachable.
missing() {
  services=$(ask /v1/agent/services -f) && checks=$(ask /v1/agent/checks -f) && catalog=$(ask "/v1/catalog/node-services/$node" -f) || return
  printf '%s\n' "$declared" "$services" "$checks" "$catalog" | value -rs '. as [$declared, $services, $checks, $catalog]
    | [$declared.services[]? | .id // .name | select($services[.] == null or (. as $id | any($catalog.Services[]?; .ID == $id) | not))]
      + [$declared.checks[]? | .id // .name | select($checks[.] == null)] | join(" ")'
}
while [ $(($(now) - begun)) -lt "$seconds" ]; do
  if ! absent=$(missing); then
    log "has its services; waiting for the agent's answer"
    if [ $(($(now) - begun)) -ge "$grace" ] && was_never_ready; then
      echo "$node: has its services; check skipped: the other servers are not deployed yet"
      exit 0
    fi
  elif [ -z "$absent" ]; then
    echo "$node: services: $(printf '%s' "$declared" | value -r '[(.services, .checks)[]? | .id // .name] | if . == [] then "none" else join(" ") end')"
    exit 0
  else
    log "waiting until the catalog has $absent"
  fi
  sleep 1
done
echo "$node: not all of its services are there after $seconds s: ${logged:-no answer}; hint: read its container's log" >&2
exit 3
