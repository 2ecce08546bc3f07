#!/bin/sh
# backups.sh EVERY KEEP NAME: saves the cluster's state every EVERY seconds while its server is the leader, and keeps the newest KEEP. NAME tells its unfinished
# file from others', where several save to one place.
# backups.sh health: whether the last one that was due has been saved. Docker asks.
# Runs in a container beside the server's, which may come and go meanwhile: see constructs/backup-schedule.ts.
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
# How soon something that could not be done, or was another server's to do, is looked at again.
pause=$((every / 10))
[ "$pause" -ge 1 ] || pause=1
[ "$pause" -le 10 ] || pause=10

now() { date +%s; }
# call OPTION OF CURL...: with what is there of credentials, from files.
call() {
  [ ! -r "$secrets/backups.header" ] || set -- -H "@$secrets/backups.header" "$@"
  [ ! -r "$secrets/cert.pem" ] || set -- --cacert "$secrets/ca.pem" --cert "$secrets/cert.pem" --key "$secrets/key.pem" "$@"
  curl -sS --fail-with-body "$@"
}
snapshots() { find "$folder" -maxdepth 1 -name '????-??-??T??????Z.snap' | sort -r; }
# When the newest was made; a clock that was set back has made none that counts.
newest() {
  made=$(snapshots | head -n 1)
  made=$([ -z "$made" ] || stat -c %Y "$made")
  if [ "${made:-0}" -le "$(now)" ]; then echo "${made:-0}"; else echo 0; fi
}

said=''
# Says what is new.
say() {
  [ "$1" = "$said" ] || echo "$1"
  said=$1
}
fail() {
  say "failed: $1"
  printf '%s\n' "$1" >"$failure"
}

# What could not be done goes to why.
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
  # On the disk before it has a name that counts.
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
        said=''
        rm -f "$failure"
        say "saved $name, $(printf '%s' "$inspected" | jq -r '"index \(.Meta.Index), term \(.Meta.Term)"'), $(stat -c %s "$folder/$name") bytes"
        retain
      else
        fail "$why"
      fi
      ;;
    Follower | Candidate)
      rm -f "$failure"
      say "its server is not the leader, whose turn it is"
      ;;
    *) fail "its server does not say whether it leads: $(printf '%s' "$answer" | head -c 200)" ;;
    esac
  fi
  sleep "$pause"
done
