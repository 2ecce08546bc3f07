#!/bin/sh
# lock.sh: who is being replaced, kept in the cluster itself, so that it holds for every deploy, from wherever. One KV entry names the server; each
# client that is being replaced has an entry of its own. The questions take them, and the gates give them back. Behind consul-api.sh.
# `owner` is the agent's Terraform id, which stays when its node or container gets another name.
# shellcheck disable=SC2154 # owner is the script's behind it
entries=$url/v1/kv/consul-cdktf
server_lock=$entries/replacing

holder() { api -f "$server_lock?raw&consistent" 2>/dev/null; }
take_lock() { api -f -X PUT -d "$owner" "$server_lock?cas=0" >/dev/null 2>&1; }

# The clients being replaced, one a line, the earliest first; fails when the cluster cannot be asked.
clients_replacing() {
  answer=$(api -w '\n%{http_code}' "$entries/clients/?recurse&consistent" 2>/dev/null)
  case $answer in
  *404) ;;
  *200) printf '%s' "${answer%200}" | value 'sort_by(.CreateIndex)[].Key | sub("^consul-cdktf/clients/"; "")' ;;
  *) return 1 ;;
  esac
}
take_turn() { api -f -X PUT -d "$node" "$entries/clients/$owner?cas=0" >/dev/null 2>&1; }
give_turn_back() { api -f -X DELETE "$entries/clients/$owner" >/dev/null 2>&1; }

# Succeeds when the lock is not this owner's, or no longer.
give_lock_back() {
  entry=$(api -w '\n%{http_code}' "$server_lock?consistent" 2>/dev/null)
  case $entry in
  *404) return 0 ;;
  *200) ;;
  *) return 1 ;;
  esac
  index=$(printf '%s' "${entry%200}" | value --arg owner "$owner" '.[0] | select((.Value | @base64d) == $owner) | .ModifyIndex')
  [ -z "$index" ] || [ "$(api -f -X DELETE "$server_lock?cas=$index" 2>/dev/null)" = true ]
}
