#!/bin/sh
# backups.sh EVERY KEEP NAME: takes a snapshot every EVERY seconds while its server is the leader, and stores the newest
# KEEP. NAME distinguishes its unfinished file, because several servers may store snapshots in one folder.
# backups.sh health: exits with 0 if the last snapshot that was due has been stored. Docker runs it.
# It runs in a container beside the server's, which may stop and start meanwhile: see constructs/backup-schedule.ts.
set -u
umask 077
folder=/consul/backups secrets=/consul/secrets failure=/tmp/backups-failure
url=${CONSUL_HTTP_ADDR:-http://127.0.0.1:8500}

if [ "$1" = health ]; then
  [ -e "$failure" ] || exit 0
  cat "$failure"
  exit 1
fi

every=$1 keep=$2 unfinished=$folder/.unfinished.$3
# Seconds until the next check, after a failure or while another server is the leader.
pause=$((every / 10))
[ "$pause" -ge 1 ] || pause=1
[ "$pause" -le 10 ] || pause=10

now() { date +%s; }
# call OPTION OF CURL...: sends a request with the credentials that exist, read from files.
call() {
  [ ! -r "$secrets/backups.header" ] || set -- -H "@$secrets/backups.header" "$@"
  [ ! -r "$secrets/cert.pem" ] ||
    set -- --cacert "$secrets/ca.pem" --cert "$secrets/cert.pem" --key "$secrets/key.pem" "$@"
  curl -sS --fail-with-body "$@"
}
snapshots() { find "$folder" -maxdepth 1 -name '????-??-??T??????Z.snap' | sort -r; }
# The time of the newest snapshot. One from the future does not count: the clock was set back.
newest() {
  taken=$(snapshots | head -n 1)
  taken=$([ -z "$taken" ] || stat -c %Y "$taken")
  if [ "${taken:-0}" -le "$(now)" ]; then echo "${taken:-0}"; else echo 0; fi
}

logged=''
# Logs a line, unless it is the last one again.
log() {
  [ "$1" = "$logged" ] || echo "$1"
  logged=$1
}
fail() {
  log "failed: $1"
  printf '%s\n' "$1" >"$failure"
}

# Takes a snapshot. The reason of a failure is in $why.
save() {
  if ! why=$(call --speed-limit 1 --speed-time 120 -o "$unfinished" "$url/v1/snapshot" 2>&1); then
    why="no snapshot: $why $(head -c 200 "$unfinished" 2>/dev/null)"
    return 1
  fi
  if ! inspected=$(consul snapshot inspect -format=json "$unfinished" 2>&1); then
    why="the snapshot that came is broken: $inspected"
    return 1
  fi
  name=$(date -u +%Y-%m-%dT%H%M%SZ).snap
  # The file is on the disk before it has a snapshot's name.
  why=$(sync "$unfinished" 2>&1 && mv "$unfinished" "$folder/$name" 2>&1)
}
retain() {
  snapshots | tail -n "+$((keep + 1))" | while read -r old; do
    rm -f "$old" && echo "removed ${old##*/}"
  done
}

rm -f "$unfinished" "$failure"
last=$(newest)
while :; do
  if [ $(($(now) - last)) -ge "$every" ]; then
    answer=$(call -m 5 "$url/v1/agent/self" 2>&1)
    case $(printf '%s' "$answer" | jq -r .Stats.raft.state 2>/dev/null) in
    Leader)
      if save; then
        last=$(now)
        logged=''
        rm -f "$failure"
        position=$(printf '%s' "$inspected" | jq -r '"index \(.Meta.Index), term \(.Meta.Term)"')
        log "saved $name, $position, $(stat -c %s "$folder/$name") bytes"
        retain
      else
        fail "$why"
      fi
      ;;
    Follower | Candidate)
      rm -f "$failure"
      log "another server is the leader, and takes the snapshots"
      ;;
    *) fail "unknown whether its server is the leader: $(printf '%s' "$answer" | head -c 200)" ;;
    esac
  fi
  sleep "$pause"
done
