#!/bin/sh
# deliver-secrets.sh: delivers the secrets that have changed since a running agent's container was created. Terraform calls it where it runs, behind docker.sh, with
# everything in the environment:
#   GIVE_FOLDER   the folder of the agent's secrets
#   GIVE_FILES    their names, quoted for the shell
#   GIVE_TARGET   the docker CLI's arguments up to `exec -i CONTAINER`, quoted for the shell
#   GIVE_SECONDS  how long to retry
#   TAKE_SCRIPT   what takes them, in the container
# They go through standard input, because arguments are visible in the list of processes.
end=$(($(date +%s) + GIVE_SECONDS))
eval "files() { tar -c -f - -C \"\$GIVE_FOLDER\" $GIVE_FILES; }"
eval "set -- $GIVE_TARGET"
for container; do :; done
until output=$(COPYFILE_DISABLE=1 files | bounded 60 "$@" /bin/sh -c "$TAKE_SCRIPT" sh "$container" 2>&1); do
  [ "$(date +%s)" -lt "$end" ] || {
    echo "$container: its secrets cannot be delivered: $output" >&2
    exit 1
  }
  sleep 1
done
[ -z "$output" ] || echo "$output"
