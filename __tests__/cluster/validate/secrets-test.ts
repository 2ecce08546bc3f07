import { stringify } from "yaml";
import { masked, secretIn } from "../../../consul/secret-detection";
import { clusterFile, FOUR_HOSTS, saidOf } from "../../cluster-files";

/** No message may hold it. */
const PASSWORD = "hunter2hunter2";
const PEM = `-----BEGIN EC PRIVATE KEY-----\n${PASSWORD}\n-----END EC PRIVATE KEY-----\n`;
const REMOTE = `https://u:${PASSWORD}@registry.example.com`;

const said = (part: object) => saidOf(clusterFile(FOUR_HOSTS + stringify(part)));
const secrets = (part: object) => said(part).filter(({ code }) => code === "secret-in-config");
/** What is named: the beginning of the message. */
const named = (part: object) => secrets(part).map(({ message }) => message.replace(/ (is|holds) .*/, ""));

const CASES: [string, object, place: string, hint: string][] = [
  ["a registry's URL", { registries: [REMOTE] }, "registries[0]", "docker login"],
  [
    "a registry without a scheme",
    { registries: [`u:${PASSWORD}@registry.example.com`] },
    "registries[0]",
    "docker login",
  ],
  [
    "an option of a log driver",
    { log: { driver: "splunk", options: { "splunk-token": PASSWORD } } },
    "log.options.splunk-token",
    "/etc/docker/daemon.json",
  ],
  [
    "a log driver's URL",
    { log: { driver: "loki", options: { "loki-url": REMOTE } } },
    "log.options.loki-url",
    "/etc/docker/daemon.json",
  ],
  ["a label", { labels: { db_password: PASSWORD } }, "labels.db_password", "from a file on the host"],
  [
    "a label of several words",
    { labels: { "com.example.db-password": PASSWORD } },
    "labels.com.example.db-password",
    "from a file on the host",
  ],
  ["a label's URL", { labels: { home: REMOTE } }, "labels.home", "from a file on the host"],
  ["a check's URL", { checks: [{ name: "a", interval: "5s", http: REMOTE }] }, "checks[0].http", "with `ttl`"],
  [
    "a check's query",
    { checks: [{ name: "a", interval: "5s", http: `http://x/?a=b&access_token=${PASSWORD}` }] },
    "checks[0].http",
    "with `ttl`",
  ],
  [
    "a check of a service",
    { services: [{ name: "a" }, { name: "b", check: { interval: "5s", http: REMOTE } }] },
    "services[1].check.http",
    "with `ttl`",
  ],
  [
    "a check's program",
    {
      config: { enable_local_script_checks: true },
      checks: [{ name: "a", interval: "5s", args: ["/bin/check", `--password=${PASSWORD}`] }],
    },
    "checks[0].args[1]",
    "with `ttl`",
  ],
  [
    "a check's credentials",
    { checks: [{ name: "a", ttl: "5s", notes: `Authorization: Bearer ${PASSWORD}` }] },
    "checks[0].notes",
    "with `ttl`",
  ],
  [
    "a cloud's key, to join",
    { config: { retry_join_wan: [`provider=aws tag_key=a secret_access_key=${PASSWORD}`] } },
    "config.retry_join_wan[0]",
    "-config-file=",
  ],
  [
    "the same where agents join",
    { config: { retry_join: [`provider=aliyun access_key_secret=${PASSWORD}`] } },
    "config.retry_join[0]",
    "-config-file=",
  ],
  ["the same in the file's own place", { join: [`provider=os password=${PASSWORD}`] }, "join[0]", "remove it"],
  [
    "the same in a flag",
    { flags: [`-retry-join-wan=provider=softlayer api_key=${PASSWORD}`] },
    "flags[0]",
    "-config-file=",
  ],
  [
    "a header of the UI's proxy",
    { config: { ui_config: { metrics_proxy: { add_headers: [{ name: "Authorization", value: PASSWORD }] } } } },
    "config.ui_config.metrics_proxy.add_headers[0].value",
    "-config-file=",
  ],
  ["a private key in the configuration", { config: { x: { y: [PEM] } } }, "config.x.y[0]", "-config-file="],
  ["a private key among keys", { kv: { "app/tls": PEM } }, "kv.app/tls", "consul kv put"],
  ["a private key in a label", { labels: { tls: PEM } }, "labels.tls", "from a file on the host"],
  ["a URL among keys", { kv: { "app/db": `postgres://app:${PASSWORD}@db/app` } }, "kv.app/db", "consul kv put"],
  [
    "a URL inside a value among keys",
    { kv: { app: { urls: [`amqp://app:${PASSWORD}@q`] } } },
    "kv.app.urls[0]",
    "consul kv put",
  ],
  [
    "a variable among keys",
    { kv: { app: [{ name: "DB_PASSWORD", value: PASSWORD }] } },
    "kv.app[0].value",
    "consul kv put",
  ],
  [
    "a config entry's URL",
    { config_entries: [{ kind: "service-defaults", name: "a", Meta: { url: REMOTE } }] },
    "config_entries[0].Meta.url",
    "consul config write",
  ],
  [
    "a flag of registrator",
    { registrator: { flags: [`-consul-token=${PASSWORD}`] } },
    "registrator.flags[0]",
    "remove it",
  ],
  [
    "the backend's URL",
    { backend: { http: { address: `https://u:${PASSWORD}@example.com/{stack}` } } },
    "http.address",
    "TF_HTTP_PASSWORD",
  ],
  [
    "the backend's query",
    { backend: { http: { address: `https://example.com/{stack}?token=${PASSWORD}` } } },
    "http.address",
    "TF_HTTP_PASSWORD",
  ],
  ["gossip's key", { config: { encrypt: PASSWORD } }, "config.encrypt", "security: on"],
  [
    "an ACL token",
    { config: { acl: { tokens: { initial_management: PASSWORD } } } },
    "config.acl.tokens.initial_management",
    "security: on",
  ],
  [
    "a token in a list",
    { config: { acl: { tokens: { managed_service_provider: [{ secret_id: PASSWORD }] } } } },
    "config.acl.tokens.managed_service_provider[0].secret_id",
    "-config-file=",
  ],
  [
    "an autopilot token",
    { config: { auto_config: { intro_token: PASSWORD } } },
    "config.auto_config.intro_token",
    "-config-file=",
  ],
  [
    "a CA's key",
    { config: { connect: { ca_config: { private_key: PASSWORD } } } },
    "config.connect.ca_config.private_key",
    "-config-file=",
  ],
  [
    "a token of telemetry",
    { config: { telemetry: { circonus_api_token: PASSWORD } } },
    "config.telemetry.circonus_api_token",
    "-config-file=",
  ],
  ["a flag", { flags: [`-encrypt=${PASSWORD}`] }, "flags[0]", "-config-file="],
  ["a flag of two hyphens", { flags: [`--encrypt=${PASSWORD}`] }, "flags[0]", "-config-file="],
  ["a flag with a space", { flags: [`-encrypt ${PASSWORD}`] }, "flags[0]", "-config-file="],
  ["a flag of the API", { flags: [`-http-api-token=${PASSWORD}`] }, "flags[0]", "-config-file="],
];

