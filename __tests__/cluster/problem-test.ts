import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { areas, catalogue } from "../../cluster/catalogue";
import { defineCluster } from "../../cluster/define";
import { loadCluster } from "../../cluster/file/load";
import { ClusterError, problem } from "../../cluster/problem";
import { BRIDGE, clusterFile, FOUR_HOSTS, folder, HEAD, marked, saidOf } from "../cluster-files";
import { DECLARED, type ProblemCase } from "./declared-cases";

const ANCHORS = Array.from(
  { length: 9 },
  (_, level) =>
    `    a${level}: &a${level} [${Array(9)
      .fill(level === 0 ? "lol" : `*a${level - 1}`)
      .join(", ")}]`,
).join("\n");
const hosts = (count: number) =>
  Array.from({ length: count }, (_, index) => `  h${index}: 10.1.0.${index + 1}`).join("\n");

const CASES: ProblemCase[] = [
  // The file itself
  { code: "file-empty", when: "nothing is in it", file: "▶", hint: "docs/cluster-file.md" },
  {
    code: "file-empty",
    when: "only comments are in it",
    file: "▶# name: c\n# servers: []\n",
    hint: "docs/cluster-file.md",
  },
  { code: "file-empty", when: "it says null", file: "▶null\n", hint: "docs/cluster-file.md" },
  {
    code: "yaml-syntax",
    when: "a bracket is left open",
    file: `${FOUR_HOSTS}images: [a\n▶`,
    hint: "fix the YAML there",
  },
  { code: "yaml-syntax", when: "a key is given twice", file: `${FOUR_HOSTS}▶name: d\n`, hint: "a duplicate key" },
  { code: "yaml-syntax", when: "a tab indents", file: `${HEAD}hosts:\n▶\ts1: 10.0.0.1\n`, hint: "indentation" },
  {
    code: "yaml-syntax",
    when: "it has a second document",
    file: `${FOUR_HOSTS}▶---\nname: d\n`,
    hint: "keep one cluster in each file",
  },
  {
    code: "yaml-syntax",
    when: "it nests without end",
    file: `${FOUR_HOSTS}config: { a: ${"[".repeat(98)}▶[${"]".repeat(99)} }\n`,
    hint: "brackets",
  },
  {
    code: "yaml-syntax",
    when: "its brackets would be too many for Node.js's stack",
    file: `${FOUR_HOSTS}config: { a: ${"[".repeat(98)}▶${"[".repeat(20_000)}${"]".repeat(20_098)} }\n`,
    hint: "brackets",
  },
  {
    code: "yaml-syntax",
    when: "its lists would be",
    file: `${FOUR_HOSTS}images:\n${"- ".repeat(99)}▶${"- ".repeat(20_000)}a\n`,
    hint: "indentation",
  },
  {
    code: "yaml-aliases",
    when: "aliases multiply (billion laughs)",
    file: `▶${FOUR_HOSTS}config:\n  x:\n${ANCHORS}\n`,
    hint: "use fewer aliases",
  },
  {
    code: "yaml-aliases",
    when: "an alias stands for nothing",
    file: `${FOUR_HOSTS}config: ▶*nobody\n`,
    hint: "&nobody before it",
  },
  {
    code: "yaml-aliases",
    when: "an alias stands for what it is in",
    file: `${FOUR_HOSTS}config: &all { x: [▶*all] }\n`,
    hint: "write the value out",
  },
  // Its form
  {
    code: "unknown-key",
    when: "a key is misspelt",
    file: `${FOUR_HOSTS}▶sevrers: [s1]\n`,
    hint: "known here: name, datacenter",
  },
  {
    code: "unknown-key",
    when: "a port is misspelt",
    file: `${FOUR_HOSTS}ports: { ▶htpp: 80 }\n`,
    hint: "known here: dns, http",
  },
  {
    code: "unknown-key",
    when: "a key of JavaScript's is used",
    file: `${FOUR_HOSTS}config: { ▶__proto__: { a: 1 } }\n`,
    hint: "remove it",
  },
  {
    code: "unknown-key",
    when: "a key is an inherited one of JavaScript's",
    file: `${FOUR_HOSTS}▶constructor: { a: 1 }\n`,
    hint: "known here: name",
  },
  {
    code: "unknown-key",
    when: "a mapping is merged, as YAML 1.1 has it",
    file: `${FOUR_HOSTS.replace("[c1]", "[{ name: c1, config: &x { a: 1 } }]")}config: { ▶<<: *x }\n`,
    hint: "write the settings out",
  },
  {
    code: "renamed-key",
    when: "the cluster has keys of earlier files",
    file: `${FOUR_HOSTS}▶wait: 60\n▶clients_at_a_time: 2\n▶client: 127.0.0.1\n▶accept: [open-http]\n`,
    hint: "write `ready_timeout` instead",
  },
  ...Object.entries({
    wait: ["60", "ready_timeout"],
    client: ["0.0.0.0", "client_addr"],
    bind: ["10.0.0.4", "bind_addr"],
    advertise: ["10.0.0.4", "advertise_addr"],
  }).map(([key, [value, name]]) => ({
    code: "renamed-key" as const,
    when: `an agent has the earlier key ${key}`,
    file: FOUR_HOSTS.replace("[c1]", `[{ name: c1, ▶${key}: ${value} }]`),
    hint: `write \`${name}\` instead`,
  })),
  ...Object.entries({ accept: "permissive", use: "outgoing", require: "strict" }).map(([stage, name]) => ({
    code: "renamed-key" as const,
    when: `the earlier stage ${stage} is set`,
    file: FOUR_HOSTS.replace("security: off", `security: { stage: ▶${stage} }`),
    hint: `write \`stage: ${name}\` instead`,
  })),
  {
    code: "missing-key",
    when: "there are no hosts",
    file: "▶name: c\nsecurity: off\nservers: [s1]\n",
    hint: "add `hosts:`",
  },
  {
    code: "missing-key",
    when: "a host has no daemon",
    file: "name: c\nsecurity: off\nhosts:\n  s1: ▶10.0.0.1\nservers: [s1]\n",
    hint: "daemon: ssh://root@{address}",
  },
  {
    code: "missing-key",
    when: "an agent has no name",
    file: `${HEAD}hosts: { s1: 10.0.0.1 }\nservers: [▶{ host: s1 }]\n`,
    hint: "add `name:`",
  },
  {
    code: "invalid-value",
    when: "a port is too big",
    file: `${FOUR_HOSTS}ports: { http: ▶65536 }\n`,
    hint: "from 1 to 65535",
  },
  {
    code: "invalid-value",
    when: "a daemon is no URL",
    file: FOUR_HOSTS.replace("ssh:", "▶http:"),
    hint: "ssh://[user@]host[:port]",
  },
  {
    code: "invalid-value",
    when: "a daemon's placeholder is misspelt",
    file: FOUR_HOSTS.replace("ssh://root@{address}", '▶"ssh://root@{adress}"'),
    hint: "use {address} or {host}",
  },
  {
    code: "invalid-value",
    when: "the placeholder of one host's daemon is left open",
    file: FOUR_HOSTS.replace("10.0.0.4", '{ address: 10.0.0.4, daemon: { url: ▶"ssh://{host" } }'),
    hint: "use {address} or {host}",
  },
  {
    code: "invalid-value",
    when: "a daemon's host would be an option of ssh's",
    file: FOUR_HOSTS.replace("10.0.0.4", "{ address: 10.0.0.4, daemon: ▶ssh://-oProxyCommand=id }"),
    hint: "ssh://[user@]host[:port]",
  },
  {
    code: "invalid-value",
    when: "a daemon's user would be one",
    file: FOUR_HOSTS.replace("10.0.0.4", '{ address: 10.0.0.4, daemon: ▶"ssh://-l@10.0.0.4" }'),
    hint: "ssh://[user@]host[:port]",
  },
  {
    code: "invalid-value",
    when: "a daemon's host would be one behind its user",
    file: FOUR_HOSTS.replace("10.0.0.4", '{ address: 10.0.0.4, daemon: ▶"ssh://root@-l" }'),
    hint: "ssh://[user@]host[:port]",
  },
  {
    code: "invalid-value",
    when: "a list is empty",
    file: FOUR_HOSTS.replace("clients: [c1]", "▶clients:"),
    hint: /^delete the line, or list/,
  },
  {
    code: "invalid-value",
    when: "a list that is needed is empty",
    file: FOUR_HOSTS.replace("servers: [s1, s2, s3]", "▶servers:"),
    hint: /^list/,
  },
  {
    code: "invalid-value",
    when: "a mapping is empty",
    file: `${FOUR_HOSTS}▶labels:\n`,
    hint: /^delete the line, or write something/,
  },
  {
    code: "invalid-value",
    when: "an item of a list is empty",
    file: FOUR_HOSTS.replace("[s1,", "[▶~, s1,"),
    hint: "delete the line",
  },
  {
    code: "invalid-value",
    when: "backups are on with nothing said",
    file: `${FOUR_HOSTS}▶backups:\n`,
    hint: "write {} for the defaults",
  },
  {
    code: "invalid-value",
    when: "a mapping is where a list belongs",
    file: `${FOUR_HOSTS}services: ▶{ name: web }\n`,
    hint: "write a list: [",
  },
  {
    code: "invalid-value",
    when: "a list is where a mapping belongs",
    file: `${FOUR_HOSTS}labels: ▶[a]\n`,
    hint: "write a mapping: {",
  },
  {
    code: "invalid-value",
    when: "a number is where text belongs",
    file: `${FOUR_HOSTS}labels: { a: ▶1 }\n`,
    hint: "in quotes",
  },
  {
    code: "invalid-value",
    when: "text is where a number belongs",
    file: `${FOUR_HOSTS}ready_timeout: ▶long\n`,
    hint: "use a number",
  },
  { code: "invalid-value", when: "a wait is none", file: `${FOUR_HOSTS}ready_timeout: ▶0\n`, hint: /^use at least 1$/ },
  {
    code: "invalid-value",
    when: "half a second is waited for",
    file: `${FOUR_HOSTS}ready_timeout: ▶0.5\n`,
    hint: "use a whole number",
  },
  {
    code: "invalid-value",
    when: "no client may be replaced",
    file: `${FOUR_HOSTS}max_parallel_clients: ▶0\n`,
    hint: /^use at least 1$/,
  },
  {
    code: "invalid-value",
    when: "there is no CPU",
    file: `${FOUR_HOSTS}resources: { cpus: ▶0 }\n`,
    hint: /^use more than 0$/,
  },
  {
    code: "invalid-value",
    when: "CPUs are no numbers",
    file: `${FOUR_HOSTS}resources: { cpuset: ▶all }\n`,
    hint: "with commas between them: 0-1,3",
  },
  { code: "invalid-value", when: "a switch is a word", file: `${FOUR_HOSTS}ui: ▶yes\n`, hint: "use true or false" },
  {
    code: "invalid-value",
    when: "a number has no end",
    file: `${FOUR_HOSTS}config: { a: ▶.inf }\n`,
    hint: "use text, a number",
  },
  {
    code: "invalid-value",
    when: "an image is upper-case",
    file: `${FOUR_HOSTS}image: ▶Consul\n`,
    hint: "[registry/]name[:tag]",
  },
  {
    code: "invalid-value",
    when: "there is no backend of that name",
    file: `${FOUR_HOSTS}backend: ▶{}\n`,
    hint: "use one of local, s3",
  },
  { code: "invalid-value", when: "it is a list", file: "▶- name: c\n", hint: "docs/cluster-file.md" },
  {
    code: "invalid-value",
    when: "it publishes a port that is off",
    file: `${BRIDGE}servers: [{ name: s1, host: local, publish: { https: ▶8501 } }]\n`,
    hint: "ports: { https: 8501 }",
  },
  // Backups
  {
    code: "unknown-key",
    when: "a key of its backups is misspelt",
    file: `${FOUR_HOSTS}backups: { ▶evry: 1h }\n`,
    hint: "known here: every, keep, to, image",
  },
  {
    code: "invalid-value",
    when: "backups are made every so many days, which Go does not write",
    file: `${FOUR_HOSTS}backups: { every: ▶1d }\n`,
    hint: "1h, 30m, 1h30m",
  },
  {
    code: "invalid-value",
    when: "backups are made all the time",
    file: `${FOUR_HOSTS}backups: { every: ▶0s }\n`,
    hint: "above 0",
  },
  {
    code: "invalid-value",
    when: "no backup is kept",
    file: `${FOUR_HOSTS}backups: { keep: ▶0 }\n`,
    hint: /^use at least 1$/,
  },
  {
    code: "invalid-value",
    when: "backups go to the whole disk",
    file: `${FOUR_HOSTS}backups: { to: ▶/ }\n`,
    hint: "an absolute folder other than /",
  },
  {
    code: "duplicate-volume",
    when: "backups go where a server's data is",
    file: `${FOUR_HOSTS}backups: { to: ▶s2-data }\n`,
    hint: "choose another volume",
  },
  {
    code: "duplicate-volume",
    when: "an agent's data is where backups go",
    file: `${FOUR_HOSTS.replace("[s1,", "[{ name: s1, data: ▶s1-backups },")}backups: {}\n`,
    hint: "another `data:`",
  },
  {
    code: "duplicate-container",
    when: "an agent is called as a server's backups are",
    file: `${FOUR_HOSTS.replace("[c1]", "[{ name: c1, host: s1, container: ▶s1-backups, ports: { dns: 1, http: 2, serf_lan: 3 } }]")}backups: {}\n`,
    hint: "another `container:`",
  },
  {
    code: "invalid-value",
    when: "a bridged server's API is its container's alone, and its backups are made from another",
    file: `${BRIDGE}servers: [{ name: s1, host: local, client_addr: ▶127.0.0.1 }]\nbackups: {}\n`,
    hint: "remove `client_addr`",
  },
  {
    code: "invalid-value",
    when: "a bridged server with security has no HTTPS for its backups",
    file: `${BRIDGE.replace("security: off", "security: on")}servers: [{ name: s1, host: local, ports: { https: ▶-1 } }]\nbackups: {}\n`,
    hint: "remove `ports.https`",
  },
  {
    code: "invalid-name",
    when: "a token has the name of the backups'",
    file: `${FOUR_HOSTS.replace("security: off", "security: { policies: { a: 'key \"a\" {}' }, tokens: { ▶backups: { policies: [a] } } }")}backups: {}\n`,
    hint: "another name",
  },
  {
    code: "colliding-ids",
    when: "a further image would have the id of the backups'",
    file: `${FOUR_HOSTS}images: [▶backups]\nbackups: { image: hashicorp/consul:1.22.1 }\n`,
    hint: "by its digest",
  },
  {
    code: "image-by-tag",
    when: "the backups' image is not pinned",
    file: `${FOUR_HOSTS.replace("security: off", "security: on")}backups: { image: ▶hashicorp/consul:1.22.1 }\n`,
    hint: "pin it: image: hashicorp/consul:1.22.1@sha256:",
  },
  ...DECLARED,
  // Security
  {
    code: "invalid-value",
    when: "security is a word that means nothing",
    file: FOUR_HOSTS.replace("security: off", "security: ▶strict"),
    hint: "on, off, or a mapping",
  },
  {
    code: "invalid-value",
    when: "its stage is none",
    file: FOUR_HOSTS.replace("security: off", "security: { stage: ▶full }"),
    hint: "use one of permissive, outgoing, strict",
  },
  {
    code: "invalid-value",
    when: "its secrets are in the home folder, which is another for everybody",
    file: FOUR_HOSTS.replace("security: off", "security: { secrets: ▶~/consul }"),
    hint: "relative to the project, or absolute",
  },
  {
    code: "invalid-value",
    when: "a secured agent's plain HTTP is published",
    file: `${BRIDGE.replace("security: off", "security: on")}servers: [{ name: s1, host: local, publish: { http: ▶8501 } }]\n`,
    hint: "publish `https`",
  },
  {
    code: "invalid-name",
    when: "a token has the name of the product's own",
    file: FOUR_HOSTS.replace("security: off", "security: { tokens: { ▶dns: {} } }"),
    hint: "another name",
  },
  {
    code: "invalid-name",
    when: "a policy has the name of the product's own",
    file: FOUR_HOSTS.replace("security: off", "security: { policies: { ▶registrator: 'operator = \"read\"' } }"),
    hint: "another name",
  },
  {
    code: "unknown-policy",
    when: "a token names a policy that is not there",
    file: FOUR_HOSTS.replace(
      "security: off",
      "security: { policies: { shop: 'key \"a\" {}' }, tokens: { web: { policies: [shop, ▶shopp] } } }",
    ),
    hint: "or use one of shop, registrator, snapshots",
  },
  {
    code: "unknown-policy",
    when: "a token has no policy of its name",
    file: FOUR_HOSTS.replace("security: off", "security: { tokens: { ▶web: {} } }"),
    hint: "policies: { web:",
  },
  {
    code: "owned-setting",
    when: "what security decides is in the configuration",
    file: `${FOUR_HOSTS.replace("security: off", "security: on")}config: { acl: { ▶default_policy: allow }, tls: { defaults: { ▶verify_incoming: false } } }\n`,
    hint: "sets what is enforced",
  },
  {
    code: "script-checks",
    when: "services may run programs in a secured cluster",
    file: `${FOUR_HOSTS.replace("security: off", "security: on")}config: { ▶enable_local_script_checks: true }\n`,
    hint: "ignore: [script-checks]",
  },
  {
    code: "image-by-tag",
    when: "a secured cluster's image is named by its tag",
    file: `${FOUR_HOSTS.replace("security: off", "security: on")}image: ▶hashicorp/consul:1.22.2\n`,
    hint: "image: hashicorp/consul:1.22.2@sha256:",
  },
  // Registrator
  {
    code: "invalid-value",
    when: "registrator is a word that means nothing",
    file: `${FOUR_HOSTS}registrator: ▶yes\n`,
    hint: "on, off, or a mapping",
  },
  {
    code: "invalid-value",
    when: "registrator's resync is negative",
    file: `${FOUR_HOSTS}registrator: { resync: ▶-1 }\n`,
    hint: /^use at least 0$/,
  },
  {
    code: "invalid-value",
    when: "a tag of registrator's is two",
    file: `${FOUR_HOSTS}registrator: { tags: [▶"a,b"] }\n`,
    hint: "a tag has no comma",
  },
  {
    code: "invalid-value",
    when: "a host without an agent runs registrator",
    file: FOUR_HOSTS.replace("{ s1:", "{ spare: { address: 10.0.0.9, registrator: ▶on }, s1:"),
    hint: "put an agent on it",
  },
  {
    code: "invalid-value",
    when: "registrator would have to reach into a secured container",
    file: `${BRIDGE.replace("security: off", "security: on")}servers: [{ name: s1, host: local }]\nregistrator: ▶on\n`,
    hint: "network: host",
  },
  {
    code: "invalid-value",
    when: "registrator's cleanup undoes what deregister leaves",
    file: `${FOUR_HOSTS}registrator: { cleanup: ▶true, deregister: on-success }\n`,
    hint: "remove one of them",
  },
  {
    code: "invalid-address",
    when: "services would be registered with a name",
    file: FOUR_HOSTS.replace("10.0.0.4", "{ address: 10.0.0.4, registrator: { ip: ▶web.example.com } }"),
    hint: "clients reach the services of this host",
  },
  {
    code: "owned-setting",
    when: "a flag of registrator's has a key of its own",
    file: `${FOUR_HOSTS}registrator: { flags: [-explicit, ▶-resync 5] }\n`,
    hint: "set `resync:` instead",
  },
  {
    code: "owned-setting",
    when: "a flag of one host's registrator has a key of its own",
    file: FOUR_HOSTS.replace("10.0.0.4", "{ address: 10.0.0.4, registrator: { flags: [▶--ip=10.0.0.4] } }"),
    hint: "set `ip:` instead",
  },
  {
    code: "image-by-tag",
    when: "a secured cluster's registrator is named by its tag",
    file: `${FOUR_HOSTS.replace("security: off", "security: on")}registrator: { image: ▶gliderlabs/registrator:latest }\n`,
    hint: "image: gliderlabs/registrator:latest@sha256:",
  },
  {
    code: "duplicate-container",
    when: "an agent has registrator's container",
    file: `${FOUR_HOSTS.replace("[c1]", "[{ name: c1, container: reg }]")}registrator: { container: ▶reg }\n`,
    hint: "another `container:`",
  },
  {
    code: "colliding-ids",
    when: "an image would have registrator's id",
    file: `${FOUR_HOSTS}registrator: on\nimages: [▶registrator]\n`,
    hint: "by its digest",
  },
  // DNS
  {
    code: "invalid-address",
    when: "a recursor is a name",
    file: `${FOUR_HOSTS}dns: { recursors: [▶dns.example.com] }\n`,
    hint: "10.0.0.2:5353",
  },
  {
    code: "invalid-address",
    when: "a recursor is every address",
    file: `${FOUR_HOSTS}dns: { recursors: [10.0.0.9, ▶0.0.0.0] }\n`,
    hint: "name a DNS server",
  },
  {
    code: "invalid-address",
    when: "an agent would ask itself",
    file: `${FOUR_HOSTS.replace("[c1]", "[{ name: c1, ports: { dns: 53 }, client_addr: 0.0.0.0 }]")}ignore: [open-http]\ndns: { recursors: [▶10.0.0.4] }\n`,
    hint: "other names than Consul's",
  },
  {
    code: "invalid-address",
    when: "a bridged agent would ask its own container",
    file: `${BRIDGE}servers: [{ name: s1, host: local, dns: { recursors: [127.0.0.11, ▶127.0.0.1] } }]\n`,
    hint: "name a DNS server",
  },
  {
    code: "invalid-value",
    when: "a TTL has no unit",
    file: `${FOUR_HOSTS}dns: { service_ttl: { web: ▶5 } }\n`,
    hint: "a number and a unit",
  },
  {
    code: "owned-setting",
    when: "DNS is in `config`",
    file: `${FOUR_HOSTS}config: { ▶recursors: [10.0.0.2] }\n`,
    hint: "set `dns.recursors:` instead",
  },
  // Names and addresses
  {
    code: "invalid-name",
    when: "a server's name has capitals",
    file: FOUR_HOSTS.replace("[s1,", "[▶S1,"),
    hint: "lower-case letters",
  },
  {
    code: "invalid-name",
    when: "a host's name has a dot",
    file: FOUR_HOSTS.replace("{ s1:", "{ ▶s1.example.com:"),
    hint: "digits and hyphens",
  },
  {
    code: "invalid-name",
    when: "a container's name would be one character",
    file: FOUR_HOSTS.replace("c1:", "x:").replace("[c1]", "[▶x]"),
    hint: "two characters",
  },
  {
    code: "duplicate-name",
    when: "a client is named like a server",
    file: FOUR_HOSTS.replace(
      "[c1]",
      "[c1, ▶{ name: s1, host: c1, ports: { http: 1, dns: 2, serf_lan: 3 }, data: dd }]",
    ),
    hint: "a name of its own",
  },
  {
    code: "duplicate-name",
    when: "two agents have one node name",
    file: FOUR_HOSTS.replace("[c1]", "[{ name: c1, node: ▶s2 }]"),
    hint: "a node name of its own",
  },
  {
    code: "duplicate-container",
    when: "two containers on a daemon have one name",
    file: `${BRIDGE}servers: [{ name: s1, host: local }]\nclients: [{ name: c1, host: local, container: ▶s1, data: dd }]\n`,
    hint: "another `container:`",
  },
  {
    code: "duplicate-volume",
    when: "two agents share a folder",
    file: `${BRIDGE}servers: [{ name: s1, host: local, data: /srv }]\nclients: [{ name: c1, host: local, data: ▶/srv }]\n`,
    hint: "another `data:`",
  },
  {
    code: "colliding-ids",
    when: "two images differ in punctuation only",
    file: `${FOUR_HOSTS}images: ["a/b:1", ▶"a-b:1"]\n`,
    hint: "by its digest",
  },
  {
    code: "colliding-ids",
    when: "an image would have the id of its host",
    file: `${FOUR_HOSTS}images: [▶host]\n`,
    hint: "by its digest",
  },
  {
    code: "duplicate-address",
    when: "two hosts have one address",
    file: FOUR_HOSTS.replace("10.0.0.4", "▶10.0.0.3"),
    hint: "its own address",
  },
  {
    code: "duplicate-address",
    when: "two agents advertise one address",
    file: FOUR_HOSTS.replace("[c1]", "[{ name: c1, advertise_addr: ▶10.0.0.3 }]"),
    hint: "its own address",
  },
  {
    code: "duplicate-address",
    when: "all agents bind to one address",
    file: `${FOUR_HOSTS}bind_addr: ▶▶▶10.0.0.9\n`,
    hint: "its own address",
  },
  {
    code: "unknown-host",
    when: "an agent's host is not listed",
    file: FOUR_HOSTS.replace("[c1]", "[▶c2]"),
    hint: "list the host under `hosts:`",
  },
  {
    code: "unknown-host",
    when: "an agent's `host:` is not listed",
    file: FOUR_HOSTS.replace("[c1]", "[{ name: c1, host: ▶c11 }]"),
    hint: "set the agent's `host:`",
  },
  {
    code: "invalid-address",
    when: "a host's address is a name",
    file: FOUR_HOSTS.replace("10.0.0.4", "▶example.com"),
    hint: "an IP address by which",
  },
  {
    code: "invalid-address",
    when: "one of several hosts is at loopback",
    file: FOUR_HOSTS.replace("10.0.0.4", "▶127.0.0.1"),
    hint: "an IP address by which",
  },
  {
    code: "invalid-address",
    when: "an agent of a bridge network binds to every address and advertises none",
    file: `${BRIDGE}servers: [{ name: s1, host: local, bind_addr: ▶0.0.0.0 }]\n`,
    hint: "an IP address by which",
  },
  {
    code: "invalid-address",
    when: "a client address is a name",
    file: `${FOUR_HOSTS}client_addr: ▶localhost\n`,
    hint: "separated by spaces",
  },
  {
    code: "invalid-address",
    when: "all agents would have the client address of one host",
    file: `${FOUR_HOSTS}client_addr: ▶10.0.0.1\nignore: [open-http]\n`,
    hint: "of its own host",
  },
  {
    code: "invalid-address",
    when: "one agent has the client address of another host",
    file: `${FOUR_HOSTS.replace("[c1]", "[{ name: c1, client_addr: ▶127.0.0.1 10.0.0.1 }]")}ignore: [open-http]\n`,
    hint: "of its own host",
  },
  {
    code: "mixed-families",
    when: "one host has IPv6",
    file: FOUR_HOSTS.replace("10.0.0.4", "▶fd00::4"),
    hint: "IPv4 addresses for all hosts",
  },
  {
    code: "bridge-hosts",
    when: "a bridge is to span hosts",
    file: `${FOUR_HOSTS}network: ▶bridge\n`,
    hint: "`network: host`",
  },
  {
    code: "duplicate-daemon",
    when: "all hosts have one daemon",
    file: FOUR_HOSTS.replace("ssh://root@{address}", "unix:///var/run/docker.sock").replace(/(?<=, \w+: )10/g, "▶10"),
    hint: "`{address}`",
  },
  // Quorum
  {
    code: "no-server-left",
    when: "all are to leave",
    file: FOUR_HOSTS.replace("[s1, s2, s3]", "▶[{ name: s1, decommission: true }]"),
    hint: "npm run destroy",
  },
  {
    code: "join-nobody",
    when: "the one to join leaves",
    file: `${FOUR_HOSTS.replace("[s1, s2, s3]", "[{ name: s1, decommission: true }, s2, s3]")}ignore: [two-servers]\njoin: ▶[s1]\n`,
    hint: "name a server that stays",
  },
  {
    code: "join-nobody",
    when: "the one to join is a host where nothing runs",
    file: `${FOUR_HOSTS.replace("c1:", "s9: 10.0.0.9, c1:")}join: ▶[s9]\n`,
    hint: "ignore: [join-nobody]",
  },
  {
    code: "invalid-value",
    when: "autopilot keeps more servers than there are",
    file: `${FOUR_HOSTS}autopilot: { min_quorum: ▶4 }\n`,
    hint: "use at most 3",
  },
  {
    code: "invalid-value",
    when: "no server could ever be healthy",
    file: `${FOUR_HOSTS}autopilot: { last_contact_threshold: ▶0s }\n`,
    hint: "above 0",
  },
  {
    code: "two-servers",
    when: "there are two",
    file: FOUR_HOSTS.replace("[s1, s2, s3]", "▶[s1, s2]"),
    hint: "ignore: [two-servers]",
  },
  {
    code: "even-servers",
    when: "there are four",
    file: `${HEAD}hosts:\n${hosts(4)}\nservers: ▶[h0, h1, h2, h3]\njoin: [h0, h1]\n`,
    hint: "use 3 or 5 servers",
  },
  {
    code: "bootstrap-expect",
    when: "more are expected than there are",
    file: `${FOUR_HOSTS}bootstrap_expect: ▶4\n`,
    hint: "use at most 3",
  },
  {
    code: "bootstrap-expect",
    when: "a minority may elect",
    file: `${FOUR_HOSTS}bootstrap_expect: ▶1\n`,
    hint: "at least 2",
  },
  {
    code: "join-needed",
    when: "there are five servers and no `join`",
    file: `${HEAD}hosts:\n${hosts(5)}\nservers: ▶[h4, h3, h2, h1, h0]\n`,
    hint: "add `join: [h0, h1, h2]`",
  },
  {
    code: "unknown-join",
    when: "a name to join is misspelt",
    file: `${FOUR_HOSTS}join: [s1, ▶s22, s3]\n`,
    hint: "name a server of this file",
  },
  {
    code: "self-join",
    when: "a server has but itself to join",
    file: `${FOUR_HOSTS}join: ▶[s1]\n`,
    hint: "a further server under `join:`",
  },
  {
    code: "self-join",
    when: "a client has but itself to join",
    file: FOUR_HOSTS.replace("[c1]", "[{ name: c1, join: ▶[c1] }]"),
    hint: "a further server under `join:`",
  },
  // What runs on a host
  {
    code: "port-clash",
    when: "two agents of a host have one port",
    file: FOUR_HOSTS.replace("c1: 10.0.0.4", "h: 10.0.0.5").replace(
      "[c1]",
      "[{ name: c1, host: s1, ports: { http: ▶8600, dns: 2, serf_lan: 3 } }]",
    ),
    hint: "another port under `ports:`",
  },
  {
    code: "port-clash",
    when: "two agents publish one port",
    file: `${BRIDGE}servers: [{ name: s1, host: local, publish: { http: 80 } }]\nclients: [{ name: c1, host: local, publish: { http: ▶80 } }]\n`,
    hint: "another port under `publish:`",
  },
  {
    code: "port-clash",
    when: "a bridged agent has one port twice",
    file: `${BRIDGE}servers: [{ name: s1, host: local, ports: { http: ▶8600 } }]\n`,
    hint: "another port under `ports:`",
  },
  {
    code: "owned-setting",
    when: "`config` says what has a place of its own",
    file: `${FOUR_HOSTS}config: { ▶bind_addr: 10.0.0.1 }\n`,
    hint: "set `bind_addr:` instead",
  },
  {
    code: "owned-setting",
    when: "`config` contradicts a setting of the file",
    file: `${FOUR_HOSTS}config: { ui_config: { ▶enabled: false } }\n`,
    hint: "set `ui: false` instead",
  },
  {
    code: "no-effect",
    when: "ACLs are configured, and are off",
    file: `${FOUR_HOSTS}config: { ▶acl_down_policy: deny }\n`,
    hint: "turn security on",
  },
  {
    code: "open-grpc",
    when: "plain gRPC of a secured agent is open",
    file: FOUR_HOSTS.replace("off", "on").replace(
      "[c1]",
      "[{ name: c1, client_addr: 0.0.0.0, ports: { grpc: ▶8502 } }]",
    ),
    hint: "remove `client_addr`",
  },
  {
    code: "unreachable-metrics",
    when: "metrics are exported by plain HTTP on loopback",
    file: `${FOUR_HOSTS}metrics: on\nclient_addr: ▶127.0.0.1\n`,
    hint: "set `client_addr:",
  },
  {
    code: "unsuitable-image",
    when: "the image has another entrypoint",
    file: `${FOUR_HOSTS}image: ▶bitnami/consul:1.21.3\n`,
    hint: "use hashicorp/consul:",
  },
  {
    code: "unworkable-setting",
    when: "an agent logs to what its container does not have",
    file: `${FOUR_HOSTS}config: { ▶enable_syslog: true, ▶log_file: /var/log/consul/consul.log }\n`,
    hint: "`log:` sets how",
  },
  {
    code: "invalid-value",
    when: "a flag and its value are two words of one item",
    file: `${FOUR_HOSTS}flags: [▶-log-level debug]\n`,
    hint: "-log-level=...",
  },
  {
    code: "owned-setting",
    when: "a flag says what has a place of its own",
    file: FOUR_HOSTS.replace("[c1]", '[{ name: c1, flags: [▶"--node=x"] }]'),
    hint: "set `node:` instead",
  },
  {
    code: "owned-setting",
    when: "ports are published in the host's network",
    file: `${FOUR_HOSTS}publish: ▶{ http: 80 }\n`,
    hint: "remove `publish`",
  },
  {
    code: "secret-in-config",
    when: "the gossip key is in it",
    file: `${FOUR_HOSTS}config: { encrypt: ▶c2VjcmV0 }\n`,
    hint: "only as a file",
  },
  {
    code: "secret-in-config",
    when: "an ACL token is in it",
    file: `${FOUR_HOSTS}config: { acl: { tokens: { agent: ▶6f } } }\n`,
    hint: "only as a file",
  },
  {
    code: "secret-in-config",
    when: "a flag holds the gossip key",
    file: `${FOUR_HOSTS}flags: [▶-encrypt=c2VjcmV0]\n`,
    hint: "only as a file",
  },
  {
    code: "secret-in-config",
    when: "the backend holds a key",
    file: `${FOUR_HOSTS}backend: { s3: { bucket: b, secret_key: ▶x } }\n`,
    hint: "AWS_SECRET_ACCESS_KEY",
  },
  {
    code: "shared-state",
    when: "two stacks keep one state",
    file: `${FOUR_HOSTS.replace("10.0.0.4", "{ address: 10.0.0.4, group: edge }")}backend: { local: { path: ▶a.tfstate } }\n`,
    hint: "add {stack}",
  },
  // Exposure
  {
    code: "plain-tcp",
    when: "a host has one",
    file: FOUR_HOSTS.replace("10.0.0.4", '{ address: 10.0.0.4, daemon: ▶"tcp+insecure://10.0.0.4:2375" }'),
    hint: "ignore: [plain-tcp]",
  },
  {
    code: "open-http",
    when: "HTTP listens on every address",
    file: `${FOUR_HOSTS}client_addr: ▶0.0.0.0\n`,
    hint: "ignore: [open-http]",
  },
  {
    code: "big-group",
    when: "a stack has 26 hosts",
    file: `${HEAD}hosts:\n  ▶${hosts(26).trimStart()}\nservers: [h0]\n`,
    hint: "at most 25",
  },
];

