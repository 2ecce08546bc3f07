import { App, Fn, TerraformVariable, Token } from "cdktf";
import type { ConsulAgentProps } from "../../constructs/agent-props";
import { BackupSchedule, type BackupScheduleProps } from "../../constructs/backup-schedule";
import { ConsulClient, type ConsulClientProps } from "../../constructs/consul-client";
import { Registrator, type RegistratorProps } from "../../constructs/registrator";
import { OwnStack, synthesizeOwn } from "../own-stack";
import { containerOf } from "../synthesized";

const built = (props: object) => () => new OwnStack(new App()).client(1, props);
const registrator = (props: Partial<RegistratorProps>) => (stack: OwnStack) =>
  new Registrator(stack, "r", { agent: stack.client(1), ...props });
const backups = (props: Partial<BackupScheduleProps>) => (stack: OwnStack) =>
  new BackupSchedule(stack, "b", { server: stack.server(1), ...props });
const DIGEST = `sha256:${"0".repeat(64)}`;
const CHECK = { name: "x", http: "http://x", interval: "1s" };

describe("a value that a cluster file cannot have is rejected, with the prop's name and what to do:", () => {
  test.each<[prop: string, props: object, problem: string, hint: string]>([
    ["datacenter", { datacenter: "DC1" }, 'invalid-name: "DC1" cannot be used as datacenter', "lower-case letters"],
    ["node", { node: "web_1" }, 'invalid-name: "web_1" cannot be used as node', "lower-case letters"],
    ["container", { container: "-web" }, 'invalid-name: "-web" cannot be used as container', "a Docker name is two"],
    ["hostname", { hostname: "a.b" }, 'invalid-name: "a.b" cannot be used as hostname', "lower-case letters"],
    ["data", { data: "/" }, 'invalid-value: "/" cannot be used as data', "an absolute folder other than /"],
    ["decommission", { decommission: "no" }, 'invalid-value: "no" cannot be used as decommission', "true or false"],
    ["security.stage", { security: { stage: "on", secrets: "s" } }, 'invalid-value: "on" cannot', "one of permissive"],
    ["security.secrets", { security: { secrets: "a b" } }, 'invalid-value: "a b" cannot', "a folder relative to"],
    ["security", { security: {} }, "missing-key: `secrets` is missing", "add `secrets:`"],
    ["image", { image: "Consul:1" }, 'invalid-value: "Consul:1" cannot be used as image', "its name in lower case"],
    ["bindAddr", { bindAddr: "" }, 'invalid-value: "" cannot be used as bindAddr', "write something here"],
    ["advertiseAddr", { advertiseAddr: 1 }, "invalid-value: 1 cannot be used as advertiseAddr", "write it as text"],
    ["clientAddr", { clientAddr: ["::1"] }, "invalid-value: a list cannot be used as clientAddr", "write it as text"],
    ["ports", { ports: 8500 }, "invalid-value: 8500 cannot be used as ports", "write a mapping"],
    ["ports.http", { ports: { http: -1 } }, "invalid-value: -1 cannot be used as ports.http", "from 1 to 65535"],
    [
      "ports.grpcTls",
      { ports: { grpcTls: 65536 } },
      "invalid-value: 65536 cannot be used as ports.grpcTls",
      "from 1 to 65535",
    ],
    [
      "ports.serfLan",
      { ports: { serfLan: "1" } },
      'invalid-value: "1" cannot be used as ports.serfLan',
      "whole number",
    ],
    ["publish.dns", { publish: { dns: 0 } }, "invalid-value: 0 cannot be used as publish.dns", "from 1 to 65535"],
    ["ui", { ui: null }, "invalid-value: `ui` is empty", "delete the line"],
    ["restart", { restart: "never" }, 'invalid-value: "never" cannot be used as restart', "unless-stopped, on-failure"],
    ["log", { log: { options: {} } }, "missing-key: `driver` is missing", "add `driver:`"],
    [
      "log.options.max-file",
      { log: { driver: "x", options: { "max-file": 3 } } },
      "invalid-value: 3 cannot",
      "as text",
    ],
    [
      "resources.memory",
      { resources: { memory: 1 } },
      "invalid-value: 1 cannot be used as resources.memory",
      "at least 6",
    ],
    ["resources.cpuset", { resources: { cpuset: "a" } }, 'invalid-value: "a" cannot', "numbers and ranges"],
    [
      "dns.nodeTtl",
      { dns: { nodeTtl: "5" } },
      'invalid-value: "5" cannot be used as dns.nodeTtl',
      "a number and a unit",
    ],
    ["dns.serviceTtl.*", { dns: { serviceTtl: { "*": 5 } } }, "invalid-value: 5 cannot", "a number and a unit"],
    ["readyTimeout", { readyTimeout: 0 }, "invalid-value: 0 cannot be used as readyTimeout", "at least 1"],
    ["labels.rack", { labels: { rack: 5 } }, "invalid-value: 5 cannot be used as labels.rack", "as text"],
    ["flags[0]", { flags: ["log-json"] }, 'invalid-value: "log-json" cannot be used as flags[0]', "one or two hyphens"],
    ["services[0]", { services: [{ port: 80 }] }, "missing-key: `name` is missing", "add `name:`"],
    ["services[0].port", { services: [{ name: "x", port: 0 }] }, "invalid-value: 0 cannot", "from 1 to 65535"],
    [
      "services[0].check.interval",
      { services: [{ name: "x", check: { interval: "5" } }] },
      'invalid-value: "5"',
      "a number",
    ],
    ["checks[0].args", { checks: [{ name: "x", args: [] }] }, "invalid-value: a list cannot", "name a script"],
    ["checks[0].status", { checks: [{ ...CHECK, status: "up" }] }, 'invalid-value: "up" cannot', "one of passing"],
    ["bootstrapExpect", { bootstrapExpect: 0 }, "invalid-value: 0 cannot be used as bootstrapExpect", "at least 1"],
    ["maxParallelClients", { maxParallelClients: 1.5 }, "invalid-value: 1.5 cannot", "a whole number"],
  ])("%s", (prop, props, problem, hint) => {
    const [first, second] = messageOf(built(props)).split("\n");
    expect(first).toContain(`mine/c1.${prop}: error ${problem}`);
    expect(second).toContain(hint);
  });

  test("of a server, too", () =>
    expect(() => new OwnStack(new App()).server(1, { bootstrapExpect: 0.5 })).toThrow(
      "mine/s1.bootstrapExpect: error invalid-value: 0.5 cannot be used as bootstrapExpect",
    ));
  test.each<[string, (stack: OwnStack) => unknown, string]>([
    ["address", (stack) => stack.host(1, { address: "" }), 'mine/h1.address: error invalid-value: ""'],
    [
      "daemon",
      (stack) => stack.host(1, { daemon: "http://a" }),
      'mine/h1.daemon: error invalid-value: "http://a" cannot',
    ],
    ["daemon.url", (stack) => stack.host(1, { daemon: { url: "tcp://a" } }), "mine/h1.daemon.url: error invalid-value"],
    ["mirror", (stack) => stack.host(1, { mirror: "http://a" }), "mine/h1.mirror: error invalid-value"],
    ["subnet", (stack) => stack.host(1, { subnet: "10.0.0.0/8" }), "mine/h1.subnet: error invalid-value"],
    ["registries", (stack) => stack.host(1, { registries: [""] }), "mine/h1.registries[0]: error invalid-value"],
    ["retryAttempts", registrator({ retryAttempts: -2 }), "mine/r.retryAttempts: error invalid-value: -2 cannot"],
    ["tags", registrator({ tags: ["a,b"] }), 'mine/r.tags[0]: error invalid-value: "a,b" cannot be used as tags[0]'],
    ["log", registrator({ log: {} as never }), "mine/r.log: error missing-key: `driver` is missing"],
    ["keep", backups({ keep: 0 }), "mine/b.keep: error invalid-value: 0 cannot be used as keep"],
    ["to", backups({ to: "." }), 'mine/b.to: error invalid-value: "." cannot be used as to'],
  ])("%s, of another construct", (_, build, message) => expect(() => build(new OwnStack(new App()))).toThrow(message));
  test("a container's name that is the construct's id", () =>
    expect(() => new ConsulClient(new OwnStack(new App()).host(1), "a", {} as ConsulClientProps)).toThrow(
      'mine/h1/a.container: error invalid-name: "a" cannot be used as container',
    ));
  test("all of them at once", () =>
    expect(messageOf(built({ image: "", ports: { dns: 0 } })).match(/mine\/c1\.\S+/g)).toEqual([
      "mine/c1.image:",
      "mine/c1.ports.dns:",
    ]));
  test("a secret is not printed", () =>
    expect(messageOf(built({ labels: { password: 12345 } }))).toContain("the value cannot be used as labels.password"));
});

