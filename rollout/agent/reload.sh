#!/bin/sh
# reload.sh: has this container's agent read its files again. By a signal: a request needs a token, which may be among what has changed, or not be made yet. In front of
# the scripts that do so.
hang_up() {
  # The agent is the one process of Consul's own.
  for process in /proc/[0-9]*; do
    [ "$(tr '\0' ' ' <"$process/cmdline" 2>/dev/null | cut -d ' ' -f 1-2)" != "consul agent" ] || kill -HUP "${process##*/}"
  done
}