describe.each(CASES)("$code, where $when", ({ code, file, hint }) => {
  const { text, places } = marked(file);
  const all = saidOf(clusterFile(text));
  const said = all.filter((one) => one.code === code);

  test("is said, of its exact place", () => expect(said.map(({ place }) => place)).toEqual(places));
  test("has a hint", () => expect(said[0]?.hint).toMatch(hint));
  test("has the catalogue's severity", () => expect(said[0]?.severity).toBe(catalogue[code].severity));
  if (code !== "unknown-key" && code !== "invalid-value")
    test("nothing else is said", () =>
      expect(all.filter((one) => one.code !== code).map((one) => `${one.place} ${one.code}`)).toEqual([]));
});

describe("file-unreadable", () => {
  const said = (path: string) => saidOf(path)[0];

  test("a missing file is named, with what to name instead", () => {
    expect(said(join(folder(), "none.yaml"))).toMatchObject({
      code: "file-unreadable",
      place: "1:1",
      message: /there is no such file/,
      hint: /CLUSTER=/,
    });
  });
  test("a dangling link is a missing file", () => {
    const link = join(folder(), "link.yaml");
    symlinkSync("nowhere.yaml", link);
    expect(said(link)?.message).toContain("there is no such file");
  });
  test("a directory is called one", () => {
    const directory = join(folder(), "cluster.yaml");
    mkdirSync(directory);
    expect(said(directory)?.message).toContain("it is a directory");
  });
  test("what is not UTF-8 is called so", () => {
    expect(
      said(clusterFile(Buffer.concat([Buffer.from(FOUR_HOSTS), Buffer.from([0x23, 0xff, 0xfe, 0x0a])])))?.message,
    ).toContain("it is not UTF-8 text");
  });
});

