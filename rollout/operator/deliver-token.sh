#!/bin/sh
# deliver-token.sh: gives registrator its token and starts it again, for it reads that at its start alone: when its container is new, whose first start may have
# come before the cluster knew the token, and when the token has been replaced. Terraform calls it where it runs, behind docker.sh, with everything in the
# environment:
#   GIVE_FILE       the file with the token
#   GIVE_PLACE      its name in the container
#   GIVE_DOCKER     the docker CLI's arguments that reach the container's daemon, quoted for the shell
#   GIVE_CONTAINER  the container's name
#   GIVE_SECONDS    how long to retry
# By `docker cp`, which needs no program in the container: registrator's image has no shell.
end=$(($(date +%s) + GIVE_SECONDS))
eval "set -- $GIVE_DOCKER"
give() { bounded 60 "$@" cp "$GIVE_FILE" "$GIVE_CONTAINER:$GIVE_PLACE" && bounded 60 "$@" restart -t 5 "$GIVE_CONTAINER"; }
until output=$(give "$@" 2>&1); do
  [ "$(date +%s)" -lt "$end" ] || {
    echo "$GIVE_CONTAINER: its token cannot be delivered: $output" >&2
    exit 1
  }
  sleep 1
done
echo "$GIVE_CONTAINER: has its token"
