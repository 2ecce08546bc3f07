#!/bin/sh
# removal.sh SECONDS OWNER NODE: waits in a server's container until NODE, which was decommissioned, is neither a member nor in Raft; removes it
# if it did not leave by itself. Then releases the lock or rollout slot. Exits 0 when so, 3 when not in time. Behind consul-api.sh and lock.sh.
# shellcheck disable=SC2034 # lock.sh takes owner
set -u
seconds=$1 owner=$2 node=$3 begun=$(now)

# An answer that is none is not taken for "gone". alive 1, leaving 2, left 3, failed 4 (hashicorp/serf, MemberStatus).
status() { ask /v1/agent/members | value --arg node "$node" 'if type == "array" then (map(select(.Name == $node).Status)[0] // 0) else "unknown" end'; }
peer() { ask /v1/operator/raft/configuration | value --arg node "$node" '(.Servers | map(select(.Node == $node).ID)[0]) // "none"'; }

while [ $(($(now) - begun)) -lt "$seconds" ]; do
  status=$(status)
  case $status in
  1 | 2) log "waiting until it is no member" ;;
  4)
    log "it did not leave by itself: removed from the members"
    ask "/v1/agent/force-leave/$node" -X PUT >/dev/null
    ;;
  0 | 3)
    id=$(peer)
    if [ -n "$id" ] && [ "$id" != none ]; then
      log "it did not leave by itself: removed from Raft"
      ask "/v1/operator/raft/peer?id=$id" -X DELETE >/dev/null
    elif [ "$id" = none ] && [ -n "$(leader)" ] && release_lock && release_slot; then
      echo "$node: has left"
      exit 0
    else
      log "waiting for a leader"
      waited 8 && unknown
    fi
    ;;
  *)
    log "this server does not list the members"
    waited 8 && unknown
    ;;
  esac
  sleep 1
done
echo "$node: has not left after $seconds s: ${logged:-no answer}" >&2
exit 3
