#!/bin/sh
# snapshot.sh OPTION OF CURL...: asks a server for a snapshot, or gives it one, in its own container. The token is in a file there, and reaches no argument. Any server passes it on to
# the leader. What comes goes to standard output, and so does the refusal that comes instead.
set -u
url=${CONSUL_HTTP_ADDR:-http://127.0.0.1:8500} header=/consul/secrets/management.header
[ ! -r "$header" ] || set -- -H "@$header" "$@"
exec curl -sS --fail-with-body --url "$url/v1/snapshot" "$@"
