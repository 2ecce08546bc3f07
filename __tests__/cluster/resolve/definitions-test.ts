import { clusterFile, FOUR_HOSTS, load, saidOf } from "../../cluster-files";

const defined = (text: string) => load(`${FOUR_HOSTS}${text}`).definitions;

test("without any, nothing is defined", () =>
  expect(defined("")).toEqual({ kv: {}, config_entries: {}, prepared_queries: {} }));
test("a key's text is written as it is, any other value as JSON", () => {
  expect(defined("kv: { a: 'x: 1', b: 3, c: { d: [true, null] }, e: '' }\n").kv).toEqual({
    a: "x: 1",
    b: "3",
    c: '{"d":[true,null]}',
    e: "",
  });
});
test("intentions are entries of the service that is called", () => {
  expect(defined("intentions: { web: { '*': deny, api: allow } }\n").config_entries).toEqual({
    "service-intentions/web": {
      kind: "service-intentions",
      name: "web",
      sources: [
        { name: "*", action: "deny" },
        { name: "api", action: "allow" },
      ],
    },
  });
});
test("entries of which there is one need no name", () => {
  expect(
    Object.keys(
      defined("config_entries: [{ kind: proxy-defaults }, { kind: mesh }, { kind: exported-services }]\n")
        .config_entries,
    ),
  ).toEqual(["exported-services/default", "mesh/mesh", "proxy-defaults/global"]);
});
test("a prepared query is given by the API's names, metadata by its own", () => {
  const query =
    "{ name: near, service: { service: web, only_passing: true, node_meta: { rack_id: a }, failover: { nearest_n: 2 } }, dns: { ttl: 10s } }";
  expect(defined(`prepared_queries: [${query}]\n`).prepared_queries).toEqual({
    near: {
      Name: "near",
      Service: { Service: "web", OnlyPassing: true, NodeMeta: { rack_id: "a" }, Failover: { NearestN: 2 } },
      Dns: { Ttl: "10s" },
    },
  });
});
test("a template may stand for all names", () => {
  expect(
    defined("prepared_queries: [{ template: { type: name_prefix_match }, service: { service: '${name.full}' } }]\n")
      .prepared_queries,
  ).toEqual({
    "": { Name: "", Template: { Type: "name_prefix_match" }, Service: { Service: "${name.full}" } },
  });
});
test("the order in which they are written changes nothing", () => {
  const one =
    "kv: { b: 1, a: 2 }\nconfig_entries: [{ kind: mesh }, { name: web, protocol: http, kind: service-defaults }]\nintentions: { w: { b: deny, a: allow } }\n";
  const other =
    "intentions: { w: { a: allow, b: deny } }\nconfig_entries: [{ kind: service-defaults, name: web, protocol: http }, { kind: mesh }]\nkv: { a: 2, b: 1 }\n";
  expect(JSON.stringify(defined(one))).toBe(JSON.stringify(defined(other)));
});
test("Consul's own keys of an entry are passed on, whatever they are", () => {
  const entry =
    "{ kind: service-resolver, name: web, ConnectTimeout: 5s, subsets: { v1: { filter: 'Service.Meta.version == v1' } } }";
  expect(saidOf(clusterFile(`${FOUR_HOSTS}config_entries: [${entry}]\n`))).toEqual([]);
});
