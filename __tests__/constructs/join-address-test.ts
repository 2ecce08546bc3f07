import { JoinAddress } from "../../constructs/join-address";

describe("has Consul's format", () => {
  test.each([
    ["10.0.0.1", 8301, 8301, "10.0.0.1"],
    ["10.0.0.1", 9301, 8301, "10.0.0.1:9301"],
    ["10.0.0.1", 8301, 9301, "10.0.0.1:8301"],
    ["10.0.0.1", 9301, 9301, "10.0.0.1"],
    ["fd00::1", 8301, 8301, "fd00::1"],
    ["fd00::1", 9301, 8301, "[fd00::1]:9301"],
    ["consul-server1", 8301, 8301, "consul-server1"],
  ])("%s on %i, for an agent on %i: the port is omitted only if it is the agent's own", (host, port, own, written) => {
    expect(JoinAddress.of(host, port).toString(own)).toBe(written);
  });
  test("without a joining agent, the port is omitted if it is Consul's default", () => {
    expect([`${JoinAddress.of("10.0.0.1")}`, `${JoinAddress.of("10.0.0.1", 9301)}`]).toEqual([
      "10.0.0.1",
      "10.0.0.1:9301",
    ]);
  });
});

describe("is parsed from", () => {
  test.each([
    ["10.0.0.1", "10.0.0.1", 8301],
    ["10.0.0.1:9301", "10.0.0.1", 9301],
    ["fd00::1", "fd00::1", 8301],
    ["[fd00::1]:9301", "fd00::1", 9301],
    ["[fd00::1]", "fd00::1", 8301],
    ["consul.example.com:9301", "consul.example.com", 9301],
  ])("%s", (text, host, port) => expect(JoinAddress.parse(text)).toMatchObject({ host, port }));

  test.each([
    "",
    "consul",
    "[10.0.0.1]:1",
    "[fd00::1",
    "10.0.0.1:",
    "10.0.0.1:a",
    "a b.example.com",
    "http://10.0.0.1",
  ])("%j is rejected, and the error has the expected format", (text) =>
    expect(() => JoinAddress.parse(text)).toThrow(/expected an IP address or DNS name/),
  );
  test.each(["10.0.0.1:0", "10.0.0.1:65536"])("%s is rejected, because the port does not exist", (text) =>
    expect(() => JoinAddress.parse(text)).toThrow(),
  );
});

test("equals only an address with the same host and port", () => {
  const address = JoinAddress.of("10.0.0.1", 8301);
  expect(
    [JoinAddress.of("10.0.0.1"), JoinAddress.of("10.0.0.1", 1), JoinAddress.of("10.0.0.2")].map((other) =>
      address.equals(other),
    ),
  ).toEqual([true, false, false]);
});
