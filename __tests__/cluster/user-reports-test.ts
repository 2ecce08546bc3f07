import { readFileSync } from "node:fs";
import { join } from "node:path";
import { socketOf } from "../../cluster/resolve/daemon";
import { uiPath } from "../../consul/agent-config";
import { secondContainers } from "../../ops/deploy/second-containers";
import { containerReport } from "../../rollout/container-report";
import { REDIRECTING } from "../../rollout/environment";
import { clusterFile, load, PROJECT, saidOf } from "../cluster-files";
import { FakeDocker } from "../rollout/docker-fake";
import { stacksOf } from "../synthesized";

/** Inputs of public reports of people who run Consul in Docker, and the rest of the kind of each. */

const BASE = `name: bugs
security: off
daemon: "ssh://root@{address}"
hosts: { s1: 10.0.0.11, s2: 10.0.0.12, s3: 10.0.0.13, web1: 10.0.0.21 }
servers: [s1, s2, s3]
clients: [web1]
`;
const SECURED = BASE.replace("security: off", "security: on");
const DIGEST = `sha256:${"a".repeat(64)}`;
const IPV6 = SECURED.replace(/10\.0\.0\.(\d+)/g, '"fd00::$1"');

/** `ok`, or the codes; and all messages and hints, for a word of which a row asks. */
function judged(text: string): { codes: string; words: string } {
  const said = saidOf(clusterFile(text));
  const codes = [...new Set(said.map(({ code }) => code))].join(" ") || "ok";
  return { codes, words: said.map(({ message, hint }) => `${message} | ${hint}`).join("\n") };
}

type Row = readonly [what: string, text: string, codes: string, words?: string];

const judge = (rows: readonly Row[]): void =>
  test.each(rows.map((row) => ({ row, what: row[0] })))("$what", ({ row: [, text, codes, words = ""] }) => {
    const found = judged(text);
    expect(found.codes).toBe(codes);
    expect(found.words).toContain(words);
  });

const web1 = (settings: string, base = BASE) => base.replace("[web1]", `[{ name: web1, ${settings} }]`);
const address = (text: string) => BASE.replace("web1: 10.0.0.21", `web1: ${text}`);
const daemon = (url: string) => BASE.replace('"ssh://root@{address}"', url);
const onOneDaemon = BASE.replace(/hosts: .*/, "hosts: { h: 10.0.0.11 }").replace(
  /servers: [\s\S]*/,
  `servers:
  - { name: s1, host: h }
  - { name: s2, host: h, ports: { http: 9500, dns: 9600, serf_lan: 9301, serf_wan: 9302, server: 9300, grpc_tls: -1 } }
  - { name: s3, host: h, ports: { http: 7500, dns: 7600, serf_lan: 7301, serf_wan: 7302, server: 7300, grpc_tls: -1 } }
`,
);

describe("A. Consul's own keys and flags", () =>
  judge([
    [
      "former names of ACL keys",
      `${BASE}config: { acl_datacenter: dc1, acl_default_policy: deny, acl_down_policy: extend-cache }\n`,
      "owned-setting",
      "`security: on`",
    ],
    ["the UI turned off", `${BASE}config: { ui_config: { enabled: false } }\n`, "owned-setting", "set `ui: false`"],
    [
      "a secured secondary datacenter",
      `${SECURED}datacenter: dc2\nconfig: { primary_datacenter: dc1, retry_join_wan: [10.1.0.11] }\n`,
      "invalid-value",
      "cluster peering",
    ],
    ["two words in one flag", `${BASE}flags: ["-log-level debug"]\n`, "invalid-value", "-log-level=..."],
    [
      "the host's node ID, thrice",
      `${onOneDaemon}config: { disable_host_node_id: false }\n`,
      "invalid-value",
      "same node ID",
    ],
    ["the host's node ID, once each", `${BASE}config: { disable_host_node_id: false }\n`, "ok"],
    [
      "syslog and a log file",
      `${BASE}config: { enable_syslog: true, log_file: /var/log/consul/consul.log }\n`,
      "unworkable-setting",
      "`log:` sets how",
    ],
    ["HTTPS without certificates", `${BASE}ports: { https: 8501 }\n`, "unworkable-setting", "handshake"],
    [
      "HTTPS with certificates of one's own",
      `${BASE}ports: { https: 8501 }\nconfig: { tls: { defaults: { cert_file: /consul/data/c.pem, key_file: /consul/data/k.pem } } }\n`,
      "ok",
    ],
    [
      "HTTPS with a file of one's own",
      `${BASE}ports: { https: 8501 }\nflags: [-config-file=/consul/data/tls.json]\n`,
      "ok",
    ],
    ["HTTPS with security", `${SECURED}ports: { https: 8501 }\n`, "ok"],
    [
      "a check with `script`",
      `${BASE}checks: [{ name: a, script: /usr/local/bin/check.sh, interval: 10s }]\n`,
      "check-kind",
      "ended with Consul 1.1",
    ],
  ]));