test.each<[string, Partial<ConsulAgentProps>]>([
  ["a port that is off", { ports: { dns: -1, grpcTls: -1 } }],
  ["an image by its digest", { image: `registry:5000/consul@${DIGEST}` }],
  ["a folder of the host", { data: "/srv/consul" }],
  ["an address template", { bindAddr: '{{ GetInterfaceIP "eth0" }}' }],
  ["keys of Consul that the schema does not have", { checks: [{ ...CHECK, output_max_size: 5 }] }],
  ["props and keys that are undefined", { image: undefined, config: { log_level: undefined as never } }],
])("%s is a value like any other", (_, props) => expect(built(props)).not.toThrow());

test("a value that only Terraform knows is not checked", () => {
  const synthesized = synthesizeOwn((stack) => {
    const { stringValue, numberValue } = new TerraformVariable(stack, "any", {});
    stack.client(1, {
      image: stringValue,
      node: Fn.lower(stringValue),
      ports: { dns: numberValue },
      labels: { rack: stringValue },
      config: { node_meta: { rack: stringValue }, limits: Token.asAny({ resolve: () => ({}) }) as never },
      services: [{ name: stringValue, port: numberValue }],
      restart: "${var.any}" as never,
    });
    stack.host(2, { daemon: `ssh://${stringValue}@{address}`, mirror: stringValue, registries: [stringValue] });
  });
  expect(containerOf(synthesized, "c1").restart).toBe("${var.any}");
});

