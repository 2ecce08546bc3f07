import { type AgentConfigProps, agentCommand, agentConfig, agentEnvironment } from "../../consul/agent-config";
import { effectivePorts } from "../../consul/ports";

const server: AgentConfigProps = {
  role: "server",
  node: "s1",
  datacenter: "dc1",
  bind: "10.0.0.1",
  client: "127.0.0.1",
  bootstrapExpect: 3,
  retryJoin: ["10.0.0.2"],
  ui: true,
  flags: [],
  stage: "off",
  ports: {},
  dns: {},
  config: {},
};
const client: AgentConfigProps = { ...server, role: "client", node: "c1" };

describe("the command", () => {
  test("of a server reads like the article", () => {
    expect(agentCommand(server).join(" ")).toBe(
      "agent -server -bind=10.0.0.1 -retry-join=10.0.0.2 -bootstrap-expect=3 -node=s1 -client=127.0.0.1 -ui -config-dir=/consul/declared",
    );
  });
  test("of a client expects no servers", () => {
    expect(agentCommand(client).join(" ")).toBe(
      "agent -bind=10.0.0.1 -retry-join=10.0.0.2 -node=c1 -client=127.0.0.1 -ui -config-dir=/consul/declared",
    );
  });
  test("has no bind address if none is set", () => {
    expect(agentCommand({ ...client, bind: undefined }).filter((word) => word.startsWith("-bind"))).toEqual([]);
  });
  test("has the advertised address", () => {
    expect(agentCommand({ ...client, advertise: "192.168.0.1" })).toContain("-advertise=192.168.0.1");
  });
  test("joins each address", () => {
    expect(agentCommand({ ...client, retryJoin: ["a", "b"] }).filter((word) => word.startsWith("-retry-join"))).toEqual(
      ["-retry-join=a", "-retry-join=b"],
    );
  });
  test("has no UI if that is off", () => {
    expect(agentCommand({ ...client, ui: false })).not.toContain("-ui");
  });
  test("ends with further flags, which override the others", () => {
    expect(agentCommand({ ...client, flags: ["-log-json", "-log-level=debug"] }).slice(-2)).toEqual([
      "-log-json",
      "-log-level=debug",
    ]);
  });
});

describe("the configuration file", () => {
  const parsed = (props: Partial<Parameters<typeof agentConfig>[0]>) =>
    JSON.parse(agentConfig({ ...server, datacenter: "dc1", ...props }));

  test("with metrics keeps them for longer than an hour, in which Consul looks at certificates once", () => {
    expect(parsed({ metrics: true }).telemetry).toEqual({ prometheus_retention_time: "2h", disable_hostname: true });
    expect(parsed({ metrics: false })).not.toHaveProperty("telemetry");
  });
  test("has the addresses of HTTPS beside that of plain HTTP", () => {
    const httpsAddresses = ["127.0.0.1", "10.0.0.1"];
    expect(parsed({ stage: "strict", httpsAddresses }).addresses).toEqual({
      http: "127.0.0.1",
      https: "127.0.0.1 10.0.0.1",
    });
  });
  test("lets the file's own telemetry win", () => {
    const config = { telemetry: { prometheus_retention_time: "24h" } };
    expect(parsed({ metrics: true, config }).telemetry).toEqual({
      prometheus_retention_time: "24h",
      disable_hostname: true,
    });
  });

  test("of a server", () => {
    expect(parsed({})).toEqual({
      autopilot: { min_quorum: 3 },
      datacenter: "dc1",
      disable_update_check: true,
      leave_on_terminate: false,
      performance: { raft_multiplier: 1 },
      retry_interval: "2s",
    });
  });
  test("of a client sets no Raft timing", () => expect(parsed({ role: "client" })).not.toHaveProperty("performance"));
  test("has only the ports that are set", () =>
    expect(parsed({ ports: { http: 80, dns: undefined } }).ports).toEqual({ http: 80 }));
  test("has `config` merged last, key by key", () => {
    expect(parsed({ config: { retry_interval: "9s", performance: { rpc_hold_timeout: "1s" } } })).toMatchObject({
      retry_interval: "9s",
      performance: { raft_multiplier: 1, rpc_hold_timeout: "1s" },
    });
  });
  test("replaces lists whole", () =>
    expect(parsed({ config: { start_join_wan: ["10.1.0.1"] } }).start_join_wan).toEqual(["10.1.0.1"]));
  test("has DNS settings under both of Consul's keys, without those that are not set", () => {
    const { recursors, dns_config } = parsed({
      dns: { recursors: ["10.0.0.2"], only_passing: true, node_ttl: undefined, service_ttl: { "*": "5s" } },
    });
    expect({ recursors, dns_config }).toEqual({
      recursors: ["10.0.0.2"],
      dns_config: { only_passing: true, service_ttl: { "*": "5s" } },
    });
    expect(parsed({ dns: {} })).toEqual(parsed({}));
  });
  test("has further settings of DNS from `config`", () => {
    const { dns_config } = parsed({ dns: { allow_stale: false }, config: { dns_config: { udp_answer_limit: 5 } } });
    expect(dns_config).toEqual({ allow_stale: false, udp_answer_limit: 5 });
  });
  test("does not depend on the order in which keys were written", () => {
    expect(agentConfig({ ...server, datacenter: "dc1", config: { b: { d: 1, c: 2 }, a: [{ z: 1, y: 2 }] } })).toBe(
      agentConfig({ ...server, datacenter: "dc1", config: { a: [{ y: 2, z: 1 }], b: { c: 2, d: 1 } } }),
    );
  });
  test("ends with a line break", () => expect(agentConfig({ ...server, datacenter: "dc1" })).toMatch(/\}\n$/));
});

describe("the environment", () => {
  const http = "http://127.0.0.1:8500";
  test("has the HTTP API's address if it is not Consul's default", () => {
    expect(agentEnvironment({ ports: effectivePorts("client"), stage: "off", http: "http://10.0.0.1:9500" })).toEqual([
      "CONSUL_HTTP_ADDR=http://10.0.0.1:9500",
    ]);
  });
  test("grants privileged ports if one is used", () => {
    expect(agentEnvironment({ ports: effectivePorts("client", { dns: 53 }), stage: "off", http })).toEqual([
      "CONSUL_ALLOW_PRIVILEGED_PORTS=1",
    ]);
  });
  test("grants nothing otherwise", () =>
    expect(
      agentEnvironment({ ports: effectivePorts("server", { dns: -1, http: 1024 }), stage: "off", http }),
    ).toBeUndefined());
});
