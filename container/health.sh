#!/bin/sh
# health.sh: exits with 0 if this agent's API answers and knows a leader. Docker runs it every few seconds, so it is one
# cheap request that needs no token. /v1/status/leader answers 200 with "" while there is no leader.
leader=$(curl -fsS -m 3 "${CONSUL_HTTP_ADDR:-http://127.0.0.1:8500}/v1/status/leader") || exit 1
case $leader in
'' | '""') echo "no leader" && exit 1 ;;
*) echo "leader $leader" ;;
esac
