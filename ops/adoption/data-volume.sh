#!/bin/sh
# data-volume.sh inspect|begin|fill|pack|invalidate: a task in /volume, where an agent's data will be. It runs in a
# container of its own, from an image that the host has. A mark says that the volume's content must not be used: an
# unfinished copy, or a copy that has been copied back since.
set -eu
mark=/volume/.unfinished-copy

case $1 in
inspect)
  # Prints `data` if the volume has data that counts.
  [ -e "$mark" ] || [ -z "$(find /volume -mindepth 1 -maxdepth 1 ! -name lost+found)" ] || echo data
  ;;
begin)
  # Makes room for a copy.
  mkdir -p "$mark"
  find /volume -mindepth 1 -maxdepth 1 ! -name lost+found ! -name .unfinished-copy -exec rm -rf {} +
  find "$mark" -mindepth 1 -maxdepth 1 -exec rm -rf {} +
  ;;
fill)
  # Copies from standard input, which ends only when the copy is complete. Then the data belongs to the user of the new
  # container's agent.
  tar -x -p -f - -C "$mark"
  [ -s "$mark/node-id" ] || {
    echo "the data has no node-id" >&2
    exit 1
  }
  chown -R consul:consul "$mark"
  chown consul:consul /volume
  find "$mark" -mindepth 1 -maxdepth 1 -exec mv {} /volume/ \;
  rmdir "$mark"
  ;;
pack) tar -c -f - -C /volume . ;;
invalidate) mkdir -p "$mark" ;;
esac
