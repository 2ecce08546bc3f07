import { clusterFile, FOUR_HOSTS, HEAD, saidOf } from "../cluster-files";

const codes = (text: string) => saidOf(clusterFile(text)).map(({ code }) => code);
const named = (name: string) => FOUR_HOSTS.replace("c1: 10", `${name}: 10`).replace("[c1]", `[${name}]`);
const BRIDGE = "name: c\nsecurity: off\nnetwork: bridge\ndaemon: unix:///var/run/docker.sock\nhosts: { local: 127.0.0.1 }\n";

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
  test("is a name too", () => expect(codes(FOUR_HOSTS.replace("[c1]", `[{ name: c1, ${key}: A.b }]`))).toEqual(["invalid-name"]));
});

test.each(["name", "datacenter"])("the cluster's `%s` is a name too", (key) => {
  expect(codes(`${FOUR_HOSTS.replace("name: c\n", "")}${key === "name" ? "" : "name: c\n"}${key}: A.b\n`)).toEqual(["invalid-name"]);
});

test("names that differ in what Terraform drops cannot be written: their ids cannot collapse into one", () => {
  expect(new Set(codes(`${HEAD}hosts: { "a.b": 10.0.0.1, ab: 10.0.0.2 }\nservers: ["a.b"]\nclients: [ab]\n`))).toEqual(new Set(["invalid-name"]));
});

describe("two agents may share a host", () => {
  const client = (settings: string) => codes(FOUR_HOSTS.replace("[c1]", `[c1, { name: c2, host: s1, ${settings} }]`));

  test("on ports of their own", () => expect(client("ports: { http: 9500, dns: 9600, serf_lan: 9301 }")).toEqual([]));
  test("not on the same ports, of which each is said", () => expect(client("")).toEqual(["port-clash", "port-clash", "port-clash"]));
  test("with DNS off on one", () => expect(client("ports: { http: 9500, dns: -1, serf_lan: 9301 }")).toEqual([]));
  test("at other client addresses", () => expect(client("client: 127.0.0.2, ports: { serf_lan: 9301 }")).toEqual([]));
});

describe("an address that an agent binds to", () => {
  const bind = (settings: string) => codes(FOUR_HOSTS.replace("[c1]", `[{ name: c1, ${settings} }]`));

  test("may be left for Consul to find, by a template", () => expect(bind(`bind: '{{ GetInterfaceIP "eth1" }}'`)).toEqual([]));
  test("may be every address, where another is told to others", () => expect(bind("bind: 0.0.0.0, advertise: 10.0.0.4")).toEqual([]));
  test("may be another of the host's", () => expect(bind("bind: 10.1.0.4")).toEqual([]));
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
