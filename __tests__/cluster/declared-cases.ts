import type { ProblemCode } from "../../cluster/catalogue";
import { FOUR_HOSTS } from "../cluster-files";

export interface ProblemCase {
  readonly code: ProblemCode;
  readonly when: string;
  /** A cluster file, with ▶ at each place that is to be named. */
  readonly file: string;
  /** Part of the hint. */
  readonly hint: string | RegExp;
}

const SECURED = FOUR_HOSTS.replace("security: off", "security: on");
/** One service, or one check of the node, on every agent: as YAML's flow style has it. */
const service = (inner: string, file = FOUR_HOSTS) => `${file}services: [${inner}]\n`;
const check = (inner: string, file = FOUR_HOSTS) => service(`{ name: web, check: ${inner} }`, file);
const nodeCheck = (inner: string) => `${FOUR_HOSTS}checks: [${inner}]\n`;
const TTL = "ttl: 30s";

/** What can be wrong with services, checks, and what else a cluster file declares. */
export const DECLARED: readonly ProblemCase[] = [
  { code: "missing-key", when: "a service has no name", file: service("▶{ port: 80 }"), hint: "add `name:`" },
  {
    code: "invalid-value",
    when: "a service's port is too big",
    file: service("{ name: web, port: ▶70000 }"),
    hint: "from 1 to 65535",
  },
  {
    code: "invalid-value",
    when: "a service has a port and several",
    file: service("{ name: web, port: ▶80, ports: [{ name: a, port: 81 }] }"),
    hint: "keep one",
  },
  {
    code: "invalid-address",
    when: "a tagged address is of another family",
    file: service("{ name: web, tagged_addresses: { lan_ipv4: { address: ▶'::1' }, other: { address: host } } }"),
    hint: "another name than lan_ipv4",
  },
  {
    code: "service-name",
    when: "DNS cannot serve a service's name",
    file: service("{ name: ▶web_shop }"),
    hint: "ignore: [service-name]",
  },
  {
    code: "invalid-name",
    when: "no token can be for a service's name",
    file: service("{ name: ▶Web }", SECURED),
    hint: "lower-case letters, digits, hyphens and underscores",
  },
  {
    code: "duplicate-service",
    when: "two services of an agent have one id",
    file: FOUR_HOSTS.replace("[c1]", "[{ name: c1, services: [▶{ name: web, id: a }] }]").concat(
      "services: [{ name: a }]\n",
    ),
    hint: "another `id:`",
  },
  {
    code: "duplicate-service",
    when: "two checks of an agent have one id",
    file: `${service(`{ name: web, check: { id: x, ${TTL} } }`)}checks: [▶{ name: x, ${TTL} }]\n`,
    hint: "another `id:`",
  },
  {
    code: "check-kind",
    when: "a check looks at nothing",
    file: check("▶{ interval: 10s }"),
    hint: "give it one of http, tcp, udp",
  },
  {
    code: "check-kind",
    when: "a check runs nothing in a container",
    file: check("▶{ docker_container_id: shop, interval: 10s }"),
    hint: "add `args:`",
  },
  {
    code: "check-kind",
    when: "a check looks at two things",
    file: check("{ http: 'http://x', ▶tcp: 'x:1', interval: 10s }"),
    hint: "two checks",
  },
  {
    code: "check-kind",
    when: "a check is by ttl and looks itself",
    file: check(`{ ${TTL}, ▶interval: 10s }`),
    hint: "remove `interval`",
  },
  {
    code: "check-kind",
    when: "an alias looks itself",
    file: nodeCheck("{ name: x, alias_service: web, ▶interval: 10s }"),
    hint: "remove `interval`",
  },
  {
    code: "missing-key",
    when: "a check does not say how often",
    file: check("▶{ tcp: 'x:1' }"),
    hint: "add `interval: 10s`",
  },
  { code: "missing-key", when: "a node's check has no name", file: nodeCheck(`▶{ ${TTL} }`), hint: "add `name:`" },
  {
    code: "invalid-value",
    when: "an interval is none",
    file: check("{ tcp: 'x:1', interval: ▶10 }"),
    hint: "200ms, 10s, 1m30s",
  },
  { code: "invalid-value", when: "a ttl is nothing", file: check("{ ttl: ▶0s }"), hint: "a number above 0" },
  {
    code: "invalid-value",
    when: "a status is none",
    file: check(`{ ${TTL}, status: ▶ok }`),
    hint: "use one of passing, warning, critical",
  },
  {
    code: "unknown-consul-key",
    when: "a check's key is misspelt",
    file: check(`{ ${TTL}, ▶notess: x }`),
    hint: "ignore: [unknown-consul-key]",
  },
  {
    code: "unknown-consul-key",
    when: "a service's key is misspelt in the HTTP API's spelling",
    file: service("{ name: web, ▶EnableTagsOverride: true }"),
    hint: "fix it",
  },
  {
    code: "undeclared-service",
    when: "a check is of a service that is not declared",
    file: `${service("{ name: web }")}checks: [{ name: x, service_id: ▶wbe, ${TTL} }]\n`,
    hint: "declare it",
  },
  {
    code: "script-checks-disabled",
    when: "a check runs a program where none may run",
    file: check("{ ▶args: [/bin/true], interval: 10s }", SECURED),
    hint: "enable_local_script_checks: true",
  },
  {
    code: "secret-in-config",
    when: "a service has a token",
    file: service("{ name: web, token: ▶abc }"),
    hint: "remove it",
  },
  {
    code: "secret-in-config",
    when: "a check sends credentials",
    file: check("{ http: 'http://x', interval: 10s, header: { Authorization: [▶Bearer abc] } }"),
    hint: "remove it",
  },
  {
    code: "too-much",
    when: "an agent's services are more than a deploy can hand over",
    file: FOUR_HOSTS.replace("[c1]", `[▶{ name: c1, services: [{ name: web, meta: { a: ${"x".repeat(100_000)} } }] }]`),
    hint: "register themselves",
  },
  {
    code: "duplicate-volume",
    when: "an agent's data is where its services are",
    file: FOUR_HOSTS.replace("[c1]", "[{ name: c1, data: ▶c1-declared }]"),
    hint: "another `data:`",
  },
  {
    code: "invalid-value",
    when: "a key begins with a slash",
    file: `${FOUR_HOSTS}kv: { ▶/app: x }\n`,
    hint: "does not begin with a slash",
  },
  ...["▶''", "▶a//b", "▶../acl/token/self", "▶a/../../acl", "▶a/..", "▶./a", "▶a/."].map((key) => ({
    code: "invalid-value" as const,
    when: `a key is ${key.slice(1)}, which would be asked for as another`,
    file: `${FOUR_HOSTS}kv: { ${key}: x }\n`,
    hint: /neither `\/\/` nor a segment|write something here/,
  })),
  {
    code: "invalid-value",
    when: "a key has no value",
    file: `${FOUR_HOSTS}kv: { ▶n: null, a: { b: null } }\n`,
    hint: "remove the key",
  },
  {
    code: "invalid-value",
    when: "intentions name no caller",
    file: `${FOUR_HOSTS}intentions: { shop: ▶{}, web: { api: allow } }\n`,
    hint: "name one",
  },
  {
    code: "reserved-key",
    when: "a key is the product's own",
    file: `${FOUR_HOSTS}kv: { ▶consul-cdktf/replacing: s1 }\n`,
    hint: "another key",
  },
  {
    code: "secret-in-config",
    when: "a key is a secret's",
    file: `${FOUR_HOSTS}kv: { app/db/password: ▶x }\n`,
    hint: "remove it",
  },
  {
    code: "unknown-kind",
    when: "a config entry's kind is misspelt",
    file: `${FOUR_HOSTS}config_entries: [{ kind: ▶service-default, name: web }]\n`,
    hint: "service-defaults",
  },
  {
    code: "newer-kind",
    when: "a config entry's kind is unknown, and the servers' Consul is newer than what is known",
    file: `${FOUR_HOSTS}image: hashicorp/consul:2.0.1\nconfig_entries: [{ kind: ▶service-default, name: web }]\n`,
    hint: "ignore: [newer-kind]",
  },
  {
    code: "missing-key",
    when: "a config entry has no name",
    file: `${FOUR_HOSTS}config_entries: [▶{ kind: service-defaults }, { kind: mesh }]\n`,
    hint: "add `name:`",
  },
  {
    code: "secret-in-config",
    when: "a config entry holds a key",
    file: `${FOUR_HOSTS}config_entries: [{ kind: inline-certificate, name: a, PrivateKey: ▶x }]\n`,
    hint: "remove it",
  },
  {
    code: "duplicate-definition",
    when: "intentions are written twice",
    file: `${FOUR_HOSTS}config_entries: [{ kind: service-intentions, name: web }]\nintentions: { web: ▶{ api: allow } }\n`,
    hint: "merge them into one",
  },
  {
    code: "duplicate-definition",
    when: "two prepared queries have one name",
    file: `${FOUR_HOSTS}prepared_queries: [{ name: a, service: { service: web } }, ▶{ name: a, service: { service: api } }]\n`,
    hint: "merge them into one",
  },
  {
    code: "missing-key",
    when: "a prepared query has no name, and is no template",
    file: `${FOUR_HOSTS}prepared_queries: [▶{ service: { service: web } }]\n`,
    hint: "add `name:`",
  },
  {
    code: "unknown-key",
    when: "a prepared query's key is of the HTTP API's spelling",
    file: `${FOUR_HOSTS}prepared_queries: [{ name: a, service: { service: web, ▶OnlyPassing: true } }]\n`,
    hint: "known here: service, only_passing",
  },
  {
    code: "invalid-value",
    when: "an intention is neither",
    file: `${FOUR_HOSTS}intentions: { web: { api: ▶maybe } }\n`,
    hint: "allow or deny",
  },
  {
    code: "too-much",
    when: "keys are more than a deploy can hand over",
    file: `▶${FOUR_HOSTS}kv: { a: ${"x".repeat(100_000)} }\n`,
    hint: "large values",
  },
];