describe("B. Addresses", () => {
  judge([
    [
      "a template beside an address",
      `${BASE}client_addr: '127.0.0.1 {{ GetInterfaceIP "docker0" }}'\nports: { dns: 53 }\nignore: [open-http]\n`,
      "ok",
    ],
    ["a template without spaces", `${BASE}client_addr: '127.0.0.1 {{GetPrivateIP}}'\nignore: [open-http]\n`, "ok"],
    [
      "a template alone, which no deploy could reach",
      `${BASE}client_addr: '{{ GetPrivateIP }}'\nignore: [open-http]\n`,
      "invalid-address",
      "add an address",
    ],
    ["half a template", `${BASE}client_addr: '127.0.0.1 {{'\nignore: [open-http]\n`, "invalid-address"],
    [
      "the host's address",
      `${BASE}client_addr: "127.0.0.1 {address}"\nbind_addr: "{address}"\nadvertise_addr: "{address}"\nignore: [open-http]\n`,
      "ok",
    ],
    ["another placeholder", `${BASE}client_addr: "{adress}"\nignore: [open-http]\n`, "invalid-address", "{address}"],
    ["every address", `${BASE}bind_addr: 0.0.0.0\n`, "ok"],
    ["every IPv6 address", `${BASE}bind_addr: "::"\n`, "ok"],
    ["ports in `join`", `${BASE}join: ["10.0.0.11:8301", "consul.example.com:8301", "10.0.0.12"]\n`, "ok"],
    ["port 0 in `join`", `${BASE}join: ["10.0.0.11:0"]\n`, "unknown-join"],
    ["a port of an IPv6 address", `${BASE}join: ["[fd00::1]:8301"]\n`, "ok"],
    [
      "cloud auto-join",
      `${BASE}join: ["provider=aws tag_key=consul tag_value=server"]\n`,
      "unknown-join",
      "cloud auto-join",
    ],
    ["a URL in `join`", `${BASE}join: ["http://10.0.0.11:8500"]\n`, "unknown-join"],
    ["a name with an underscore in `join`", `${BASE}join: [consul_server.example.com]\n`, "unknown-join"],
    [
      "IPv6, certificates and an old image",
      `${IPV6}image: hashicorp/consul:1.21.5@${DIGEST}\n`,
      "unsuitable-image",
      "IPv6",
    ],
    ["IPv6, certificates and an image of 1.22", `${IPV6}image: hashicorp/consul:1.22.2@${DIGEST}\n`, "ok"],
    [
      "IPv6 without certificates and an old image",
      `${IPV6.replace("security: on", "security: off")}image: hashicorp/consul:1.21.5\n`,
      "ok",
    ],
    [
      "an IPv6 address in capitals",
      BASE.replace(/hosts: .*/, "hosts: { s1: 'FD00:0:0::1' }").replace(/servers: [\s\S]*/, "servers: [s1]\n"),
      "ok",
    ],
    ["an IPv4 address in IPv6 notation", address('"::ffff:10.0.0.21"'), "ok"],
    ["an IPv6 address in brackets", address('"[fd00::1]"'), "invalid-address"],
    ["an IPv6 address with a zone", address('"fe80::1%eth0"'), "invalid-address mixed-families"],
    ["an address with a port", address("10.0.0.21:2375"), "invalid-address"],
    ["an address with a network", address("10.0.0.21/24"), "invalid-address"],
    ["an address with a leading zero", address("10.0.0.021"), "invalid-address"],
    ["an address of three numbers", address("10.0.21"), "invalid-address"],
    ["an address as a number", address("167772181"), "invalid-value"],
    ["a host name", address("web.example.com"), "invalid-address", "IP address"],
    ["a host name with an underscore", address("web_1"), "invalid-address"],
    ["digits that look like digits", address("１０.0.0.21"), "invalid-address"],
  ]);

  const agent = (text: string) => load(text).agents.find(({ name }) => name === "web1");
  test("an agent that binds to every address advertises its host's", () =>
    expect(agent(`${BASE}bind_addr: 0.0.0.0\n`)).toMatchObject({ bindAddr: "0.0.0.0", advertiseAddr: "10.0.0.21" }));
  test("an advertised address of one's own stays", () =>
    expect(agent(web1("bind_addr: 0.0.0.0, advertise_addr: 10.9.0.21"))?.advertiseAddr).toBe("10.9.0.21"));
  test("{address} is each host's", () =>
    expect(
      agent(`${BASE}client_addr: "127.0.0.1 {address}"\nbind_addr: "{address}"\nignore: [open-http]\n`),
    ).toMatchObject({
      clientAddresses: ["127.0.0.1", "10.0.0.21"],
      bindAddr: "10.0.0.21",
    }));
  test("a template is passed on as a whole, and the API is reached at the known address", () => {
    const template = '{{ GetInterfaceIP "docker0" }}';
    expect(agent(`${BASE}client_addr: '${template} 127.0.0.1'\nignore: [open-http]\n`)).toMatchObject({
      clientAddresses: [template, "127.0.0.1"],
      endpoints: { local: "http://127.0.0.1:8500", http: "http://127.0.0.1:8500" },
    });
  });
  test("ports in `join` are gossip's", () =>
    expect(agent(`${BASE}join: ["10.0.0.11:9301", consul.example.com]\n`)?.join).toEqual([
      { address: "10.0.0.11", port: 9301 },
      { address: "consul.example.com", port: 8301 },
    ]));
});

