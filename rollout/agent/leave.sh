#!/bin/sh
# leave.sh: makes the agent of this container leave the cluster: a server out of raft and gossip, after handing leadership over; a client
# out of gossip, with its services and checks. The agent ends by itself, and this script with it. Behind consul-api.sh.
set -u

leads() { [ "$(ask /v1/agent/self | value .Stats.raft.state)" = Leader ]; }

if leads; then
  ask /v1/operator/raft/transfer-leader -X POST >/dev/null
  patience=$(($(now) + 8))
  while leads && [ "$(now)" -lt "$patience" ]; do sleep 0.2; done
fi
# Consul waits until Raft has removed it, then a while for its clients to notice (leave_drain_time 5 s).
ask /v1/agent/leave -m 30 -X PUT
