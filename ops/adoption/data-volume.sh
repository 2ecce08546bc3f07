#!/bin/sh
# data-volume.sh look|begin|fill|pack|spoil: what happens at /place, where an agent's data is to be. Runs in a container of its own, of an image that the host has.
# A mark says that what is there is not to be used: a copy that has not ended, or one that was given back since.
set -eu
mark=/place/.unfinished-copy

case $1 in
look)
  # Says `data` when there is some that counts.
  [ -e "$mark" ] || [ -z "$(find /place -mindepth 1 -maxdepth 1 ! -name lost+found)" ] || echo data
  ;;
begin)
  # Makes room for a copy.
  mkdir -p "$mark"
  find /place -mindepth 1 -maxdepth 1 ! -name lost+found ! -name .unfinished-copy -exec rm -rf {} +
  find "$mark" -mindepth 1 -maxdepth 1 -exec rm -rf {} +
  ;;
fill)
  # From standard input. It ends only when the copy is whole; it then belongs to the user that the new container's agent runs as.
  tar -x -p -f - -C "$mark"
  [ -s "$mark/node-id" ] || {
    echo "there is no node-id among the data" >&2
    exit 1
  }
  chown -R consul:consul "$mark"
  chown consul:consul /place
  find "$mark" -mindepth 1 -maxdepth 1 -exec mv {} /place/ \;
  rmdir "$mark"
  ;;
pack) tar -c -f - -C /place . ;;
spoil) mkdir -p "$mark" ;;
esac
