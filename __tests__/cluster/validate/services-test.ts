import { clusterFile, FOUR_HOSTS, load, saidOf } from "../../cluster-files";

const codes = (text: string) => saidOf(clusterFile(text)).map(({ code }) => code);
const ofService = (check: string, more = "") => `${FOUR_HOSTS}services: [{ name: web, check: ${check} }]\n${more}`;

describe("a check is right", () => {
  test.each([
    [
      "http",
      "{ http: 'http://127.0.0.1/health', interval: 10s, timeout: 500ms, method: POST, header: { X-Test: [a] } }",
    ],
    ["tcp", "{ tcp: '127.0.0.1:80', interval: 1m30s, tcp_use_tls: true }"],
    ["udp", "{ udp: '127.0.0.1:53', interval: 1.5h }"],
    ["grpc", "{ grpc: '127.0.0.1:50051/shop', interval: 10s, grpc_use_tls: true }"],
    ["h2ping", "{ h2ping: '127.0.0.1:443', interval: 10s }"],
    ["os_service", "{ os_service: shop, interval: 10s }"],
    ["ttl", "{ ttl: 24h, status: passing, deregister_critical_service_after: 72h }"],
    ["an alias of a service", "{ alias_service: api }"],
    ["an alias of a service on a node", "{ alias_service: api, alias_node: c1 }"],
  ])("by %s", (_, check) => expect(codes(ofService(check))).toEqual([]));

  const program = "{ args: [/bin/true], interval: 10s }";
  const inContainer = "{ args: [/bin/true], docker_container_id: shop, shell: /bin/sh, interval: 10s }";
  test.each([
    ["by configuration", "config: { enable_local_script_checks: true }\n"],
    ["by configuration, for the API too", "config: { enable_script_checks: true }\n"],
    ["by a flag", "flags: [-enable-local-script-checks]\n"],
  ])("by a program, where programs may run, %s", (_, allowed) => {
    for (const check of [program, inContainer]) expect(codes(ofService(check, allowed))).toEqual([]);
  });
  test("by a program, where only some agents may run one, on none of the others", () => {
    const servers = "servers: [{ name: s1, config: { enable_local_script_checks: true } }, s2, s3]";
    expect(codes(ofService(program).replace("servers: [s1, s2, s3]", servers))).toEqual(["script-checks-disabled"]);
  });
});

test("a service's name that only DNS would refuse is a warning, and an agent's token takes it", () => {
  expect(codes(`${FOUR_HOSTS.replace("security: off", "security: on")}services: [{ name: web_shop }]\n`)).toEqual([
    "service-name",
  ]);
});
test("two services of one name on an agent have ids of their own", () => {
  expect(codes(`${FOUR_HOSTS}services: [{ name: web, id: a, port: 1 }, { name: web, id: b, port: 2 }]\n`)).toEqual([]);
});
test("one service may be on several agents", () => {
  const clients = "clients: [{ name: c1, services: [{ name: web }] }]";
  const servers = "servers: [{ name: s1, services: [{ name: web }] }, s2, s3]";
  expect(codes(FOUR_HOSTS.replace("clients: [c1]", clients).replace("servers: [s1, s2, s3]", servers))).toEqual([]);
});
test("what is wrong for the whole cluster is said once", () =>
  expect(codes(`${FOUR_HOSTS}services: [{ name: web_shop }]\n`)).toEqual(["service-name"]));
test("what Consul has more of is passed on", () => {
  const { agents } = load(
    `${FOUR_HOSTS}services: [{ name: web, new_key: { a: [1] } }]\nignore: [unknown-consul-key]\n`,
  );
  expect(agents[0]?.services).toEqual([{ name: "web", new_key: { a: [1] } }]);
});
test("an agent's services are added to the cluster's", () => {
  const { agents } = load(
    `${FOUR_HOSTS.replace("[c1]", "[{ name: c1, services: [{ name: web }] }]")}services: [{ name: exporter }]\n`,
  );
  expect(
    Object.fromEntries(agents.map(({ name, services }) => [name, services.map((service) => service.name)])),
  ).toMatchObject({
    c1: ["exporter", "web"],
    s1: ["exporter"],
  });
});
