#!/bin/sh
# definitions.sh SECONDS DEFINITIONS PROGRAM: creates, updates and deletes the cluster's keys, config entries and
# prepared queries. It runs in a server's container, behind consul-api.sh and management-api.sh.
# DEFINITIONS is JSON: `kv`, text by key; `config_entries`, by kind/name; `prepared_queries`, by name. Entries and
# queries are in the API's format. PROGRAM is definitions.jq.
# An existing key does not change. The script notes in the KV store which objects it has created, so that it can delete
# them when they are not declared any more. An object that somebody else created under a declared name, with other
# values, does not change: the script fails. Exit codes: 0 when all is complete, 3 on such an object or at the timeout.
# shellcheck disable=SC2034 # consul-api.sh takes node
set -u
seconds=$1 definitions=$2 program=$3 node=definitions begun=$(now)
noted=/v1/kv/consul-cdktf/definitions
# For so many seconds the script retries a request that Consul rejects, because it may depend on another request, or the
# cluster may be electing a leader.
patience=10

# read_json PATH DEFAULT: the response, or the default if the object does not exist.
read_json() {
  answer=$(managed "$1" -w '\n%{http_code}' </dev/null)
  case $answer in
  *200) printf '%s\n' "${answer%200}" ;;
  *404) printf '%s\n' "$2" ;;
  *)
    echo "$1: $answer"
    return 1
    ;;
  esac
}
# Lists the config entries of each kind that is declared or noted, one response a kind.
entries() {
  kinds=$(printf '%s %s' "$definitions" "$1" | jq -r '.config_entries // [] | if type == "object" then keys[] else .[] end | split("/")[0]' | sort -u)
  for kind in $kinds; do read_json "/v1/config/$kind" '[]' || return 1; done
}
# Prints the planned requests as one line of JSON. If a read fails, it prints the reason, and fails.
plan() {
  if ! { note=$(read_json "$noted?raw&consistent" '{}') && entries=$(entries "$note") && queries=$(read_json /v1/query '[]'); }; then
    echo "$note ${entries:-} ${queries:-}"
    return 1
  fi
  printf '%s\n' "$note" "$queries" "$entries" | jq -cs --argjson definitions "$definitions" "$program"
}

planned='' steps=''
while [ $(($(now) - begun)) -lt "$seconds" ]; do
  if ! authorize; then
    log "waiting for a leader that knows the management token"
    waited 8 && unknown
  elif [ -z "$planned" ] && ! planned=$(plan 2>&1); then
    log "cannot be read: $planned"
    planned=''
  else
    clash=$(printf '%s' "$planned" | jq -r '.clashes | join(", ")')
    if [ -n "$clash" ]; then
      echo "definitions: nothing was changed: $clash exists, differs from the file, and was not created by a deploy; hint: write what exists into the file, or delete it in Consul, and deploy again" >&2
      exit 3
    fi
    [ -n "$steps" ] || steps=$(printf '%s' "$planned" | jq -c '.steps[]')
    left=''
    [ -z "$steps" ] || left=$(apply_steps "$steps")
    if [ -z "$left" ]; then
      # The final note comes last. Until then the note has the earlier objects and the declared ones.
      last=$(printf '%s' "$planned" | jq -c '.last[]')
      [ -z "$last" ] || left=$(apply_steps "$last")
    fi
    if [ -z "$left" ]; then
      echo "definitions: complete"
      exit 0
    fi
    steps=$left
    log "$(format_failures "$left")"
    if waited "$patience" && [ -n "$(leader)" ]; then break; fi
  fi
  sleep 1
done
echo "definitions: not done after $(($(now) - begun)) s: ${logged:-no answer}" >&2
exit 3