describe("C. The environment", () => {
  const page = readFileSync(join(PROJECT, "docs/environment.md"), "utf8");
  test.each([...Object.keys(REDIRECTING), "SSH_AUTH_SOCK", "CDKTF_OUTDIR"])(
    "the page of variables has %s",
    (variable) => expect(page).toContain(`\`${variable}\``),
  );
});

describe("D. What a host's daemon.json adds to containers", () => {
  const ignored = (text: string): unknown => {
    const resource = stacksOf(load(text)).bugs?.resource as unknown as {
      docker_container: { s1: { lifecycle: { ignore_changes: unknown } } };
    };
    return resource.docker_container.s1.lifecycle.ignore_changes;
  };
  test("an option of logs that the file does not set is no difference", () => {
    expect(ignored(BASE)).toContain('log_opts["compress"]');
    expect(ignored(BASE)).not.toContain('log_opts["max-size"]');
  });
  test("an option that the file sets is one", () =>
    expect(ignored(`${BASE}log: { driver: json-file, options: { compress: "true" } }\n`)).not.toContain(
      'log_opts["compress"]',
    ));
});

describe("E. An agent that does not become ready", () => {
  test.each([
    ["a port that it may not bind", "  | \\t* listen udp 127.0.0.1:53: bind: permission denied", "below 1024"],
    [
      "the disk of another agent",
      "Failed to join 10.0.0.11:8301: Member 's1' has conflicting node ID 'a' with this agent's ID",
      "node-id and serf/",
    ],
  ])("%s", async (_, line, words) => {
    const state = { status: "running", exitCode: 0, outOfMemory: false, error: "", restarts: 0 };
    const answer = (command: string) =>
      command.startsWith("container inspect") ? JSON.stringify(state) : `2026-11-28T21:00:00.000000000Z ${line}\n`;
    expect((await containerReport(new FakeDocker(answer), "s1")).lines.join("\n")).toContain(words);
  });
});

