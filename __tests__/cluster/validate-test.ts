import { clusterFile, FOUR_HOSTS, HEAD, saidOf } from "../cluster-files";

const codes = (text: string) => saidOf(clusterFile(text)).map(({ code }) => code);
const named = (name: string) => FOUR_HOSTS.replace("c1: 10", `${name}: 10`).replace("[c1]", `[${name}]`);
const BRIDGE =
  "name: c\nsecurity: off\nnetwork: bridge\ndaemon: unix:///var/run/docker.sock\nhosts: { local: 127.0.0.1 }\n";

describe("a name that Consul, DNS and Terraform take", () => {
  test.each(["ab", "a-b", "a1", "a".repeat(63), "a--b"])("%s", (name) => expect(codes(named(name))).toEqual([]));
});

describe("a name that one of them refuses", () => {
  test.each([
    ["with capitals: DNS does not tell them apart", "Web"],
    ["with a dot: Terraform would collapse it", "web.a"],
    ["with an underscore: DNS refuses it", "web_a"],
    ["that begins with a digit: Terraform refuses it", "1web"],
    ["that begins with a hyphen", "-web"],
    ["that ends with a hyphen", "web-"],
    ["of 64 letters: DNS takes 63", "a".repeat(64)],
    ["with a space", "'a b'"],
    ["that is empty", "''"],
    ["of another alphabet", "wéb"],
    ["with an expression of Terraform's", "'${x}'"],
    ["with a line break", '"a\\nb"'],
  ])("%s", (_, name) => expect(new Set(codes(named(name)))).toEqual(new Set(["invalid-name"])));
});

describe.each(["node", "hostname"])("an agent's own `%s`", (key) => {
  test("is a name too", () =>
    expect(codes(FOUR_HOSTS.replace("[c1]", `[{ name: c1, ${key}: A.b }]`))).toEqual(["invalid-name"]));
});

test.each(["name", "datacenter"])("the cluster's `%s` is a name too", (key) => {
  expect(codes(`${FOUR_HOSTS.replace("name: c\n", "")}${key === "name" ? "" : "name: c\n"}${key}: A.b\n`)).toEqual([
    "invalid-name",
  ]);
});

test("names that differ in what Terraform drops cannot be written: their ids cannot collapse into one", () => {
  expect(new Set(codes(`${HEAD}hosts: { "a.b": 10.0.0.1, ab: 10.0.0.2 }\nservers: ["a.b"]\nclients: [ab]\n`))).toEqual(
    new Set(["invalid-name"]),
  );
});

describe("two agents may share a host", () => {
  const client = (settings: string) => codes(FOUR_HOSTS.replace("[c1]", `[c1, { name: c2, host: s1, ${settings} }]`));

  test("on ports of their own", () => expect(client("ports: { http: 9500, dns: 9600, serf_lan: 9301 }")).toEqual([]));
  test("not on the same ports, of which each is said", () =>
    expect(client("")).toEqual(["port-clash", "port-clash", "port-clash"]));
  test("with DNS off on one", () => expect(client("ports: { http: 9500, dns: -1, serf_lan: 9301 }")).toEqual([]));
  test("at other client addresses", () =>
    expect(client("client_addr: 127.0.0.2, ports: { serf_lan: 9301 }")).toEqual([]));
  test("not plain HTTP of secured agents, which is at loopback whatever their client addresses are", () => {
    const settings = "client_addr: 10.0.0.9, ports: { serf_lan: 9301 }";
    const secured = FOUR_HOSTS.replace("security: off\n", "").replace(
      "[c1]",
      `[c1, { name: c2, host: s1, ${settings} }]`,
    );
    expect(codes(secured).filter((code) => code === "port-clash")).toHaveLength(1);
  });
});

describe("an address that an agent binds to", () => {
  const bind = (settings: string) => codes(FOUR_HOSTS.replace("[c1]", `[{ name: c1, ${settings} }]`));

  test("may be left for Consul to find, by a template", () =>
    expect(bind(`bind_addr: '{{ GetInterfaceIP "eth1" }}'`)).toEqual([]));
  test("may be every address, where another is told to others", () =>
    expect(bind("bind_addr: 0.0.0.0, advertise_addr: 10.0.0.4")).toEqual([]));
  test("may be another of the host's", () => expect(bind("bind_addr: 10.1.0.4")).toEqual([]));
});