describe("file-too-big", () => {
  const padded = (bytes: number) => clusterFile(FOUR_HOSTS + "#".repeat(bytes - FOUR_HOSTS.length));

  test("4 MiB are read", () => expect(saidOf(padded(4 * 1024 * 1024))).toEqual([]));
  test("a byte more is refused, unread", () => {
    expect(saidOf(padded(4 * 1024 * 1024 + 1))).toMatchObject([
      { code: "file-too-big", place: "1:1", hint: "describe each cluster in a file of its own" },
    ]);
  });
});

test("every code of the catalogue that synth can find has a test", () => {
  const tested = new Set<string>([...CASES.map(({ code }) => code), "file-unreadable", "file-too-big"]);
  expect(Object.keys(areas.clusterFile).filter((code) => !tested.has(code))).toEqual([]);
});

test("all that is wrong is said at once", () => {
  const { text, places } = marked(
    FOUR_HOSTS.replace("10.0.0.4", "▶localhost")
      .replace("[c1]", "[▶c2]")
      .concat("bootstrap_expect: ▶9\nconfig: { ▶server: true }\n"),
  );
  const said = saidOf(clusterFile(text));
  expect(said.map(({ code }) => code).sort()).toEqual([
    "bootstrap-expect",
    "invalid-address",
    "owned-setting",
    "unknown-host",
  ]);
  expect(said.map(({ place }) => place).sort()).toEqual([...places].sort());
});

