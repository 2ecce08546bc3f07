#!/bin/sh
# pre-leave.sh: makes an agent leave its cluster before Terraform removes its container. Terraform calls it where it runs, behind docker.sh
# and parallelism.sh, with everything in the environment:
#   STOP_DOCKER     the docker CLI's arguments that reach the container's daemon, quoted for the shell
#   STOP_CONTAINER  the container's name
#   STOP_OWNER      the agent's Terraform id
#   ASK, ASK_*      the pre-stop check; see run-step.sh
#   LEAVE_SCRIPT    what makes the agent leave, run in its container
#   GONE_*          as ASK_*: what makes sure, in the servers' containers, that it is gone
# CONSUL_ALLOW_QUORUM_LOSS, set to anything, is consent to take it out whatever the answer. Without servers that stay, it just leaves.
eval "set -- $STOP_DOCKER"

if ! state=$(bounded 60 "$@" container inspect -f '{{.State.Status}}' "$STOP_CONTAINER" 2>&1); then
  case $state in
  *'No such container'*) state=gone ;;
  *)
    echo "$STOP_CONTAINER: not stopped: its daemon is unreachable: $state" >&2
    exit 1
    ;;
  esac
fi

if [ "$state" = running ]; then
  if [ -z "${CONSUL_ALLOW_QUORUM_LOSS:-}" ]; then
    reserve_slot
    sh -c "$ASK" || exit 1
  fi
  # Docker would start it again, and it would join again.
  bounded 60 "$@" update --restart=no "$STOP_CONTAINER" >/dev/null
  echo "$STOP_CONTAINER: leaving"
  # Its end ends the script that asked for it.
  printf '%s\n' "$LEAVE_SCRIPT" | bounded 60 "$@" exec -i "$STOP_CONTAINER" /bin/sh -s >/dev/null 2>&1
  # An agent that does not end by itself is stopped as any other.
  bounded 15 "$@" wait "$STOP_CONTAINER" >/dev/null 2>&1 || bounded 60 "$@" stop -t 30 "$STOP_CONTAINER" >/dev/null
elif [ "$state" != gone ]; then
  bounded 60 "$@" update --restart=no "$STOP_CONTAINER" >/dev/null
  bounded 60 "$@" stop "$STOP_CONTAINER" >/dev/null
fi

[ -n "$GONE_TARGETS" ] || exit 0
ASK_SCRIPT=$GONE_SCRIPT ASK_ARGUMENTS=$GONE_ARGUMENTS ASK_TARGETS=$GONE_TARGETS sh -c "$ASK" && exit 0
# With consent the servers that would tell may be going down too.
[ -n "${CONSUL_ALLOW_QUORUM_LOSS:-}" ]
