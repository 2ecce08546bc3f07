#!/bin/sh
# before-stop.sh: what has to hold before Terraform stops an agent's container. Terraform calls it where it runs, with everything in the environment:
#   STOP_DOCKER     the docker CLI's arguments that reach the container's daemon, quoted for the shell
#   STOP_CONTAINER  the container's name
#   STOP_IMAGE      the image that its successor runs
#   STOP_SECONDS    how long to wait for that image
#   ASK, ASK_*      the question put to the servers, where the container is one; see ask.sh
# CONSUL_ALLOW_QUORUM_LOSS, set to anything, is consent to stop whatever Terraform stops.
set -u
[ -z "${CONSUL_ALLOW_QUORUM_LOSS:-}" ] || exit 0
unset DOCKER_HOST DOCKER_CONTEXT DOCKER_TLS_VERIFY DOCKER_CERT_PATH
eval "set -- $STOP_DOCKER"

bounded() { if command -v timeout >/dev/null; then timeout "$((STOP_SECONDS + 60))" docker "$@"; else docker "$@"; fi; }

if ! state=$(bounded "$@" container inspect -f '{{.State.Status}}' "$STOP_CONTAINER" 2>&1); then
  case $state in
  *'No such container'*) exit 0 ;;
  esac
  echo "$STOP_CONTAINER: not stopped: its daemon does not answer: $state" >&2
  exit 1
fi

# A pull while the agent is down would keep it down, for ever if the image cannot be had.
end=$(($(date +%s) + STOP_SECONDS))
until bounded "$@" image inspect "$STOP_IMAGE" >/dev/null 2>&1 || refusal=$(bounded "$@" pull -q "$STOP_IMAGE" 2>&1); do
  # The provider may have credentials that the CLI has not: its own pull goes on meanwhile.
  if [ "$(date +%s)" -ge "$end" ]; then
    echo "$STOP_CONTAINER: not stopped: $STOP_IMAGE cannot be pulled to its host: $refusal" >&2
    exit 1
  fi
  echo "$STOP_CONTAINER: waiting for $STOP_IMAGE: $refusal"
  sleep 5
done

if [ -z "${ASK:-}" ] || [ "$state" != running ]; then exit 0; fi
exec sh -c "$ASK"
