# definitions.jq: prints the requests that bring the cluster to $definitions. Its input is the note, all prepared
# queries, and the config entries of each kind that is declared or noted. `clashes` names existing objects that no
# deploy created and that differ. `steps` are the requests, [method, path, body]; `last` are those that follow when all
# steps succeeded.
# Field names are compared without case and underscores, because the cluster file uses the names of Consul's files, and
# the API uses its own. Only fields that the cluster file has are compared.
def folded: if type == "object" then with_entries(.key |= (ascii_downcase | gsub("_"; "")) | .value |= folded) elif type == "array" then map(folded) else . end;
def nothing: . == null or . == false or . == "" or . == 0 or . == [] or . == {};
def holds($said):
  . as $there
  | if ($said | type) == "object" then all($said | keys[]; . as $key | if ($there | type) == "object" then $there[$key] | holds($said[$key]) else $said[$key] | nothing end)
    elif ($said | type) == "array" and ($there | type) == "array" then
      ($said | length) == ($there | length) and all($said[]; . as $one | any($there[]; holds($one)))
    else $there == $said or (($there | nothing) and ($said | nothing)) end;
def path_of: split("/") | .[0] as $kind | "/v1/config/\($kind)/\(.[1:] | join("/") | @uri)";
# Other kinds depend on the first ones, which are therefore written first and deleted last.
def rank: split("/")[0] as $kind | ["proxy-defaults", "mesh", "jwt-provider", "service-defaults", "service-resolver", "service-splitter", "service-router"] | index($kind) // 9;

"/v1/kv/consul-cdktf/definitions" as $place
| .[0] as $note | .[1] as $queries | (.[2:] | add // [] | INDEX("\(.Kind)/\(.Name)")) as $entries
| ($queries | map(select(.Session == null or .Session == "")) | INDEX(.Name)) as $query_of
| ($definitions.config_entries | keys) as $wanted_entries | ($definitions.prepared_queries | keys) as $wanted_queries
| ($note.config_entries // []) as $own_entries | ($note.prepared_queries // []) as $own_queries
| def noted($entries; $queries): {config_entries: ($entries | unique), prepared_queries: ($queries | unique)};
  noted($own_entries; $own_queries) as $before
| noted($own_entries + $wanted_entries; $own_queries + $wanted_queries) as $meanwhile
| noted($wanted_entries; $wanted_queries) as $after
| {
    clashes: [
      (($wanted_entries - $own_entries)[] | . as $key | select($entries[$key] != null)
        | select($entries[$key] | folded | holds($definitions.config_entries[$key] | folded) | not) | "config entry \($key)"),
      (($wanted_queries - $own_queries)[] | . as $name | select($query_of[$name] != null)
        | select($query_of[$name] | folded | holds($definitions.prepared_queries[$name] | folded) | not) | "prepared query \"\($name)\"")
    ],
    steps: [
      (if $meanwhile == $before then empty else ["PUT", $place, $meanwhile] end),
      ($definitions.kv | to_entries[] | ["PUT", "/v1/kv/\(.key | split("/") | map(@uri) | join("/"))?cas=0", .value]),
      ($wanted_entries | sort_by(rank)[] | ["PUT", "/v1/config", $definitions.config_entries[.]]),
      ($wanted_queries[] | $definitions.prepared_queries[.] as $query
        | $query_of[.].ID as $id | if $id == null then ["POST", "/v1/query", $query] else ["PUT", "/v1/query/\($id)", $query] end),
      (($own_queries - $wanted_queries)[] | $query_of[.].ID // empty | ["DELETE", "/v1/query/\(.)", null]),
      ($own_entries - $wanted_entries | sort_by(-rank)[] | select($entries[.] != null) | ["DELETE", path_of, null])
    ],
    last: [if $after == $meanwhile then empty elif $wanted_entries + $wanted_queries == [] then ["DELETE", $place, null] else ["PUT", $place, $after] end]
  }
