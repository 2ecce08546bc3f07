# acl.jq: prints the requests that bring the cluster's ACLs to the declared ones: [method, path, body], one a line.
# acl.sh sets $definitions; $own, the SecretIDs of its standard input; $policies and $tokens, the existing ones; and
# $rules, the rules of the existing policies that are declared.
# A description marks the product's own policies and tokens. A policy's key is its name, a token's its SecretID.
"consul-cdktf: " as $ours
| def want: if .key == "management" then {Policies: ["global-management"]}
    elif .key | startswith("agent:") then (.key | ltrimstr("agent:")) as $node
      | {NodeIdentities: [{NodeName: $node, Datacenter: $definitions.datacenter}],
         ServiceIdentities: [($definitions.services[$node] // [])[] | {ServiceName: .}]}
    else {Policies: ($definitions.tokens[.key] // [])} end
    | {Policies: (.Policies // [] | map({Name: .})), NodeIdentities: (.NodeIdentities // []), ServiceIdentities: (.ServiceIdentities // [])};
  def has: {Policies: (.Policies // [] | map({Name})), NodeIdentities: (.NodeIdentities // [] | map({NodeName, Datacenter})),
    ServiceIdentities: (.ServiceIdentities // [] | map({ServiceName}))};
  (INDEX($policies[]; .Name)) as $policy_of
| (INDEX($tokens[]; .SecretID)) as $token_of
| ($own[0] | [.current[], .retiring[]] | map({key: ., value: true}) | from_entries) as $kept
| ($definitions.policies | to_entries[] | {Name: .key, Rules: .value, Description: $ours} as $policy
    | $policy_of[.key].ID as $id
    | if $id == null then ["PUT", "/v1/acl/policy", $policy]
      elif $rules[.key] != .value then ["PUT", "/v1/acl/policy/\($id)", $policy + {ID: $id}]
      else empty end),
  ($own[0].current | to_entries[] | want as $want | ({Description: ($ours + .key)} + $want) as $token
    | $token_of[.value] as $old
    | if $old == null then ["PUT", "/v1/acl/token", $token + {SecretID: .value}]
      elif ($old | has | map_values(sort)) != ($want | map_values(sort)) then ["PUT", "/v1/acl/token/\($old.AccessorID)", $token + {AccessorID: $old.AccessorID}]
      else empty end),
  ($tokens[] | select((.Description | startswith($ours)) or .Description == "Initial Management Token")
    | select($kept[.SecretID] | not) | ["DELETE", "/v1/acl/token/\(.AccessorID)", null]),
  ($policies[] | select(.Description == $ours and $definitions.policies[.Name] == null) | ["DELETE", "/v1/acl/policy/\(.ID)", null])
