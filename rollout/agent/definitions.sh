#!/bin/sh
# definitions.sh SECONDS DEFINITIONS PROGRAM: makes the cluster's keys, config entries and prepared queries what they are to be, in a server's container. DEFINITIONS is
# JSON: `kv`, text by key; `config_entries`, by kind/name; `prepared_queries`, by name, both as the API takes them; PROGRAM is definitions.jq. A key that is there is left
# alone. What it made earlier and nobody wants any more it deletes: it notes in the KV store what it has made. What others made by the same name and otherwise it does
# not touch. Exits 0 when all is there, 3 when not in time or not at all. Behind consul-api.sh and management-api.sh.
# shellcheck disable=SC2034 # consul-api.sh takes node
set -u
seconds=$1 definitions=$2 program=$3 node=definitions begun=$(now)
noted=/v1/kv/consul-cdktf/definitions
# So long a step that Consul refuses is tried again: another may have to come first, or a leader be found.
patience=10

# read_json PATH DEFAULT: an answer, or the default where there is nothing.
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
# One answer for each kind that is defined, or was.
entries() {
  kinds=$(printf '%s %s' "$definitions" "$1" | jq -r '.config_entries // [] | if type == "object" then keys[] else .[] end | split("/")[0]' | sort -u)
  for kind in $kinds; do read_json "/v1/config/$kind" '[]' || return 1; done
}
# What is to be done, as one line of JSON; fails with the reason when it cannot be told.
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
      # What is noted last: until then all that was and all that is to be counts as made.
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
