#!/bin/sh
# store.sh: what the container that saves on a schedule has kept, one JSON object a line: the name, its bytes, and what `consul snapshot inspect` says of it, or why it is broken.
set -u
for file in /consul/backups/*.snap; do
  [ -e "$file" ] || continue
  if inspected=$(consul snapshot inspect -format=json "$file" 2>&1); then flaw=''; else flaw=$inspected inspected=''; fi
  jq -nc --arg name "${file##*/}" --arg bytes "$(stat -c %s "$file")" --arg inspected "$inspected" --arg flaw "$flaw" \
    '{name: $name, bytes: ($bytes | tonumber), inspected: $inspected, flaw: $flaw}'
done
