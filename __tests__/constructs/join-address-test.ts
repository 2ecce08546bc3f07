import { JoinAddress } from "../../constructs/join-address";

describe("as Consul takes it", () => {
  test.each([
    ["10.0.0.1", 8301, 8301, "10.0.0.1"],
    ["10.0.0.1", 9301, 8301, "10.0.0.1:9301"],
    ["10.0.0.1", 8301, 9301, "10.0.0.1:8301"],
    ["10.0.0.1", 9301, 9301, "10.0.0.1"],
    ["fd00::1", 8301, 8301, "fd00::1"],
    ["fd00::1", 9301, 8301, "[fd00::1]:9301"],
    ["consul-server1", 8301, 8301, "consul-server1"],
  ])("%s on %i, for an agent on %i: without a port only where that is the agent's own", (host, port, own, written) => {
    expect(JoinAddress.of(host, port).toString(own)).toBe(written);
  });
  test("for nobody in particular, the port is left out where it is Consul's default", () => {
    expect([`${JoinAddress.of("10.0.0.1")}`, `${JoinAddress.of("10.0.0.1", 9301)}`]).toEqual([
      "10.0.0.1",
      "10.0.0.1:9301",
    ]);
  });
});

describe("is read from", () => {
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
  ])("%j is refused, with what is expected", (text) =>
    expect(() => JoinAddress.parse(text)).toThrow(/expected an IP address or DNS name/),
  );
  test.each(["10.0.0.1:0", "10.0.0.1:65536"])("%s is refused: there is no such port", (text) =>
    expect(() => JoinAddress.parse(text)).toThrow(),
  );
});

test("is the same as another of the same host and port, and as no other", () => {
  const address = JoinAddress.of("10.0.0.1", 8301);
  expect(
    [JoinAddress.of("10.0.0.1"), JoinAddress.of("10.0.0.1", 1), JoinAddress.of("10.0.0.2")].map((other) =>
      address.equals(other),
    ),
  ).toEqual([true, false, false]);
});
