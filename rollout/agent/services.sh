#!/bin/sh
# services.sh SECONDS ROLE NODE DECLARED: gives this container's agent, NODE, the services and checks that the cluster file declares on it; DECLARED is a file of Consul's, as
# JSON. Consul is asked first whether it is one; an agent that does not take it after all gets back what it had. Exits 0 when the agent and the catalog have what is
# declared, 3 when not in time or not at all. Behind consul-api.sh and reload.sh.
# shellcheck disable=SC2154 # consul-api.sh gives url
set -u
seconds=$1 role=$2 node=$3 declared=$4 begun=$(now)
folder=/consul/declared file=/consul/declared/services.json
# What the agent has read: written once it has, or when its container starts with it. Consul reads what ends in .json.
read=$folder/services.read
# The grace period of readiness.sh: this step must not hold a slot of Terraform's parallelism that another server needs.
grace=6
was_never_ready() { if [ "$role" = client ]; then [ ! -e "${CONSUL_DATA_DIR:-/consul/data}/was-in" ]; else [ "$(ask /v1/status/peers)" = '[]' ]; fi; }

[ -e "$file" ] || [ "$declared" != '{}' ] || exit 0

# The rest of the agent's configuration is taken already, and says nothing about services.
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
# put CONTENT: whole, or not at all.
put() {
  rm -f "$read"
  printf '%s' "$1" >"$folder/services.new" && mv "$folder/services.new" "$file"
}
# Says why, when the agent refuses. Where nobody can know its token it is asked by a signal, which has no answer.
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

# What the agent or the catalog does not have yet. Fails if they do not answer.
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
