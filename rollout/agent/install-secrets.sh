#!/bin/sh
# install-secrets.sh: takes an agent's secrets, as a tar archive on standard input, and has Consul read them again when they are others than before.
# Certificates, the CA and tokens count from then on (agent.reloadConfigInternal, hashicorp/consul); the gossip key counts in new containers only. Behind reload.sh.
set -eu
umask 077
secrets=/consul/secrets
new=$(mktemp -d "$secrets/new.XXXXXX")
trap 'rm -rf "$new"' EXIT
tar -x -f - -C "$new"
changed=''
for file in "$new"/*; do
  name=${file##*/}
  cmp -s "$file" "$secrets/$name" && continue
  chown root:consul "$file"
  chmod 440 "$file"
  mv "$file" "$secrets/$name"
  changed="$changed $name"
done
[ -n "$changed" ] || exit 0
echo "$1: has new secrets:$changed"
signal_reload