describe("F. Who owns what runs", () => {
  const file = (address: string) => `name: t
security: off
daemon: "ssh://root@{address}"
hosts: { n1: ${address} }
servers: [n1]
`;
  test("another address for a host whose former daemon has the container is rejected", async () => {
    const cluster = load(file("172.16.8.122"));
    const stacks = Object.entries(stacksOf(cluster)).map(([name, json]) => ({
      name,
      folder: "",
      dependencies: [],
      json,
    }));
    const container = {
      address: "docker_container.n1",
      mode: "managed",
      type: "docker_container",
      name: "n1",
    } as const;
    const resource = { ...container, provider: "n1_host", tainted: false, deposed: false, attributes: { id: "1" } };
    const state = { outputs: { n1: { join: "172.16.8.120" } }, resources: [resource] };
    const [problem] = await secondContainers(
      { cluster, stacks, states: new Map([["t", state]]), containers: new Map([["n1", []]]) },
      {
        containersOf: async ({ url }) =>
          url === "ssh://root@172.16.8.120"
            ? [{ id: "1", name: "n1", state: "running", command: "agent -node=n1" }]
            : [],
        membersSeenBy: async () => undefined,
        datacenterOf: async () => undefined,
        pause: async () => undefined,
        log: () => undefined,
      },
    );
    expect(problem).toMatchObject({ code: "agent-elsewhere", location: { line: 5 } });
    for (const way of ["move it to another machine", "another cluster", "renumbered"])
      expect(problem?.hint).toContain(way);
  });
});

describe("G. Spellings of HashiCorp's own pages", () => {
  judge([
    ["a config entry", `${BASE}config_entries: [{ Kind: service-defaults, Name: web, Protocol: http }]\n`, "ok"],
    [
      "a config entry of an unknown kind",
      `${BASE}config_entries: [{ Kind: service-default, Name: web }]\n`,
      "unknown-kind",
    ],
    ["a config entry with its kind twice", `${BASE}config_entries: [{ kind: mesh, Kind: mesh }]\n`, "ok"],
    [
      "a service",
      `${BASE}services: [{ Name: web, Port: 80, Check: { HTTP: "http://127.0.0.1", Interval: 10s } }]\n`,
      "ok",
    ],
    [
      "a check",
      `${BASE}checks: [{ ID: a, Name: a, TCP: "127.0.0.1:80", Interval: 10s, DeregisterCriticalServiceAfter: 1h }]\n`,
      "ok",
    ],
    [
      "an agent's own service",
      web1("services: [{ Name: web, TaggedAddresses: { lan: { address: 10.0.0.1 } } }]"),
      "ok",
    ],
    ["a misspelt key", `${BASE}services: [{ Name: web, prot: 80 }]\n`, "unknown-consul-key", "did you mean"],
  ]);
  test("is passed on by the names of files", () => {
    const { agents, definitions } = load(`${BASE}services: [{ Name: web, Checks: [{ TTL: 10s, ServiceID: web }] }]
config_entries: [{ Kind: proxy-defaults, Config: { protocol: http } }]
`);
    expect(agents[0]?.services).toEqual([{ name: "web", checks: [{ ttl: "10s", service_id: "web" }] }]);
    expect(definitions.config_entries["proxy-defaults/global"]).toMatchObject({
      kind: "proxy-defaults",
      name: "global",
    });
  });
  test("has its location", () => {
    const [said] = saidOf(clusterFile(`${BASE}services: [{ Name: web, Port: 0 }]\n`));
    expect(said?.place).toBe("7:31");
  });
  test.each([
    [{}, [], "/ui"],
    [{ ui_config: { content_path: "/consul/" } }, [], "/consul"],
    [{ ui_content_path: "consul" }, [], "/consul"],
    [{ ui_config: { content_path: "/" } }, [], "/"],
    [{ ui_config: { content_path: "/a/" } }, ["-ui-content-path=/b/c/"], "/b/c"],
  ])("the UI of %j %j is at %s", (config, flags, path) => expect(uiPath({ config, flags })).toBe(path));
});

