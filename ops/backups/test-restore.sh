#!/bin/sh
# test-restore.sh DATACENTER SECONDS < SNAPSHOT: restores a snapshot into a separate agent, in memory and without a
# network, in a container that is removed afterwards. A leader that cannot restore a snapshot crashes
# (restoreUserSnapshot, hashicorp/raft), so the test runs elsewhere. Exit codes: 0 restored, 3 not restored, with the
# reason, 4 the test could not run.
set -u
datacenter=$1 seconds=$2 url=http://127.0.0.1:8500
log=/tmp/trial.log

consul agent -dev -log-level=warn -datacenter="$datacenter" </dev/null >"$log" 2>&1 &
agent=$!
trap 'kill "$agent" 2>/dev/null' EXIT
end=$(($(date +%s) + seconds))
until curl -fsS -m 2 "$url/v1/status/leader" 2>/dev/null | grep -q :; do
  if ! kill -0 "$agent" 2>/dev/null || [ "$(date +%s)" -ge "$end" ]; then
    echo "no agent starts here for the test restore: $(tail -n 3 "$log")" >&2
    exit 4
  fi
  sleep 0.2
done
answer=$(curl -sS --fail-with-body -m "$seconds" -T - "$url/v1/snapshot" 2>&1) && exit 0
# The reason of a crash is in the log; curl only reports a closed connection.
panic=$(grep -m 1 '^panic: ' "$log")
echo "${panic:-$answer}" >&2
exit 3
