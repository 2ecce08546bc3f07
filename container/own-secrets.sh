#!/bin/sh
# own-secrets.sh PROGRAM ARGUMENT...: lets Consul's group, and no other user, read the agent's secrets, then runs the
# program. Docker gives uploaded files to root, and Consul does not run as root.
set -eu
chown -R root:consul /consul/secrets
chmod 750 /consul/secrets
chmod 440 /consul/secrets/*
exec "$@"