describe("H. Images", () =>
  judge([
    ...[
      "consul",
      "consul:latest",
      "library/consul:1.15.4",
      "docker.io/library/consul:1.15.4",
      "hashicorp/consul:1.22.2-ubi",
      "docker.io/hashicorp/consul-enterprise:1.22.2-ent-ubi",
      "bitnami/consul:1.21.3",
      "bitnamilegacy/consul:1.21.3",
      "registry.example.com/bitnami/consul:1",
      "cgr.dev/chainguard/consul:latest",
      "hashicorp/consul-dataplane:1.9.0",
      "hashicorp/consul-k8s-control-plane:1.9.0",
      "progrium/consul",
    ].map((image): Row => [image, `${BASE}image: ${image}\n`, "unsuitable-image", "use hashicorp/consul:"]),
    ...[
      "hashicorp/consul:1.22.2",
      "hashicorp/consul",
      "hashicorp/consul:latest",
      `hashicorp/consul@${DIGEST}`,
      `hashicorp/consul:1.22.7@${DIGEST}`,
      "hashicorp/consul-enterprise:1.22.7-ent",
      "registry.example.com:5000/consul:1.22.7",
      "registry.example.com/team/consul-with-ubi:1",
      '"[fd00::1]:5000/consul:1"',
    ].map((image): Row => [image, `${BASE}image: ${image}\n`, "ok"]),
    ...[
      "HashiCorp/Consul:1.22.7",
      "hashicorp/consul@sha256:abc",
      "https://hub.docker.com/r/hashicorp/consul",
      "docker://hashicorp/consul:1",
      '"hashicorp/consul:1.22.7 "',
      '":1.22.7"',
      "1.22",
    ].map((image): Row => [image, `${BASE}image: ${image}\n`, "invalid-value"]),
  ]));

describe("I. Envoy beside a service", () => {
  const SIDECAR = "services: [{ name: web, port: 80, connect: { sidecar_service: {} } }]";
  judge([
    [
      "plain gRPC, open to the network",
      web1(`${SIDECAR}, client_addr: 0.0.0.0, ports: { grpc: 8502 }`, SECURED),
      "open-grpc",
      "remove `client_addr`",
    ],
    ["plain gRPC on loopback", web1(`${SIDECAR}, ports: { grpc: 8502 }`, SECURED), "ok"],
    ["no gRPC", web1(SIDECAR, SECURED), "unworkable-setting", "ports: { grpc: 8502 }"],
    [
      "gRPC with TLS, which wants a certificate",
      web1(`${SIDECAR}, ports: { grpc_tls: 8503 }`, SECURED),
      "unworkable-setting",
    ],
    [
      "gRPC with TLS, which wants none",
      `${BASE.replace("off", "{ stage: outgoing }")}`.replace(
        "[web1]",
        `[{ name: web1, ${SIDECAR}, ports: { grpc_tls: 8503 } }]`,
      ),
      "ok",
    ],
    ["no gRPC and no security", web1(SIDECAR), "unworkable-setting"],
    ["services of the cluster", `${SECURED}${SIDECAR}\n`, "unworkable-setting"],
    ["a mesh-native service", web1("services: [{ name: web, connect: { native: true } }]", SECURED), "ok"],
  ]);
});