describe.each(CASES)("%s", (_, part, place, hint) => {
  test("is refused where it holds a secret", () => expect(named(part)).toEqual([place]));
  test("has a hint for its kind", () =>
    expect(secrets(part).map((one) => one.hint)).toEqual([expect.stringContaining(hint)]));
  test("is not printed", () => expect(JSON.stringify(said(part))).not.toContain(PASSWORD));
});

test("an agent's own settings are looked at too, and named as the cluster's are", () => {
  const own = FOUR_HOSTS.replace("[c1]", `[{ name: c1, labels: { token: ${PASSWORD} } }]`);
  expect(saidOf(clusterFile(own))).toMatchObject([
    { code: "secret-in-config", place: "6:40", message: expect.stringMatching(/^labels\.token is/) },
  ]);
});

describe("is not taken for a secret:", () => {
  test.each<[string, object]>([
    ["a policy of passwords", { labels: { password_policy: "strict" } }],
    ["a label that says whether", { labels: { "app.require-password": "true", uses_token: "no" } }],
    ["a method's name in a label", { labels: { encrypt: "aes", credentials: "ldap" } }],
    ["a place for a secret", { labels: { db_password: "${DB_PASSWORD}", api_token: "<token>" } }],
    ["a URL with a port, and an @ in its path", { labels: { home: "http://h:8/a@b" } }],
    ["an innocent value among secrets", { kv: { "secrets/app/name": "shop", "secrets/policy": "strict" } }],
    [
      "a template among keys",
      { kv: { db: "postgres://app:${DB_PASSWORD}@db/app", hook: "https://x/?token={{ token }}" } },
    ],
    ["a user without a password", { kv: { db: "postgres://app@db/app" } }],
    ["a certificate", { kv: { ca: "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n" } }],
    [
      "an option of a log driver",
      {
        log: { driver: "splunk", options: { tag: "{{.Name}}", labels: "token,password", "splunk-capath": "/ca.pem" } },
      },
    ],
    [
      "a cloud that has its key elsewhere",
      { config: { retry_join_wan: ["provider=aws tag_key=a tag_value=b access_key_id=c", "10.0.9.9"] } },
    ],
    [
      "another header",
      { config: { ui_config: { metrics_proxy: { add_headers: [{ name: "X-Scope", value: "a" }] } } } },
    ],
    ["a registry", { registries: ["registry.example.com:5000", "https://registry.example.com"] }],
    ["a path", { config: { telemetry: { x_key_file: "/consul/tls/key.pem" } } }],
    [
      "a switch",
      { config: { acl: { enabled: false, enable_token_persistence: true, enable_token_replication: true } } },
    ],
    ["a switch of gossip's encryption", { config: { encrypt_verify_incoming: true } }],
    ["a key of JavaScript's", { config: { toString: "x" } }],
    ["a file that a flag names", { flags: ["-config-file=/x", "-log-json", "-node-meta=rack:a"] }],
    ["a check's query", { checks: [{ name: "a", interval: "5s", http: "http://x/?verbose=1&key=a" }] }],
  ])("%s", (_, part) => expect(named(part)).toEqual([]));
});

