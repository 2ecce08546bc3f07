#!/bin/sh
# pre-stop-client.sh SECONDS OWNER NODE PURPOSE AT_A_TIME STAGE: may the client NODE be stopped, to `replace` it or to `leave` for good? Asked in its own container
# first, then in the servers', before Terraform stops it. STAGE is how far its next container has security turned on. Behind consul-api.sh,
# lock.sh and security-compat.sh.
#
# Yes, when fewer than AT_A_TIME others are being replaced, and no server: who loses one agent finds another. A client that does not get in keeps its turn:
# a change that breaks clients stops at AT_A_TIME of them. A client that is not in may always go.
# shellcheck disable=SC2034,SC2154 # lock.sh takes owner, and gives entries
set -u
seconds=$1 owner=$2 node=$3 purpose=$4 most=$5 stage=$6
# Servers go first. Between one and the next the lock is free for a moment.
looks=3 free=0
busy="waiting for a turn"

while :; do
  if [ -z "$(leader)" ]; then
    say "this agent knows no leader"
    waited 8 && cannot_tell
    sleep 1
    continue
  fi
  # 1 is alive (hashicorp/serf, MemberStatus).
  status=$(ask /v1/agent/members | value --arg node "$node" 'if type == "array" then (map(select(.Name == $node).Status)[0] // 0) else empty end')
  if [ -z "$status" ]; then
    say "this agent does not say who is a member"
    waited 8 && cannot_tell
    sleep 1
    continue
  fi
  [ "$status" = 1 ] || let_go "it is not in the cluster, and its stop takes nothing away"

  if [ "$purpose" = replace ] && ! in_step "$stage"; then
    sleep 1
    continue
  fi
  replacing=$(holder)
  if [ -n "$replacing" ]; then
    free=0 busy="waiting: server $replacing is being replaced"
  else
    free=$((free + 1))
  fi
  if [ "$free" -ge "$looks" ] && clients=$(clients_replacing); then
    ahead=$(printf '%s\n' "$clients" | grep -vxF -- "$owner" | grep -c .)
    busy="waiting: $(printf '%s\n' "$clients" | grep -vxF -- "$owner" | head -n 3 | tr '\n' ' ')being replaced"
    [ "$ahead" -gt 0 ] || busy="its turn cannot be taken: $entries refuses"
    if [ "$ahead" -lt "$most" ] && { take_turn || printf '%s\n' "$clients" | grep -qxF -- "$owner"; }; then
      # Two may have come at once: the earlier entries count.
      if clients_replacing | head -n "$most" | grep -qxF -- "$owner"; then
        let_go "$ahead other clients are being replaced, of $most at a time"
      fi
      give_turn_back
    fi
  fi
  say "$busy"
  waited "$((2 * seconds + 30))" &&
    refuse "Mend those first: a gate gives the turn back when its agent is in. If nobody replaces them: npm run doctor -- --fix"
  sleep 1
done
