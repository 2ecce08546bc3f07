#!/bin/sh
# pre-stop.sh: what has to hold before Terraform stops an agent's container to replace it. Terraform calls it where it runs, behind docker.sh and
# parallelism.sh, with everything in the environment:
#   STOP_DOCKER     the docker CLI's arguments that reach the container's daemon, quoted for the shell
#   STOP_CONTAINER  the container's name
#   STOP_OWNER      the agent's Terraform id
#   STOP_IMAGE      the image that its successor runs
#   STOP_SECONDS    how long to wait for that image
#   STOP_CONFIG     the whole configuration of its successor's agent, which that image has to take; none is not tried
#   STOP_NETWORK    the network that its successor is in
#   STOP_DECLARED   the volume of the services that the agent has been given
#   TRY_SCRIPT      what tries it, in a container of that image
#   ASK, ASK_*      the pre-stop check; see run-step.sh
# CONSUL_ALLOW_QUORUM_LOSS, set to anything, is consent to stop whatever Terraform stops; CONSUL_ALLOW_DOWNGRADE, to go to any version.
[ -z "${CONSUL_ALLOW_QUORUM_LOSS:-}" ] || exit 0
eval "set -- $STOP_DOCKER"

deny() {
  echo "$STOP_CONTAINER: not stopped: $1" >&2
  exit 1
}

inspect_container() {
  if ! state=$(bounded 60 "$@" container inspect -f '{{.State.Status}}' "$STOP_CONTAINER" 2>&1); then
    case $state in
    *'No such container'*) exit 0 ;;
    esac
    deny "its daemon is unreachable: $state"
  fi
}
inspect_container "$@"

# A pull while the agent is down would keep it down, for ever if the image cannot be had.
end=$(($(date +%s) + STOP_SECONDS))
until next=$(bounded 60 "$@" image inspect -f '{{.Id}}' "$STOP_IMAGE" 2>/dev/null); do
  refusal=$(bounded "$((STOP_SECONDS + 60))" "$@" pull -q "$STOP_IMAGE" 2>&1) && continue
  # The provider may have credentials that the CLI has not: its own pull goes on meanwhile.
  [ "$(date +%s)" -lt "$end" ] || deny "$STOP_IMAGE cannot be pulled to its host: $refusal"
  echo "$STOP_CONTAINER: waiting for $STOP_IMAGE: $refusal"
  sleep 5
done

# A container that does not run may be stopped. It may have started again while the image was pulled.
inspect_container "$@"
[ "$state" = running ] || exit 0

# release VERSION: a number that grows by one from one minor version to the next; 2.0 came after 1.22.
release() {
  IFS=. read -r major minor _ <<VERSION
$1
VERSION
  if [ "$major" = 1 ]; then echo "$minor"; else echo $((23 + 100 * (major - 2) + minor)); fi
}
version() { sed -n 's/^Consul v\([0-9][0-9]*\.[0-9][0-9]*\.[0-9][0-9]*\).*/\1/p'; }

# In the successor's network, where templates of addresses mean what they will mean to it.
tried=$(printf '%s' "${STOP_CONFIG:-}" |
  bounded 60 "$@" run --rm -i --network "$STOP_NETWORK" -v "$STOP_DECLARED:/consul/declared:ro" --entrypoint /bin/sh "$next" -c "$TRY_SCRIPT" 2>/dev/null)
to=$(printf '%s\n' "$tried" | version)
if [ -z "${CONSUL_ALLOW_DOWNGRADE:-}" ] && [ "$next" != "$(bounded 60 "$@" container inspect -f '{{.Image}}' "$STOP_CONTAINER")" ]; then
  from=$(bounded 60 "$@" exec "$STOP_CONTAINER" consul version 2>/dev/null | version)
  if [ -n "$from" ] && [ -n "$to" ]; then
    steps=$(($(release "$to") - $(release "$from")))
    if [ "$steps" -lt 0 ] || { [ "$steps" = 0 ] && [ "${to##*.}" -lt "${from##*.}" ]; }; then
      deny "$to is older than $from, which has written its data; hint: use $from or newer, or take the risk with CONSUL_ALLOW_DOWNGRADE=yes"
    elif [ "$steps" -gt 2 ]; then
      deny "from $from to $to are $steps minor versions, and Consul supports two at a time; hint: deploy a version in between first"
    fi
  fi
fi

refusal=$(printf '%s\n' "$tried" | sed -n 's/^refused: //p')
[ -z "$refusal" ] || deny "Consul $to rejects its next configuration: $refusal"

reserve_slot
sh -c "$ASK" || exit 1
# The stop of a server that is cut off from the network would be queued, and reach a server that has rejoined. So its daemon must be reachable.
bounded 60 "$@" container inspect "$STOP_CONTAINER" >/dev/null 2>&1 || deny "its daemon is unreachable now"
record_stop