describe("a recursor", () => {
  const recursors = (list: string, settings: string) =>
    codes(FOUR_HOSTS.replace("[c1]", `[{ name: c1, dns: { recursors: [${list}] }, ${settings} }]`));

  test.each(["10.0.0.2", "10.0.0.2:5353", "fd00::2", '"[fd00::2]:5353"'])("may be %s", (address) =>
    expect(recursors(address, "")).toEqual([]),
  );
  test("may be another program of the agent's host: dnsmasq on 53, the agent on 8600", () => {
    expect(recursors("127.0.0.1, 10.0.0.4", "")).toEqual([]);
  });
  test("may be systemd-resolved, where the agent has 53 of other addresses", () => {
    expect(recursors("127.0.0.53", "ports: { dns: 53 }, client_addr: 10.0.0.4 127.0.0.1")).toEqual(["open-http"]);
  });
  test.each(["127.0.0.1", "127.0.0.1:53"])("may not be the agent itself, at %s", (address) =>
    expect(recursors(address, "ports: { dns: 53 }")).toEqual(["invalid-address"]),
  );
  test("may not be the agent itself, in another spelling", () => {
    expect(
      codes(
        `${HEAD}hosts: { s1: fd00::1 }\nservers: [{ name: s1, client_addr: "fd00::1", ports: { dns: 53 } }]\nignore: [open-http]\ndns: { recursors: ["FD00:0::1"] }\n`,
      ),
    ).toEqual(["invalid-address"]);
  });
  test("that is one agent's own address is reported for that agent alone", () => {
    const text = `${FOUR_HOSTS}ports: { dns: 53 }\nclient_addr: 0.0.0.0\nignore: [open-http]\ndns: { recursors: [10.0.0.1] }\n`;
    expect(saidOf(clusterFile(text)).map(({ message }) => message)).toEqual([
      '10.0.0.1 is the address of "s1" itself, which would query itself',
    ]);
  });
});

describe("registrator", () => {
  const with_ = (registrator: string, text = FOUR_HOSTS) => codes(`${text}registrator: ${registrator}\n`);
  test.each([
    "on",
    "off",
    "{}",
    "{ internal: true }",
    "{ retry_attempts: -1, deregister: on-success, cleanup: false }",
    "{ flags: [-explicit] }",
  ])("may be %s", (registrator) => expect(with_(registrator)).toEqual([]));
  test("takes no unpinned image for one in a cluster without security", () =>
    expect(with_("{ image: gliderlabs/registrator:latest }")).toEqual([]));
  test("warns of no image that nobody chose", () =>
    expect(with_("on", FOUR_HOSTS.replace("security: off", "security: on"))).toEqual([]));
  test("may run beside agents that leave: their host's goes with them", () => {
    const leaving = FOUR_HOSTS.replace("[c1]", "[{ name: c1, decommission: true }]").replace(
      "10.0.0.4",
      "{ address: 10.0.0.4, registrator: on }",
    );
    expect(codes(leaving)).toEqual([]);
  });
  test("may run in a bridge network as long as plain HTTP is for others too", () => {
    const stage = (stage: string) => BRIDGE.replace("security: off", `security: { stage: ${stage} }`);
    expect(with_("on", `${stage("outgoing")}servers: [{ name: s1, host: local }]\n`)).toEqual([]);
  });
});

test("a lone server with clients is a cluster", () => {
  expect(codes(`${HEAD}hosts: { s1: 10.0.0.1, c1: 10.0.0.2 }\nservers: [s1]\nclients: [c1]\n`)).toEqual([]);
});
test("a lone agent is a cluster", () => expect(codes(`${HEAD}hosts: { s1: 10.0.0.1 }\nservers: [s1]\n`)).toEqual([]));
test("25 hosts in a stack are not too many", () => {
  const hosts = Array.from({ length: 25 }, (_, index) => `  h${index}: 10.1.0.${index + 1}`).join("\n");
  expect(codes(`${HEAD}hosts:\n${hosts}\nservers: [h0]\n`)).toEqual([]);
});
test("bridged agents may publish at all, without a warning: they are published at the host's own address", () => {
  expect(codes(`${BRIDGE}servers: [{ name: s1, host: local, publish: { http: 8500, grpc_tls: 8503 } }]\n`)).toEqual([]);
});

describe("`constructor`, which JavaScript's objects have, is refused", () => {
  test("for a host and its agent", () =>
    expect(new Set(codes(named("constructor")))).toEqual(new Set(["invalid-name"])));
  test("for a cluster", () =>
    expect(codes(FOUR_HOSTS.replace("name: c\n", "name: constructor\n"))).toEqual(["invalid-name"]));
  test("for a group", () =>
    expect(codes(FOUR_HOSTS.replace("10.0.0.4", "{ address: 10.0.0.4, group: constructor }"))).toEqual([
      "invalid-name",
    ]));
  test("alone", () => expect(codes(named("tostring"))).toEqual([]));
});

