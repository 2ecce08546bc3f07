import { clusterFile, FOUR_HOSTS, load, saidOf } from "../cluster-files";

const DIGEST = `@sha256:${"1".repeat(64)}`;
const KIND = "config_entries: [{ kind: some-kind, name: web }]\n";
const KEY = "services: [{ name: web, some_key: 1 }]\n";

const said = (text: string) => saidOf(clusterFile(FOUR_HOSTS + text));
/** What is reported of a kind and of a key that Consul 1.22 does not have. */
const reported = (image: string) =>
  said(`${KIND}${KEY}image: "${image}"\n`).map(({ code, severity, message }) => ({ code, severity, message }));

describe("an image newer than Consul 1.22 may have the kind and the key:", () => {
  test.each([
    "hashicorp/consul:1.23.0",
    "hashicorp/consul:2.0",
    "hashicorp/consul:2.1.0-rc1",
    "hashicorp/consul-enterprise:v2.0.1-ent",
    "registry:5000/consul:2.0.1",
    `hashicorp/consul:2.0.1${DIGEST}`,
  ])("%s", (image) => {
    expect(reported(image)).toEqual([
      {
        code: "unknown-consul-key",
        severity: "warning",
        message: 'Consul 1.22 has no key "some_key" here; the agent\'s newer version may have it',
      },
      {
        code: "newer-kind",
        severity: "warning",
        message: 'Consul 1.22 has no config entries of kind "some-kind"; the servers\' newer version may have it',
      },
    ]);
  });
});

describe("an image that is not known to be newer has neither:", () => {
  test.each([
    ["of the same version", "hashicorp/consul:1.22.7"],
    ["of the same version, a later patch", "hashicorp/consul:1.22.99"],
    ["of the same version, pinned", `hashicorp/consul:1.22.7${DIGEST}`],
    ["of an older version", "hashicorp/consul:1.21.5"],
    ["of an older version, in a registry with a port", "registry.example.com:5000/consul:1.9.0"],
    ["without a tag", "hashicorp/consul"],
    ["without a tag, in a registry with a port", "registry:5000/consul"],
    ["with a tag that is no version", "hashicorp/consul:latest"],
    ["with a tag of a major version alone", "hashicorp/consul:2"],
    ["with a digest alone", `hashicorp/consul${DIGEST}`],
  ])("%s", (_, image) => {
    expect(reported(image)).toEqual([
      { code: "unknown-kind", severity: "error", message: 'Consul 1.22 has no config entries of kind "some-kind"' },
    ]);
    expect(said(`${KEY}image: "${image}"\n`).map(({ message }) => message)).toEqual([
      'Consul 1.22 has no key "some_key" here',
    ]);
  });
});

test("the hint for an image without a version says how to give it one", () => {
  const hintOf = (image: string) => said(`${KIND}image: "${image}"\n`)[0]?.hint;
  expect(hintOf("hashicorp/consul:latest")).toMatch(
    /; or, if hashicorp\/consul:latest is newer than Consul 1.22, add its version as a tag, which can precede a digest$/,
  );
  expect(hintOf("hashicorp/consul:1.22.7")).not.toContain("newer");
});

describe("a key of a prepared query that Consul 1.22 does not have", () => {
  const QUERY =
    "prepared_queries: [{ name: q, token_kind: a, service: { service: web, node_meta: { own: x }, failover: { targets: [{ pear: b }] } } }]\n";
  const of = (image: string) =>
    said(`${QUERY}image: "${image}"\n`).map(({ code, severity, message }) => `${severity} ${code}: ${message}`);

  test("is an error, wherever it is in the query", () =>
    expect(of("hashicorp/consul:1.22.7")).toEqual([
      'error unknown-key: there is no key "pear" here; did you mean "peer"?',
      'error unknown-key: there is no key "token_kind" here',
    ]));
  test("is a warning if all servers' images are newer, and reaches the API", () => {
    expect(of("hashicorp/consul:2.0.1")).toEqual([
      'warning unknown-consul-key: Consul 1.22 has no key "pear" here; the servers\' newer version may have it; did you mean "peer"?',
      'warning unknown-consul-key: Consul 1.22 has no key "token_kind" here; the servers\' newer version may have it',
    ]);
    expect(load(`${FOUR_HOSTS}${QUERY}image: hashicorp/consul:2.0.1\n`).definitions.prepared_queries).toMatchObject({
      q: { TokenKind: "a", Service: { NodeMeta: { own: "x" }, Failover: { Targets: [{ Pear: "b" }] } } },
    });
  });
  test("has a hint what to do, for an image without a version", () =>
    expect(said(`${QUERY}image: hashicorp/consul:latest\n`)[0]?.hint).toMatch(
      /^known here: peer, datacenter; or, if hashicorp\/consul:latest is newer than Consul 1.22, add its version/,
    ));
});

describe("each agent counts by its own image:", () => {
  const NEWER = '{ name: s1, image: "hashicorp/consul:2.0.1" }';
  const servers = (list: string) => FOUR_HOSTS.replace("[s1, s2, s3]", `[${list}]`);
  const codes = (text: string) => saidOf(clusterFile(text)).map(({ code }) => code);

  test("a kind is an error as long as one server is not newer, because it can be the leader", () => {
    expect(codes(`${servers(`${NEWER}, s2, s3`)}${KIND}`)).toEqual(["unknown-kind"]);
  });
  test("a kind needs no newer client agents", () => {
    const all = ["s1", "s2", "s3"].map((name) => NEWER.replace("s1", name)).join(", ");
    expect(codes(`${servers(all)}${KIND}`)).toEqual(["newer-kind"]);
  });
});

describe("a kind that a newer version may have", () => {
  const IMAGE = "image: hashicorp/consul:2.0.1\n";

  test("is defined as it is written", () => {
    expect(load(FOUR_HOSTS + KIND + IMAGE).definitions.config_entries).toEqual({
      "some-kind/web": { kind: "some-kind", name: "web" },
    });
  });
  test("needs a name, by which the API finds it", () => {
    const text = `${IMAGE}config_entries: [{ kind: some-kind }]\nignore: [newer-kind]\n`;
    expect(said(text).map(({ code, message }) => ({ code, message }))).toEqual([
      { code: "missing-key", message: "`name` is missing: a some-kind needs a name" },
    ]);
  });
});
