#!/bin/sh
# lock.sh: the cluster's lock, a KV entry that names the agent being replaced. It stands in front of the scripts that take it (question.sh) and give
# it back (gate.sh). They set `owner`, the agent's Terraform id, which stays when its node or container gets another name.
# shellcheck disable=SC2154 # owner is the script's behind it
url=${CONSUL_HTTP_ADDR:-http://127.0.0.1:8500}
lock=$url/v1/kv/consul-cdktf/replacing

ask() { curl -sS -m 5 "$url$1" 2>/dev/null; }
value() { jq -r "$@" 2>/dev/null; }

holder() { curl -fsS -m 5 "$lock?raw&consistent" 2>/dev/null; }
take_lock() { curl -fsS -m 5 -X PUT -d "$owner" "$lock?cas=0" >/dev/null 2>&1; }

# Succeeds when the lock is not this owner's, or no longer.
give_lock_back() {
  entry=$(curl -sS -m 5 -w '\n%{http_code}' "$lock?consistent" 2>/dev/null)
  case $entry in
  *404) return 0 ;;
  *200) ;;
  *) return 1 ;;
  esac
  index=$(printf '%s' "${entry%200}" | value --arg owner "$owner" '.[0] | select((.Value | @base64d) == $owner) | .ModifyIndex')
  [ -z "$index" ] || [ "$(curl -fsS -m 5 -X DELETE "$lock?cas=$index" 2>/dev/null)" = true ]
}
