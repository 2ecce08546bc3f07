import {
  addressInSubnet,
  bracketed,
  canonical,
  family,
  freeInSubnet,
  gossipAddress,
  hasPassword,
  hostAndPort,
  isDnsName,
  isLoopback,
  isTemplate,
  isWildcard,
  whyUnreachable,
} from "../../consul/address";

test.each([
  ["10.0.0.1", 4],
  ["fd00::1", 6],
  ["::ffff:10.0.0.1", 6],
  ["consul.example.com", undefined],
  ["10.0.0.256", undefined],
  ["10.0.0", undefined],
  ["10.0.0.1:80", undefined],
  ["", undefined],
])("%j is of the family %p", (address, expected) => expect(family(address)).toBe(expected));

describe("other agents can reach", () => {
  test.each(["10.0.0.1", "172.16.8.120", "192.168.1.1", "8.8.8.8", "100.64.0.1", "fd00::1", "2a00::1"])(
    "%s",
    (address) => {
      expect(whyUnreachable(address, { loopbackAllowed: false })).toBeUndefined();
    },
  );
  test.each([
    ["0.0.0.0", /every address/],
    ["::", /every address/],
    ["255.255.255.255", /broadcast/],
    ["224.0.0.1", /multicast/],
    ["ff02::1", /multicast/],
    ["169.254.1.1", /link-local/],
    ["fe80::1", /link-local/],
    ["127.0.0.1", /loopback/],
    ["::1", /loopback/],
    ["consul.example.com", /no IP address/],
  ])("but not %s, with a reason", (address, why) =>
    expect(whyUnreachable(address, { loopbackAllowed: false })).toMatch(why),
  );
  test("loopback, if there is only one host", () =>
    expect(whyUnreachable("127.0.0.1", { loopbackAllowed: true })).toBeUndefined());
});

test.each(["consul.example.com", "a.b", "A.Example.COM", "1.example", `${"a".repeat(63)}.b`])(
  "%s is a full DNS name",
  (name) => expect(isDnsName(name)).toBe(true),
);
test.each([
  "consul",
  "10.0.0.1",
  "consul.",
  ".consul",
  "a_b.example",
  "-a.example",
  "a..b",
  "1.2.3",
  `${"a".repeat(64)}.b`,
  `${"a.".repeat(127)}bc`,
])("%s is no DNS name", (name) => expect(isDnsName(name)).toBe(false));

test("the wildcard address has several spellings", () =>
  expect(["0.0.0.0", "::", "0::0"].map(isWildcard)).toEqual([true, true, true]));
test("loopback is a range", () =>
  expect(["127.0.0.1", "127.9.9.9", "::1", "10.0.0.1"].map(isLoopback)).toEqual([true, true, true, false]));
test("an IPv4-mapped IPv6 address is treated as IPv4", () => expect(isLoopback("::ffff:127.0.0.1")).toBe(true));
test("one address has one spelling, and other texts do not change", () =>
  expect(["fd00::1", "FD00::1", "fd00:0::1", "::ffff:10.0.0.1", "10.0.0.1", "A.b"].map(canonical)).toEqual([
    "fd00::1",
    "fd00::1",
    "fd00::1",
    "10.0.0.1",
    "10.0.0.1",
    "A.b",
  ]));
test("a URL's password is detected, and a port is none", () =>
  expect(
    [
      "ssh://u:p@h",
      "https://u:p@h/x",
      "ssh://root@h:22",
      "ssh://u@[fd00::1]:22",
      "https://h:8/a@b",
      "tcp://{address}:2376",
    ].map(hasPassword),
  ).toEqual([true, true, false, false, false, false]));
test("only IPv6 gets brackets", () =>
  expect(["fd00::1", "10.0.0.1", "a.b"].map(bracketed)).toEqual(["[fd00::1]", "10.0.0.1", "a.b"]));
test("braces mark go-sockaddr's templates", () =>
  expect(["{{ GetPrivateIP }}", "10.0.0.1"].map(isTemplate)).toEqual([true, false]));

describe("an agent's gossip is reached", () => {
  test.each([
    ["at its advertised address", { advertiseAddr: "1.1.1.1", bindAddr: "2.2.2.2" }, "1.1.1.1"],
    ["at its bind address", { bindAddr: "2.2.2.2" }, "2.2.2.2"],
    [
      "at its bind address if only Consul can resolve the advertised one",
      { advertiseAddr: "{{ GetPublicIP }}", bindAddr: "2.2.2.2" },
      "2.2.2.2",
    ],
    ["at its host if it binds to every address", { bindAddr: "0.0.0.0" }, "host"],
    ["at its host", {}, "host"],
  ])("%s", (_, settings, address) => expect(gossipAddress(settings, "host")).toBe(address));
});

test("an agent's address in a bridge network depends on its name, and is never the network's, the gateway's or the broadcast address", () => {
  expect(addressInSubnet("172.30.86.0/24", "consul-server1")).toBe("172.30.86.100");
  const last = Array.from({ length: 2000 }, (_, number) =>
    Number(addressInSubnet("10.0.0.0/24", `a${number}`).split(".")[3]),
  );
  expect([Math.min(...last), Math.max(...last)]).toEqual([2, 254]);
});

test.each([
  ["10.0.0.1", { host: "10.0.0.1" }],
  ["10.0.0.1:53", { host: "10.0.0.1", port: 53 }],
  ["fd00::1", { host: "fd00::1" }],
  ["[fd00::1]:53", { host: "fd00::1", port: 53 }],
  ["consul.example.com:8301", { host: "consul.example.com", port: 8301 }],
  ["10.0.0.1:0", undefined],
  ["10.0.0.1:65536", undefined],
  ["[10.0.0.1]:53", undefined],
  ["fd00::1:99999", undefined],
  ["", undefined],
])("%j is the host and port %j", (text, expected) => expect(hostAndPort(text)).toEqual(expected));
describe("a container that is no agent has an address in a bridge network", () => {
  const all = Array.from({ length: 253 }, (_, index) => `10.0.0.${index + 2}`);
  const first = addressInSubnet("10.0.0.0/24", "s1_backups");
  test("that depends on its name", () => expect(freeInSubnet("10.0.0.0/24", "s1_backups", new Set())).toBe(first));
  test("or the next one if an agent has that", () => {
    const next = all[(all.indexOf(first) + 1) % all.length];
    expect(freeInSubnet("10.0.0.0/24", "s1_backups", new Set([first]))).toBe(next);
  });
  test.each(["10.0.0.2", "10.0.0.254"])("even if only %s is free", (left) => {
    expect(freeInSubnet("10.0.0.0/24", "s1_backups", new Set(all.filter((address) => address !== left)))).toBe(left);
  });
});
