#!/bin/sh
# removal.sh SECONDS OWNER NODE: waits in a server's container until NODE, which was stopped for good, is neither among the members nor in raft; takes it out
# where it did not leave by itself. Then gives back the lock or turn that its leaving took. Exits 0 when so, 3 when not in time. Behind consul-api.sh and lock.sh.
# shellcheck disable=SC2034 # lock.sh takes owner
set -u
seconds=$1 owner=$2 node=$3 begun=$(now)

# An answer that is none is not taken for "gone". alive 1, leaving 2, left 3, failed 4 (hashicorp/serf, MemberStatus).
status() { ask /v1/agent/members | value --arg node "$node" 'if type == "array" then (map(select(.Name == $node).Status)[0] // 0) else "unknown" end'; }
peer() { ask /v1/operator/raft/configuration | value --arg node "$node" '(.Servers | map(select(.Node == $node).ID)[0]) // "none"'; }

while [ $(($(now) - begun)) -lt "$seconds" ]; do
  status=$(status)
  case $status in
  1 | 2) say "waiting until it is no member" ;;
  4)
    say "it did not leave by itself: taken out of the members"
    ask "/v1/agent/force-leave/$node" -X PUT >/dev/null
    ;;
  0 | 3)
    id=$(peer)
    if [ -n "$id" ] && [ "$id" != none ]; then
      say "it did not leave by itself: taken out of raft"
      ask "/v1/operator/raft/peer?id=$id" -X DELETE >/dev/null
    elif [ "$id" = none ] && [ -n "$(leader)" ] && give_lock_back && give_turn_back; then
      echo "$node: has left"
      exit 0
    else
      say "waiting for a leader"
      waited 8 && cannot_tell
    fi
    ;;
  *)
    say "this server does not say who is a member"
    waited 8 && cannot_tell
    ;;
  esac
  sleep 1
done
echo "$node: has not left after $seconds s: ${said:-nothing was asked}" >&2
exit 3
