#!/bin/sh
# validate-config.sh < CONFIG: in a container of an agent's next image, which runs for this alone: says which version that image has, and whether its Consul takes the agent's
# next configuration, CONFIG, together with the services that the agent has been given, whose volume it has. Where CONFIG is nothing, nothing is tried.
config=/tmp/agent.json declared=/consul/declared
consul version
cat >"$config"
[ -s "$config" ] || exit 0

reject() {
  echo "refused: $1"
  exit 0
}
output=$(consul validate -quiet "$config" "$declared" 2>&1 | tr -s '[:space:]' ' ')
case $output in
*'Config validation failed: '*) reject "${output#*Config validation failed: }" ;;
esac
# What `validate` does not see: an agent that may not run what its checks run does not start (agent.addCheck, hashicorp/consul).
if [ "$(jq .enable_local_script_checks "$config")" = false ] && cat "$declared"/*.json 2>/dev/null | jq -es 'any(.. | objects; has("args") and has("interval"))' >/dev/null; then
  reject "it has script checks; hint: remove them with a deploy of their own, then disable script checks"
fi
