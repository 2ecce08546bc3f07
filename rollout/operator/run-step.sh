#!/bin/sh
# run-step.sh: runs a script in the first agent's container that will run it, until one has answered or time is up. Terraform calls it where it runs, behind
# docker.sh, with everything in the environment:
#   ASK_SCRIPT     the script: it comes with the new configuration and may meet an old container
#   ASK_ARGUMENTS  its arguments, quoted for the shell
#   ASK_TARGETS    a line a container: the docker CLI's arguments up to `exec -i CONTAINER`, quoted for the shell
#   ASK_INPUT      a file of one line that the script is given on standard input; none by default
#   ASK_GATED      for a readiness check: the agent's Terraform id
#   ASK_SECONDS    how long containers that do not answer are tried again
# The script's exit code decides: 0 allow or done, 3 deny or failed. With any other one the next container is tried.
# shellcheck disable=SC2154 # docker.sh gives run
end=$(($(date +%s) + ASK_SECONDS)) reported=''
# A pre-stop check may have to wait for several servers, one after the other.
patience=$((10 * ASK_SECONDS + 60))

# The script's standard input is open as long as somebody waits for its answer: when Terraform is killed, an orphan of its question must not take a lock. What
# the script is given comes first.
pipe=${TF_DATA_DIR:-.terraform}/asking.$$
[ -z "${ASK_INPUT:-}" ] || ASK_SCRIPT="input=stdin
$ASK_SCRIPT"
if mkfifo "$pipe" 2>/dev/null; then
  rm -f "$pipe"
  ASK_SCRIPT="lifeline=stdin
$ASK_SCRIPT"
else
  pipe=
fi
feeder=
open_input() {
  if [ -z "$pipe" ]; then
    exec 5<"${ASK_INPUT:-/dev/null}"
    return
  fi
  mkfifo "$pipe"
  exec 5<>"$pipe"
  rm -f "$pipe"
  [ -n "${ASK_INPUT:-}" ] || return 0
  cat "$ASK_INPUT" >&5 2>/dev/null 3>&- &
  feeder=$!
}

# run_docker ARGUMENT...: the docker CLI, which ends when Terraform does.
run_docker() {
  if command -v timeout >/dev/null; then timeout "$patience" docker "$@" <&5 & else docker "$@" <&5 & fi
  asked=$!
  {
    while kill -0 "$run" && kill -0 "$asked"; do sleep 1; done
    kill "$asked"
  } >/dev/null 2>&1 3>&- 5<&- &
  wait "$asked"
  answer=$?
  [ -z "$feeder" ] || kill "$feeder" 2>/dev/null
  return "$answer"
}

# The script's messages are printed at once. Those of docker matter only if the script did not run.
exec 3>&1
while :; do
  while IFS= read -r target; do
    eval "set -- $target"
    for container; do :; done
    eval "set -- $target /bin/sh -c \"\$ASK_SCRIPT\" sh $ASK_ARGUMENTS"
    # By exec: a shell keeps what it redirects for one command, and whoever it starts meanwhile keeps it too.
    refusal=$(
      exec 2>&1 >&3
      open_input
      run_docker "$@"
    )
    case $? in
    0)
      # The agent is ready: see parallelism.sh.
      [ -z "${ASK_GATED:-}" ] || rm -f "${TF_DATA_DIR:-.terraform}/questions/$run/stopped.$ASK_GATED"
      exit 0
      ;;
    3)
      echo "$refusal" >&2
      exit 1
      ;;
    esac
    [ "$container: $refusal" = "$reported" ] || echo "$container: unreachable so far: $refusal"
    reported="$container: $refusal"
  done <<TARGETS
$ASK_TARGETS
TARGETS
  [ "$(date +%s)" -lt "$end" ] || break
  sleep 1
done
echo "$reported, for $ASK_SECONDS s" >&2
exit 1
