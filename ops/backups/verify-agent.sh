#!/bin/sh
# verify-agent.sh SECONDS ROOTS: verifies that the servers accept this agent's token, and that the agent trusts their
# Connect CA. ROOTS are the sorted IDs of its roots; empty for an agent without a certificate of that CA. A restore may
# bring another CA, and with a certificate of the old one an agent is connected only as long as its present connection
# lasts. Exit codes: 0 verified, 3 not within SECONDS. Behind consul-api.sh.
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
# Without a token: the agent caches the roots for each token, and uses the entry of the anonymous token itself.
roots() { curl -fsS -m 10 "$url/v1/agent/connect/ca/roots" 2>/dev/null | value '[.Roots[].ID] | sort | join(" ")'; }

while :; do
  if [ -z "$(leader)" ]; then
    reason="it knows no leader"
  elif ! token_taken; then
    reason="the servers do not accept its token"
  elif [ -n "$wanted" ] && [ "$(roots)" != "$wanted" ]; then
    reason="it trusts another Connect CA than the servers have"
  else
    exit 0
  fi
  [ $(($(now) - begun)) -lt "$seconds" ] || break
  sleep 1
done
echo "$reason" >&2
exit 3
