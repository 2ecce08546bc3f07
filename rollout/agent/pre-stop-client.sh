#!/bin/sh
# pre-stop-client.sh SECONDS OWNER NODE PURPOSE MAX STAGE: the pre-stop check of the client agent NODE. PURPOSE is `replace` or `leave`. It runs in the agent's
# own container, then in the servers', before Terraform stops the container. STAGE is the next container's stage of security. Behind consul-api.sh, lock.sh
# and security-compat.sh.
#
# It allows the stop if fewer than MAX other client agents are being replaced, and no server. A client agent that does not become ready keeps its rollout slot, so
# a change that breaks client agents stops after MAX of them. An agent that is not ready may always be stopped.
# shellcheck disable=SC2034,SC2154 # lock.sh takes owner, and gives entries
set -u
seconds=$1 owner=$2 node=$3 purpose=$4 max=$5 stage=$6
# Servers go first. Between two of them the lock is free for a moment.
needed=3 free=0
reason="waiting for a rollout slot"

while :; do
  if [ -z "$(leader)" ]; then
    log "this agent knows no leader"
    waited 8 && unknown
    sleep 1
    continue
  fi
  # 1 is alive (hashicorp/serf, MemberStatus).
  status=$(ask /v1/agent/members | value --arg node "$node" 'if type == "array" then (map(select(.Name == $node).Status)[0] // 0) else empty end')
  if [ -z "$status" ]; then
    log "this agent does not list the members"
    waited 8 && unknown
    sleep 1
    continue
  fi
  [ "$status" = 1 ] || allow "it is not in the cluster"

  if [ "$purpose" = replace ] && ! is_compatible "$stage"; then
    sleep 1
    continue
  fi
  replacing=$(holder)
  if [ -n "$replacing" ]; then
    free=0 reason="waiting: server $replacing is being replaced"
  else
    free=$((free + 1))
  fi
  if [ "$free" -ge "$needed" ] && clients=$(slot_holders); then
    ahead=$(printf '%s\n' "$clients" | grep -vxF -- "$owner" | grep -c .)
    reason="waiting: $(printf '%s\n' "$clients" | grep -vxF -- "$owner" | head -n 3 | tr '\n' ' ')being replaced"
    [ "$ahead" -gt 0 ] || reason="the rollout slot cannot be acquired: $entries rejects the request"
    if [ "$ahead" -lt "$max" ] && { acquire_slot || printf '%s\n' "$clients" | grep -qxF -- "$owner"; }; then
      # Two checks may have acquired slots at the same time: the earlier ones count.
      if slot_holders | head -n "$max" | grep -qxF -- "$owner"; then
        allow "$ahead other client agents are being replaced, of at most $max in parallel"
      fi
      release_slot
    fi
  fi
  log "$reason"
  waited "$((2 * seconds + 30))" &&
    deny "hint: fix those first: a readiness check releases the slot of its agent. If no deploy replaces them: npm run doctor -- --fix"
  sleep 1
done
