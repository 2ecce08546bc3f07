#!/bin/sh
# autopilot.sh SECONDS SETTINGS: puts settings of autopilot, as JSON by the API's names, into the running cluster; what they do not name stays. In agents' own
# files they would count at the first bootstrap only. Exits 0 when they are in, 3 when not in time. Behind consul-api.sh.
# shellcheck disable=SC2034 # consul-api.sh takes node
set -u
seconds=$1 settings=$2 node=autopilot begun=$(now)

while [ $(($(now) - begun)) -lt "$seconds" ]; do
  current=$(ask /v1/operator/autopilot/configuration)
  index=$(printf '%s' "$current" | value .ModifyIndex)
  wanted=$(printf '%s' "$current" | value -c --argjson settings "$settings" '. + $settings | del(.CreateIndex, .ModifyIndex)')
  if [ -n "$index" ] && [ -n "$wanted" ]; then
    answer=$(ask "/v1/operator/autopilot/configuration?cas=$index" -X PUT -d "$wanted")
    if [ "$answer" = true ]; then
      echo "autopilot: $settings"
      exit 0
    fi
    log "not accepted yet: $answer"
  else
    log "waiting for a leader"
    waited 8 && unknown
  fi
  sleep 1
done
echo "autopilot: not set after $seconds s: ${logged:-no answer}" >&2
exit 3
