#!/bin/sh
# read-token.sh PROGRAM ARGUMENT...: runs a program that takes Consul's token from its environment alone, with the token of a file. In the container's
# environment it would be shown by `docker inspect`, and kept in Terraform's state.
set -eu
CONSUL_HTTP_TOKEN=$(cat "$CONSUL_HTTP_TOKEN_FILE")
export CONSUL_HTTP_TOKEN
exec "$@"
