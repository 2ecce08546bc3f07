/**
 * Shell for a container: `signal_agent PROC SIGNAL` sends a signal to the agent; HUP makes it read its files again. By a
 * signal, because a request needs a token, which may have changed or not exist yet. The agent is the one process of
 * Consul's own. PROC is /proc.
 */
export const SIGNAL_AGENT = `signal_agent() {
  for process in "$1"/[0-9]*; do
    [ "$(tr '\\0' ' ' <"$process/cmdline" 2>/dev/null | cut -d ' ' -f 1-2)" != "consul agent" ] || kill "-$2" "\${process##*/}"
  done
}`;
