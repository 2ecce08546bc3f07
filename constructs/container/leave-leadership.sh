#!/bin/sh
# leave-leadership.sh ARGUMENT...: runs the image's entrypoint, and hands leadership over before a server is stopped, so that no write waits for
# an election. It is the one child of dumb-init --single-child: signals come here, and nowhere else.
set -u
url=${CONSUL_HTTP_ADDR:-http://127.0.0.1:8500}

leads() { [ "$(curl -fsS -m 2 "$url/v1/agent/self" 2>/dev/null | jq -r .Stats.raft.state)" = Leader ]; }

stop() {
  if leads; then
    curl -fsS -m 5 -X POST "$url/v1/operator/raft/transfer-leader" >/dev/null && echo "handed leadership over"
    # The others take it up within a heartbeat.
    for _ in 1 2 3 4 5 6 7 8 9 10; do
      leads || break
      sleep 0.2
    done
  fi
  kill -TERM "$consul"
}

trap stop TERM INT
# Consul reloads its configuration.
trap 'kill -HUP "$consul"' HUP

docker-entrypoint.sh "$@" &
consul=$!
# A signal ends a wait, not the process that is waited for.
while kill -0 "$consul" 2>/dev/null; do
  wait "$consul"
  status=$?
done
exit "$status"