describe("an address that would join an agent to itself is refused", () => {
  test.each(["127.0.0.1", "0.0.0.0", "::1", "::ffff:127.0.0.1"])("%s", (address) =>
    expect(codes(`${FOUR_HOSTS}join: ["${address}"]\n`)).toEqual(["invalid-address"]),
  );
  test("as the host's of a bridge network", () => {
    expect(codes(`${BRIDGE}servers: [{ name: s1, host: local }]\njoin: [local]\n`)).toEqual(["invalid-address"]);
  });
  test.each(["bind_addr", "advertise_addr"])("as `%s` in a bridge network", (key) => {
    expect(codes(`${BRIDGE}servers: [{ name: s1, host: local, ${key}: 127.0.0.1 }]\n`)).toEqual(["invalid-address"]);
  });
  test("but not the one host's own", () => {
    const text = `${HEAD}hosts: { h: 127.0.0.1 }\nservers: [{ name: s1, host: h }]\n`;
    expect(
      codes(`${text}clients: [{ name: c1, host: h, join: [127.0.0.1], ports: { dns: 1, http: 2, serf_lan: 3 } }]\n`),
    ).toEqual([]);
  });
});

test("one address in two spellings is reported as one address", () => {
  expect(codes(`${HEAD}hosts: { s1: "fd00::1", c1: "FD00:0::1" }\nservers: [s1]\nclients: [c1]\n`)).toEqual([
    "duplicate-address",
  ]);
});

describe("in a bridge network", () => {
  const published = (settings: string, head = BRIDGE) =>
    codes(`${head}servers: [{ name: s1, host: local, ${settings} }]\n`);

  test.each(["http: 80", "https: 81", "grpc: 82"])(
    "publishing %s at an address of the network is warned of",
    (port) => {
      const ports = "ports: { https: 8501, grpc: 8502 }, config: { cert_file: /consul/data/cert.pem }";
      expect(published(`publish: { ${port} }, ${ports}`, BRIDGE.replace("127.0.0.1", "10.0.0.1"))).toEqual([
        "open-http",
      ]);
      expect(published(`publish: { ${port} }, ${ports}`)).toEqual([]);
    },
  );
  test("publishing what listens at loopback alone is refused", () => {
    expect(published("client_addr: 127.0.0.1, publish: { http: 80 }")).toEqual(["invalid-value"]);
  });
  test.each(["bridge", "host", "none"])("a cluster named %s is refused", (name) => {
    expect(published("", BRIDGE.replace("name: c", `name: ${name}`))).toEqual(["invalid-name"]);
  });
  test("a folder is one, with and without a slash at its end", () => {
    const text = `${BRIDGE}servers: [{ name: s1, host: local, data: /srv/ }]\nclients: [{ name: c1, host: local, data: /srv }]\n`;
    expect(codes(text)).toEqual(["duplicate-volume"]);
  });
});

describe("`data`", () => {
  const data = (value: string) => codes(FOUR_HOSTS.replace("[c1]", `[{ name: c1, data: "${value}" }]`));

  test.each(["vol", "/srv", "/srv/a b/", "/srv/.hidden"])("may be %s", (value) => expect(data(value)).toEqual([]));
  test.each(["/", "//", "/.", "/../", "./x", "~/x", "/srv:ro", "d"])("may not be %s", (value) =>
    expect(data(value)).toEqual(["invalid-value"]),
  );
});

test.each(['"-"', "--", '"-1"', "x", '"-a\\nb"', '"-a\\0"'])("%s is no flag", (flag) =>
  expect(codes(`${FOUR_HOSTS}flags: [${flag}]\n`)).toEqual(["invalid-value"]),
);

test("a daemon's URL may not hold a password, for all hosts or for one", () => {
  expect(codes(FOUR_HOSTS.replace("ssh://root@", "ssh://root:pw@"))).toEqual(["secret-in-config"]);
  const one = FOUR_HOSTS.replace("10.0.0.4", '{ address: 10.0.0.4, daemon: { url: "tcp://u:pw@10.0.0.4:2376" } }');
  expect(codes(one)).toEqual(["secret-in-config"]);
});

test("an agent that is written twice is said once", () => {
  expect(codes(FOUR_HOSTS.replace("[c1]", "[c1, c1]"))).toEqual(["duplicate-name"]);
});