describe("J. Registrator's socket", () => {
  test.each([
    ["/var/run/docker.sock", "/var/run/docker.sock"],
    ["/run/user/1000/docker.sock", "/run/user/1000/docker.sock"],
    ["/run/podman/podman.sock", "/run/podman/podman.sock"],
    ["/Users/me/.colima/default/docker.sock", "/var/run/docker.sock"],
    ["/Users/me/.lima/docker/sock/docker.sock", "/var/run/docker.sock"],
    ["/Users/me/.docker/run/docker.sock", "/var/run/docker.sock"],
    ["/home/me/.docker/desktop/docker.sock", "/var/run/docker.sock"],
    ["/Users/me/.rd/docker.sock", "/var/run/docker.sock"],
    ["/Users/me/.orbstack/run/docker.sock", "/var/run/docker.sock"],
    ["/Users/me/Library/Containers/com.docker.docker/Data/docker.raw.sock", "/var/run/docker.sock"],
  ])("of a daemon at %s is %s", (path, socket) =>
    expect(socketOf({ kind: "unix", url: `unix://${path}` })).toBe(socket),
  );
});

describe("YAML as people write it", () =>
  judge([
    ["a byte order mark", `\ufeff${BASE}`, "ok"],
    ["line ends of Windows", BASE.replaceAll("\n", "\r\n"), "ok"],
    ["line ends of old Macs", BASE.replaceAll("\n", "\r"), "yaml-syntax"],
    ["a tab as indentation", `${BASE}dns:\n\tonly_passing: true\n`, "yaml-syntax", "tabs are not allowed"],
    ["a tab after a colon", `${BASE}ui:\ttrue\n`, "ok"],
    [
      "a space that does not break",
      `${BASE}dns:\n\u00a0\u00a0only_passing: true\n`,
      "invalid-value unknown-key",
      "\\u00a0\\u00a0only_passing",
    ],
    ["a space of no width", `${BASE}u\u200bi: true\n`, "unknown-key", "u\\u200bi"],
    ["a Cyrillic letter in a name", BASE.replace("bugs", "b\u0443gs"), "invalid-name", "b\\u0443gs"],
    [
      "a Cyrillic letter in a key",
      `${BASE}d\u0430tacenter: dc1\n`,
      "unknown-key",
      'd\\u0430tacenter" here; did you mean "datacenter"',
    ],
    ["a name of another alphabet", BASE.replace("bugs", "\u0436\u0443\u043a"), "invalid-name", "\u0436\u0443\u043a"],
    ["quotes of a text processor", daemon("\u201cssh://root@{address}\u201d"), "invalid-value"],
    ["yes", `${BASE}ui: yes\n`, "invalid-value", "use true or false"],
    ["True", `${BASE}ui: True\n`, "ok"],
    ["On", BASE.replace("off", "On"), "invalid-value", "on, off"],
    ["false for off", BASE.replace("off", "false"), "invalid-value", "on, off"],
    [
      "a host that is called no",
      "name: no\nsecurity: off\ndaemon: unix:///var/run/docker.sock\nhosts: { no: 10.0.0.1 }\nservers: [no]\n",
      "ok",
    ],
    ["a name that is a number", BASE.replace("bugs", "1"), "invalid-value", "in quotes"],
    ["a port in octal, by YAML 1.2 decimal", `${BASE}ports: { http: 08500 }\n`, "ok"],
    ["a port in quotes", `${BASE}ports: { dns: "53" }\n`, "invalid-value", "whole number"],
    ["a port with an underscore", `${BASE}ports: { dns: 8_600 }\n`, "invalid-value"],
    ["minutes and seconds", `${BASE}ready_timeout: 2:00\n`, "invalid-value", "use a number"],
    ["hours, minutes and seconds", `${BASE}backups: { every: 1:30:00 }\n`, "invalid-value", "1h30m"],
    ["a date", `${BASE}labels: { since: 2026-11-29 }\n`, "ok"],
    ["a number as a label", `${BASE}labels: { tier: 1 }\n`, "invalid-value", "in quotes"],
    ["a boolean as a label", `${BASE}labels: { traefik.enable: true }\n`, "invalid-value", "in quotes"],
    ["a label of the product's own", `${BASE}labels: { consul-cdktf.role: boss }\n`, "invalid-value", "another name"],
    ["a label that is like one", `${BASE}labels: { consul-cdktf: "1" }\n`, "ok"],
    ["an empty label", `${BASE}labels: { a: "" }\n`, "ok"],
    [
      "a number as an option of the log",
      `${BASE}log: { driver: json-file, options: { max-file: 3 } }\n`,
      "invalid-value",
      "in quotes",
    ],
    ["a key twice", `${BASE}ui: true\nui: false\n`, "yaml-syntax", "unique"],
    ["a host twice", BASE.replace("s2: 10", "s1: 10"), "yaml-syntax", "unique"],
    ["an anchor and its alias", `${BASE}services: [{ name: a, tags: &t [x] }, { name: b, tags: *t }]\n`, "ok"],
    ["a merge key", `${BASE}dns: { <<: { only_passing: true } }\n`, "unknown-key", "YAML 1.1"],
    ["a document's end and another", `${BASE}---\n${BASE}`, "yaml-syntax", "second YAML document"],
  ]));

