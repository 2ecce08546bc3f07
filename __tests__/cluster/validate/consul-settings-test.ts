import { configProblems, flagProblems } from "../../../cluster/validate/consul-settings";

const inConfig = (config: object) =>
  configProblems(config as never, ["config"], false).map(({ code, path }) => `${code} ${path.join(".")}`);
const inFlags = (...flags: string[]) => flagProblems(flags, ["flags"]).map(({ code }) => code);

describe("`config`", () => {
  test.each([
    ["a file's path", { connect: { x_key_file: "/consul/tls/key.pem" } }],
    ["anything else", { telemetry: { prometheus_retention_time: "1h" }, dns_config: { udp_answer_limit: 5 } }],
    ["a key of JavaScript's", { constructor: { a: 1 }, toString: "x" }],
  ])("may hold %s", (_, config) => expect(inConfig(config)).toEqual([]));

  test.each([
    "addresses",
    "bind_addr",
    "retry_join",
    "ports",
    "server",
    "node_name",
    "data_dir",
    "datacenter",
    "bootstrap_expect",
    "ui",
  ])("leaves %s to its own place", (key) => {
    expect(inConfig({ [key]: "x" })).toEqual([`owned-setting config.${key}`]);
  });
  test.each([
    ["recursors", { recursors: ["10.0.0.2"] }],
    ["dns_config.allow_stale", { dns_config: { allow_stale: false } }],
    ["DNS_Config.node_ttl", { DNS_Config: { node_ttl: "5s" } }],
    ["dns_config.service_ttl", { dns_config: { service_ttl: { web: "5s" }, soa: { min_ttl: 5 } } }],
  ])("leaves %s to `dns`, and what that has no key for to itself", (key, config) => {
    expect(inConfig(config)).toEqual([`owned-setting config.${key}`]);
  });
  test("may not enable ACLs, which `security: off` has none of", () => {
    expect(inConfig({ acl: { enabled: true } })).toEqual(["owned-setting config.acl.enabled"]);
  });
  test("may not hold whole numbers that JavaScript would change", () => {
    expect(inConfig({ a: [{ b: 2 ** 53 }, 2 ** 53 - 1, 0.5] })).toEqual(["invalid-value config.a.0.b"]);
  });
  test("has such keys of its own below the first level", () =>
    expect(inConfig({ dns_config: { server: 1 } })).toEqual([]));
});

describe("`flags`", () => {
  test.each([
    "-server",
    "-node=x",
    "--node=x",
    "-node x",
    "-retry-join=1.1.1.1",
    "-http-port=1",
    "-data-dir=/x",
    "-recursor=10.0.0.2",
  ])("leave %s to its own place", (flag) => {
    expect(inFlags(flag)).toEqual(["owned-setting"]);
  });
  test.each(["-log-json", "-node-meta=rack:a", "-config-file=/x", "-server-foo", "-enable-script-checks"])(
    "may hold %s",
    (flag) => expect(inFlags(flag)).toEqual([]),
  );
});
