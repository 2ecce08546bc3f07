#!/bin/sh
# lock.sh: the deploy lock and the rollout slots. They are in Consul's KV store, so they hold for every deploy, from every machine. One key names the server that
# is being replaced; each client agent that is being replaced has a key of its own. Pre-stop checks acquire them, readiness checks release them. Behind consul-api.sh.
# `owner` is the agent's Terraform id, which stays when its node or container gets another name.
# shellcheck disable=SC2154 # owner is the script's behind it
entries=$url/v1/kv/consul-cdktf
server_lock=$entries/replacing

holder() { api -f "$server_lock?raw&consistent" 2>/dev/null; }
acquire_lock() { api -f -X PUT -d "$owner" "$server_lock?cas=0" >/dev/null 2>&1; }

# The client agents that have a rollout slot, one a line, the earliest first. Fails without an answer of Consul.
slot_holders() {
  answer=$(api -w '\n%{http_code}' "$entries/clients/?recurse&consistent" 2>/dev/null)
  case $answer in
  *404) ;;
  *200) printf '%s' "${answer%200}" | value 'sort_by(.CreateIndex)[].Key | sub("^consul-cdktf/clients/"; "")' ;;
  *) return 1 ;;
  esac
}
acquire_slot() { api -f -X PUT -d "$node" "$entries/clients/$owner?cas=0" >/dev/null 2>&1; }
release_slot() { api -f -X DELETE "$entries/clients/$owner" >/dev/null 2>&1; }

# Succeeds if the lock is not this owner's, or no longer.
release_lock() {
  entry=$(api -w '\n%{http_code}' "$server_lock?consistent" 2>/dev/null)
  case $entry in
  *404) return 0 ;;
  *200) ;;
  *) return 1 ;;
  esac
  index=$(printf '%s' "${entry%200}" | value --arg owner "$owner" '.[0] | select((.Value | @base64d) == $owner) | .ModifyIndex')
  [ -z "$index" ] || [ "$(api -f -X DELETE "$server_lock?cas=$index" 2>/dev/null)" = true ]
}
