#!/bin/sh
# deliver-secrets.sh: gives a running agent the secrets that have changed since its container was made. Terraform calls it where it runs, behind docker.sh, with
# everything in the environment:
#   GIVE_FOLDER   the folder of the agent's secrets
#   GIVE_FILES    their names, quoted for the shell
#   GIVE_TARGET   the docker CLI's arguments up to `exec -i CONTAINER`, quoted for the shell
#   GIVE_SECONDS  how long a container that does not answer is tried again
#   TAKE_SCRIPT   what takes them, in the container
# They go by standard input: an argument can be read by whoever sees the processes.
end=$(($(date +%s) + GIVE_SECONDS))
eval "files() { tar -c -f - -C \"\$GIVE_FOLDER\" $GIVE_FILES; }"
eval "set -- $GIVE_TARGET"
for container; do :; done
until said=$(COPYFILE_DISABLE=1 files | bounded 60 "$@" /bin/sh -c "$TAKE_SCRIPT" sh "$container" 2>&1); do
  [ "$(date +%s)" -lt "$end" ] || {
    echo "$container: its secrets cannot be given to it: $said" >&2
    exit 1
  }
  sleep 1
done
[ -z "$said" ] || echo "$said"
