#!/bin/sh
# reclaim-management-token.sh SECONDS: makes the cluster accept the management token of this server's secrets. A restore
# brings back the snapshot's tokens, and the leader adds the management token that it was started with. After a rotation
# or an interrupted restore, that is another token. Then this script uses Consul's ACL bootstrap reset, which works in
# the leader's container alone: a file in its data with the number from Consul's refusal. Exit codes: 0 the cluster
# accepts the token, 4 it does not. Behind consul-api.sh and management-api.sh.
# shellcheck disable=SC2154 # consul-api.sh gives url, and management-api.sh management_token
set -u
seconds=$1 begun=$(now)
reset=${CONSUL_DATA_DIR:-/consul/data}/acl-bootstrap-reset

bootstrap() {
  curl -sS -m 10 -X PUT -d @- "$url/v1/acl/bootstrap" 2>&1 <<BODY
{"BootstrapSecret": "${management_token#X-Consul-Token: }"}
BODY
}
claim() {
  answer=$(bootstrap)
  index=$(printf '%s' "$answer" | sed -n 's/.*reset index: \([0-9]*\).*/\1/p')
  if [ -n "$index" ]; then
    # As Consul's user, because the data belongs to that user.
    su-exec consul sh -c 'echo "$1" >"$2"' sh "$index" "$reset"
    answer=$(bootstrap)
    # The leader deletes the file when it reads it. On any other server the file must not stay.
    su-exec consul rm -f "$reset"
  fi
  accessor=$(printf '%s' "$answer" | value '.AccessorID // empty')
  [ -n "$accessor" ] || return 1
  # The description marks a token of the product: see acl.jq.
  managed "/v1/acl/token/$accessor" -f -X PUT -d '{"AccessorID": "'"$accessor"'", "Description": "consul-cdktf: management", "Policies": [{"Name": "global-management"}]}' </dev/null >/dev/null
}

[ -n "$management_token" ] || exit 0
answer=''
while [ $(($(now) - begun)) -lt "$seconds" ]; do
  is_management_token && exit 0
  if [ -n "$(leader)" ] && claim; then
    echo "the management token of the secrets is the cluster's again"
    exit 0
  fi
  sleep 1
done
echo "the management token of this server's secrets is not the cluster's: $(printf '%s' "${answer:-there is no leader}" | head -c 200)" >&2
exit 4
