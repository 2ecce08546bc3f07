#!/bin/sh
# store.sh: lists the snapshots of the container that saves on a schedule, one JSON object a line: the name, the size,
# and the output of `consul snapshot inspect`, or why the snapshot is damaged.
set -u
for file in /consul/backups/*.snap; do
  [ -e "$file" ] || continue
  if inspected=$(consul snapshot inspect -format=json "$file" 2>&1); then flaw=''; else flaw=$inspected inspected=''; fi
  jq -nc --arg name "${file##*/}" --arg bytes "$(stat -c %s "$file")" --arg inspected "$inspected" --arg flaw "$flaw" \
    '{name: $name, bytes: ($bytes | tonumber), inspected: $inspected, flaw: $flaw}'
done