describe("a value that is refused for its form is not printed with its secret", () => {
  test.each<[string, object]>([
    ["a mirror", { mirror: `u:${PASSWORD}@registry.example.com` }],
    ["a mirror's URL", { mirror: REMOTE }],
    ["a mirror that is cut short", { mirror: `https://u:${PASSWORD.repeat(20)}@registry.example.com` }],
    ["an image", { image: `u:${PASSWORD}@registry.example.com/consul` }],
    ["a number that is a secret", { labels: { db_password: 20190127 } }],
    ["a list", { config: [{ acl: { tokens: { agent: PASSWORD } } }] }],
    ["a flag", { flags: [`-encrypt=${PASSWORD}\n`] }],
  ])("%s", (_, part) => {
    expect(said(part).map(({ code }) => code)).toEqual(["invalid-value"]);
    expect(JSON.stringify(said(part))).not.toMatch(/hunter2|20190127/);
  });
  test("but a digest is shown", () =>
    expect(said({ image: "Consul:1@sha256:abc" })[0]?.message).toContain('"Consul:1@sha256:abc"'));
});

test("in messages a secret is masked, and nothing else", () => {
  expect(masked(`see https://u:${PASSWORD}@x/?token=${PASSWORD}&a=b, image a/b:1@sha256:0, npm_config=x`)).toBe(
    "see https://u:***@x/?token=***&a=b, image a/b:1@sha256:0, npm_config=x",
  );
});

test.each([
  ["a long word", "a".repeat(1_000_000)],
  ["many URLs", "x://a:".repeat(200_000)],
  ["many queries", `://${"?a".repeat(500_000)}`],
  ["many hyphens", `-a ${"a-".repeat(500_000)}`],
  ["many beginnings of keys", "-----BEGIN A ".repeat(80_000)],
])("%s is looked at in time that grows with its length", (_, text) => {
  const before = performance.now();
  expect(secretIn(text)).toBeUndefined();
  expect(performance.now() - before).toBeLessThan(2000);
});
