import { resolveAgent } from "../../../cluster/resolve/agents";

const agent = (role: "server" | "client", more: Partial<Parameters<typeof resolveAgent>[0]> = {}) =>
  resolveAgent({ role, name: "a", settings: {}, network: "host", address: "10.0.0.1", stage: "off", ...more });

describe("an agent that states nothing", () => {
  test("has its name for a node name, a container and a host name, and a volume of that name", () => {
    expect(agent("server")).toMatchObject({ node: "a", container: "a", hostname: "a", data: "a-data" });
    expect(agent("server", { container: "b" })).toMatchObject({ node: "a", container: "b", data: "b-data" });
  });
  test("binds to its host's address, and serves its own host alone", () => {
    const { bindAddr, advertiseAddr, clientAddresses, gossip, endpoints } = agent("server");
    expect({ bindAddr, advertiseAddr, clientAddresses, gossip }).toEqual({
      bindAddr: "10.0.0.1",
      advertiseAddr: undefined,
      clientAddresses: ["127.0.0.1"],
      gossip: { address: "10.0.0.1", port: 8301 },
    });
    expect(endpoints.http).toBe("http://127.0.0.1:8500");
  });
  test("serves every address of its container in a bridge network, and leaves the bind address to Consul", () =>
    expect(agent("server", { network: "bridge" })).toMatchObject({
      bindAddr: undefined,
      clientAddresses: ["0.0.0.0"],
      gossip: { address: "a", port: 8301 },
    }));
  test("has Consul's ports, and none of them in its configuration", () => {
    expect(agent("server").ports).toMatchObject({ http: 8500, https: -1, grpc_tls: 8503 });
    expect(agent("client").ports).toMatchObject({ http: 8500, https: -1, grpc_tls: -1 });
    expect(agent("server").configuredPorts).toEqual({});
  });
  test("has the product's image, a log of limited size, and the UI", () =>
    expect(agent("client")).toMatchObject({
      image: "hashicorp/consul:1.22.7",
      ui: true,
      restart: "always",
      log: { driver: "json-file", options: { "max-size": "10m", "max-file": "3" } },
      readyTimeout: 120,
      datacenter: "dc1",
    }));
});

describe("HTTPS is on", () => {
  test.each([
    ["server", "off", -1],
    ["client", "off", -1],
    ["server", "permissive", 8501],
    ["client", "permissive", -1],
    ["client", "outgoing", 8501],
    ["server", "strict", 8501],
  ] as const)("as soon as an agent has a certificate: %s at stage %s", (role, stage, port) =>
    expect(agent(role, { stage }).ports.https).toBe(port),
  );
  test("at the port that the file states", () => {
    expect(agent("server", { stage: "strict", settings: { ports: { https: 9501 } } }).ports.https).toBe(9501);
    expect(agent("server", { stage: "strict", settings: { ports: { https: -1 } } }).configuredPorts).toEqual({
      https: -1,
    });
  });
  test("and plain HTTP is on loopback only, at stage strict", () => {
    expect(agent("server", { stage: "outgoing" }).httpsOnly).toBe(false);
    expect(agent("server", { stage: "strict" }).httpsOnly).toBe(true);
  });
});

test("settings that a program leaves undefined count as not stated", () =>
  expect(agent("client", { settings: { ports: { http: undefined }, publish: { http: undefined } } })).toMatchObject({
    ports: { http: 8500 },
    configuredPorts: {},
    publish: {},
  }));
