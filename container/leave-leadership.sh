#!/bin/sh
# leave-leadership.sh ARGUMENT...: runs the image's entrypoint, and transfers leadership before a server is stopped, so
# that no write waits for an election. It is the only child of `dumb-init --single-child`, so signals reach no other
# process.
set -u
url=${CONSUL_HTTP_ADDR:-http://127.0.0.1:8500}
consul='' status=0

header=/consul/secrets/rollout.header
# call OPTION OF CURL...: sends a request with the token. If there is none, or if the cluster does not know it yet
# (curl's status 22), it sends the request without one.
call() {
  if [ -r "$header" ]; then
    curl -fsS -H "@$header" "$@" 2>/dev/null && return
    answer=$?
    [ "$answer" -eq 22 ] || return "$answer"
  fi
  curl -fsS "$@"
}
# The server's Raft state and the leader's address, as in "Leader 10.0.0.1:8300". Curl's status 28: no response in time.
raft() {
  self=$(call -m 2 "$url/v1/agent/self" 2>/dev/null) || return
  printf '%s' "$self" | jq -r '"\(.Stats.raft.state) \(.Stats.consul.leader_addr)"'
}
transfer() { call -m 5 -X POST "$url/v1/operator/raft/transfer-leader" >/dev/null; }

# Docker sends SIGKILL after 30 s, and Consul itself may take 15 s. The transfer gets 8 s: on a busy host a transfer may
# fail, a response may be late, and the next leader needs this server's vote.
stop() {
  deadline=$(($(date +%s) + 8)) transferred=false
  while [ "$(date +%s)" -lt "$deadline" ]; do
    answer=0
    seen=$(raft) || answer=$?
    case "$answer $seen" in
      "0 Leader "*) transfer && transferred=true && echo "transferred leadership" ;;
      "0 "*" ") [ "$transferred" = true ] || break ;;
      "28 "*) ;;
      *) break ;;
    esac
    sleep 0.2
  done
  [ -z "$consul" ] || kill -TERM "$consul" 2>/dev/null
}

docker-entrypoint.sh "$@" &
consul=$!
trap stop TERM INT
# Consul reloads its configuration.
trap 'kill -HUP "$consul"' HUP

# A signal ends `wait`, but not the process.
while kill -0 "$consul" 2>/dev/null; do
  wait "$consul"
  status=$?
done
exit "$status"