describe("what services and checks get wrong together is an error of the synthesis:", () => {
  const elsewhere = { http: "http://x" };
  test.each<[string, Partial<ConsulAgentProps>, string]>([
    [
      "a check without an interval",
      { services: [{ name: "web", check: elsewhere }] },
      "services[0].check: `interval` is missing: how often the agent runs the http check; add `interval: 10s`",
    ],
    ["a check of no kind", { checks: [{ name: "x" }] }, "checks[0]: this check has no kind; give it one of http, tcp"],
    ["one without a name", { checks: [{ ttl: "1h" }] }, "checks[0]: `name` is missing"],
    [
      "one of a service that is not declared",
      { services: [{ name: "web" }], checks: [{ ...CHECK, service_id: "wep" }] },
      'checks[0].service_id: "wep" is not a declared service of the agent; did you mean "web"?',
    ],
    [
      "a script on an agent that runs none",
      { checks: [{ name: "x", args: ["a"], interval: "1s" }] },
      "checks[0].args: this check runs a script, and its agent does not allow script checks; allow it",
    ],
  ])("%s", (_, props, message) => {
    expect(() => synthesizeOwn((stack) => stack.client(1, props))).toThrow(`[mine/c1] ${message}`);
  });

  test("a check may be added before its service", () =>
    expect(() =>
      synthesizeOwn((stack) => {
        const client = stack.client(1);
        client.addCheck({ ...CHECK, service_id: "web" });
        client.addService({ name: "web" });
      }),
    ).not.toThrow());
});

/** What is thrown. */
function messageOf(build: () => unknown): string {
  try {
    build();
  } catch (error) {
    return (error as Error).message;
  }
  return "";
}