test("an error is printed as file:line:column, severity, code, the message, and on a line of its own the hint", () => {
  const file = clusterFile(`${FOUR_HOSTS}bootstrap_expect: 9\n`);
  expect(() => loadCluster(file)).toThrow(
    new ClusterError([
      problem({
        code: "bootstrap-expect",
        location: { file, line: 7, column: 19 },
        message: "bootstrap_expect is 9, but there are 3 servers: they would wait for ever",
        hint: "leave it out, or use at most 3",
      }),
    ]),
  );
});

test("a cluster in TypeScript has no file: its problems are placed by their keys", () => {
  const broken = () =>
    defineCluster({
      name: "c",
      security: "off",
      hosts: { s1: "10.0.0.1" },
      servers: [{ name: "s1", ports: { http: 0 } }],
    });
  expect(broken).toThrow(/^cluster\.servers\[0\]\.ports\.http: error invalid-value: /);
});

describe("ignore", () => {
  test.each([
    ["two-servers", FOUR_HOSTS.replace("[s1, s2, s3]", "[s1, s2]")],
    ["join-nobody", `${FOUR_HOSTS.replace("c1:", "s9: 10.0.0.9, c1:")}join: [s9]\n`],
    ["even-servers", `${HEAD}hosts:\n${hosts(4)}\nservers: [h0, h1, h2, h3]\njoin: [h0, h1]\n`],
    ["plain-tcp", FOUR_HOSTS.replace("ssh://root@{address}", "tcp+insecure://{address}:2375")],
    ["open-http", `${FOUR_HOSTS}client_addr: 0.0.0.0\n`],
    ["big-group", `${HEAD}hosts:\n${hosts(26)}\nservers: [h0]\n`],
  ])("silences %s", (code, text) => {
    expect(saidOf(clusterFile(`${text}ignore: [${code}]\n`))).toEqual([]);
  });
  test("silences nothing else", () => {
    const { text, places } = marked(`${FOUR_HOSTS}ignore: [▶self-join]\n`);
    expect(saidOf(clusterFile(text))).toMatchObject([{ code: "invalid-value", place: places[0] }]);
  });
});

test("a file in the working directory is named relative to it", () => {
  const directory = folder();
  const before = process.cwd();
  writeFileSync(join(directory, "mine.yaml"), "name: c\n");
  process.chdir(directory);
  try {
    expect(() => loadCluster(join(directory, "mine.yaml"))).toThrow(/^mine\.yaml:1:1: error /);
  } finally {
    process.chdir(before);
  }
});
