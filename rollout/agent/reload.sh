#!/bin/sh
# reload.sh: makes this container's agent read its files again. It sends a signal, because a request needs a token, which may have changed or not exist yet. In front
# of the scripts that use it.
signal_reload() {
  # The agent is the one process of Consul's own.
  for process in /proc/[0-9]*; do
    [ "$(tr '\0' ' ' <"$process/cmdline" 2>/dev/null | cut -d ' ' -f 1-2)" != "consul agent" ] || kill -HUP "${process##*/}"
  done
}