describe("Paths, sizes and durations", () =>
  judge([
    ["a home folder", web1("data: ~/consul"), "invalid-value", "absolute folder"],
    ["a relative folder", web1("data: ./consul"), "invalid-value", "absolute folder"],
    ["a folder of Windows", web1("data: 'C:\\consul'"), "invalid-value"],
    ["a folder with a colon", web1("data: '/srv:/x'"), "invalid-value"],
    ["a folder with a space", web1("data: '/srv/my data'"), "ok"],
    ["a folder with a percent sign", web1("data: '/srv/100%'"), "ok"],
    ["a folder with what Terraform would replace", web1("data: '/srv/${HOME}'"), "ok"],
    ["memory with a unit", `${BASE}resources: { memory: 512m }\n`, "invalid-value", "use a number"],
    ["memory in MiB", `${BASE}resources: { memory: 512 }\n`, "ok"],
    ["CPUs as text", `${BASE}resources: { cpus: "1.5" }\n`, "invalid-value", "use a number"],
    ["seconds without a unit", `${BASE}dns: { node_ttl: 5 }\n`, "invalid-value", "a number and a unit"],
    ["a day", `${BASE}dns: { node_ttl: 1d }\n`, "invalid-value", "a number and a unit"],
    ["a space before the unit", `${BASE}dns: { node_ttl: 5 s }\n`, "invalid-value"],
    ["a negative duration", `${BASE}dns: { node_ttl: -5s }\n`, "invalid-value"],
    ["backups of a day", `${BASE}backups: { every: 1d }\n`, "invalid-value", "1h30m"],
    ["a log with compression", `${BASE}log: { driver: local, options: { compress: "true" } }\n`, "ok"],
  ]));

describe("URLs of daemons", () =>
  judge([
    ["http", daemon('"http://{address}:2375"'), "invalid-value", "tcp+insecure"],
    ["tcp without a port", daemon('"tcp://{address}"'), "invalid-value", "host:port"],
    ["ssh with a path", daemon('"ssh://root@{address}/var/run/docker.sock"'), "invalid-value"],
    ["ssh without a scheme", daemon('"root@{address}"'), "invalid-value", "ssh://"],
    ["a pipe of Windows", daemon('"npipe:////./pipe/docker_engine"'), "invalid-value"],
    ["a variable of the shell", daemon('"ssh://$USER@{address}"'), "invalid-value", "$USER is not replaced"],
    ["a variable in braces", daemon('"ssh://${USER}@{address}"'), "invalid-value", "not replaced"],
    ["another placeholder", daemon('"ssh://{addr}"'), "invalid-value", "{address}"],
    ["a port of ssh", daemon('"ssh://root@{address}:2222"'), "ok"],
  ]));
