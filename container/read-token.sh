#!/bin/sh
# read-token.sh PROGRAM ARGUMENT...: runs a program that takes Consul's token from its environment alone, with the token
# of a file. A variable of the container would be in the output of `docker inspect` and in the Terraform state.
set -eu
CONSUL_HTTP_TOKEN=$(cat "$CONSUL_HTTP_TOKEN_FILE")
export CONSUL_HTTP_TOKEN
exec "$@"
