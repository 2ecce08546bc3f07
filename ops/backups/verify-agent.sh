#!/bin/sh
# verify-agent.sh SECONDS ROOTS: whether this container's agent gets through to the servers with its own token, and knows the Connect CA that they have: ROOTS are the IDs of its roots, in
# order; none for an agent whose certificate is not by that CA. A restore may bring another one, and with a certificate of the one before, an agent stays in
# touch only as long as its connection lasts. Exits 0 when so, 3 when not in time. Behind consul-api.sh.
# shellcheck disable=SC2034,SC2154 # consul-api.sh takes node, and gives url
set -u
seconds=$1 wanted=$2 node=agent begun=$(now)
tokens=/consul/secrets/tokens.json

token_taken() {
  [ -r "$tokens" ] || return 0
  curl -fsS -m 10 -H @/dev/fd/3 "$url/v1/acl/token/self" >/dev/null 2>&1 3<<HEADER
X-Consul-Token: $(jq -r .acl.tokens.agent "$tokens")
HEADER
}
# Without a token, as the agent itself has asked for them: it keeps an answer for each token, of which the one for none is what it goes by.
roots() { curl -fsS -m 10 "$url/v1/agent/connect/ca/roots" 2>/dev/null | value '[.Roots[].ID] | sort | join(" ")'; }

while :; do
  if [ -z "$(leader)" ]; then
    said="it knows no leader"
  elif ! token_taken; then
    said="its token is not taken"
  elif [ -n "$wanted" ] && [ "$(roots)" != "$wanted" ]; then
    said="it trusts another Connect CA than the servers have"
  else
    exit 0
  fi
  [ $(($(now) - begun)) -lt "$seconds" ] || break
  sleep 1
done
echo "$said" >&2
exit 3
