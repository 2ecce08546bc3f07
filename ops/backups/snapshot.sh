#!/bin/sh
# snapshot.sh CURL_OPTION...: requests a snapshot from a server, or sends one, in the server's container. The token is
# in a file there, and in no argument. Any server forwards the request to the leader. Standard output is the snapshot,
# or Consul's refusal.
set -u
url=${CONSUL_HTTP_ADDR:-http://127.0.0.1:8500} header=/consul/secrets/management.header
[ ! -r "$header" ] || set -- -H "@$header" "$@"
exec curl -sS --fail-with-body --url "$url/v1/snapshot" "$@"
