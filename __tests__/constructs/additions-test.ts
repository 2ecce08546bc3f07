import { App, TerraformVariable } from "cdktf";
import type { ConsulAgentProps } from "../../constructs/agent-props";
import type { ConsulAgent } from "../../constructs/consul-agent";
import type { ConsulClient } from "../../constructs/consul-client";
import { ConsulCluster } from "../../constructs/consul-cluster";
import { ConsulServer } from "../../constructs/consul-server";
import { FOUR_HOSTS, load } from "../cluster-files";
import { OwnStack, synthesizeOwn } from "../own-stack";
import { containerOf, flagValues, requestOf, synthesize } from "../synthesized";

/** What the client agent gets that is built. */
function built(props: Partial<ConsulAgentProps>, add: (client: ConsulClient, stack: OwnStack) => void) {
  const synthesized = synthesizeOwn((stack) => add(stack.client(1, { host: stack.host(9), ...props }), stack));
  const step = synthesized.stacks.mine?.resource.terraform_data.c1_services;
  const { declared } = requestOf("services", step);
  expect(Object.values(step?.triggers_replace ?? {})[1]).toBe(declared);
  const container = containerOf(synthesized, "c1");
  return { declared: JSON.parse(declared), container, joined: flagValues(container, "-retry-join") };
}

describe("what is added to an agent is deployed beside its props:", () => {
  test("services and checks, sorted by id", () => {
    const { declared } = built({ services: [{ name: "web" }], checks: [{ name: "disk", ttl: "1h" }] }, (client) => {
      client.addService({ name: "api" }, { name: "db", id: "z" });
      client.addCheck({ name: "cpu", ttl: "1m" });
    });
    expect(declared).toEqual({
      checks: [
        { name: "cpu", ttl: "1m" },
        { name: "disk", ttl: "1h" },
      ],
      services: [{ name: "api" }, { name: "web" }, { id: "z", name: "db" }],
    });
  });

  test("labels, whose value may be given twice", () => {
    const { container } = built({ labels: { rack: "b", zone: "1" } }, (client) => {
      client.addLabel("rack", "b");
      client.addLabel("app", "x");
    });
    expect(container.labels).toEqual([
      { label: "SERVICE_IGNORE", value: "true" },
      { label: "app", value: "x" },
      { label: "consul-cdktf.agent", value: "c1" },
      { label: "consul-cdktf.role", value: "client" },
      { label: "rack", value: "b" },
      { label: "zone", value: "1" },
    ]);
  });

  test("servers of the stack, and others by their addresses", () => {
    const { joined } = built({ join: [ConsulServer.fromAddress("[fd00::1]:9301")] }, (client, stack) =>
      client.addJoin(stack.server(1), ConsulServer.fromAddress("consul.example.com")),
    );
    expect(joined).toEqual(["10.0.0.1", "[fd00::1]:9301", "consul.example.com"]);
  });

  test("an address that only Terraform knows", () => {
    const { joined } = built({ join: [] }, (client, stack) => {
      const { stringValue } = new TerraformVariable(stack, "server", { type: "string" });
      client.addJoin(ConsulServer.fromAddress(stringValue));
    });
    expect(joined).toEqual(["${var.server}"]);
  });
});

test("a server may be named twice, and is joined once", () => {
  const { joined } = built({}, (client, stack) => {
    const server = stack.server(1);
    client.addJoin(server);
    client.addJoin(server);
  });
  expect(joined).toEqual(["10.0.0.1", "10.9.9.9"]);
});

describe("what an agent would have twice is an error that names both:", () => {
  const client = (props: Partial<ConsulAgentProps> = {}) => new OwnStack(new App()).client(1, props);
  const elsewhere = ConsulServer.fromAddress("10.0.0.7");

  test.each<[string, () => void, string]>([
    [
      "two services with one id",
      () => client({ services: [{ name: "web" }] }).addService({ name: "api" }, { name: "shop", id: "web" }),
      'mine/c1.services[2]: error duplicate-service: this service has the id "web", as services[0] of the same agent, and would replace it',
    ],
    [
      "two services of the props",
      () => client({ services: [{ name: "web" }, { name: "web" }] }),
      'mine/c1.services[1]: error duplicate-service: this service has the id "web", as services[0]',
    ],
    [
      "two checks with one id",
      () => client({ checks: [{ name: "cpu", ttl: "1m" }] }).addCheck({ name: "cpu", ttl: "2m" }),
      'mine/c1.checks[1]: error duplicate-service: this check has the id "cpu", as checks[0]',
    ],
    [
      "a check with the id of a service's check",
      () => client({ services: [{ name: "web", check: { id: "up", ttl: "1m" } }] }).addCheck({ name: "up", ttl: "2m" }),
      'mine/c1.checks[0]: error duplicate-service: this check has the id "up", as services[0].check',
    ],
    [
      "a label with two values",
      () => client({ labels: { rack: "b" } }).addLabel("rack", "c"),
      'mine/c1: the label "rack" has two values: "b" and "c"; set it once',
    ],
    [
      "two servers of one address",
      () => {
        const stack = new OwnStack(new App());
        const host = stack.host(7);
        stack.client(1, { join: [stack.server(1, { host }), stack.server(2, { host })] });
      },
      "mine/c1 would join two servers of one address: mine/s1 and mine/s2; name each server once",
    ],
    [
      "a server of the stack, and its address",
      () => {
        const stack = new OwnStack(new App());
        stack.client(1, { join: [elsewhere] }).addJoin(stack.server(7));
      },
      'mine/c1 would join two servers of one address: ConsulServer.fromAddress("10.0.0.7") and mine/s7',
    ],
  ])("%s", (_, add, message) => expect(add).toThrow(message));

  test("a wrong value is an error of the call, too", () => {
    expect(() => client().addService({ name: "web", port: 0 })).toThrow(
      "mine/c1.services[0].port: error invalid-value",
    );
    expect(() => client().addLabel("rack", 1 as never)).toThrow("mine/c1.labels.rack: error invalid-value");
  });
  test("an agent of a cluster file may be given what is wrong with the rest only at its synthesis", () => {
    const change = (add: (agent: ConsulAgent) => void) => () =>
      synthesize((app) => {
        const cluster = new ConsulCluster(app, load(`${FOUR_HOSTS}checks: [{ name: cpu, ttl: 1m }]\n`));
        add(cluster.agents.get("s1") as ConsulAgent);
      });
    expect(change((agent) => agent.addCheck({ name: "cpu", ttl: "2m" }))).toThrow("c/s1.checks[1]: error duplicate");
    expect(change((agent) => agent.addCheck({ name: "disk" }))).toThrow("[c/s1] checks[1]: this check has no kind");
    expect(change(() => undefined)).not.toThrow();
  });
});

test("servers may be given a list of all servers: each joins the others", () => {
  const synthesized = synthesizeOwn((stack) => {
    const servers = [1, 2, 3].map((number) => stack.server(number, { bootstrapExpect: 2 }));
    for (const server of servers) server.addJoin(...servers);
  });
  expect(["s1", "s2", "s3"].map((name) => flagValues(containerOf(synthesized, name), "-retry-join"))).toEqual([
    ["10.0.0.2", "10.0.0.3"],
    ["10.0.0.1", "10.0.0.3"],
    ["10.0.0.1", "10.0.0.2"],
  ]);
});

test("text that is no address to join is rejected", () =>
  expect(() => ConsulServer.fromAddress("10.0.0.1, 10.0.0.2")).toThrow('"10.0.0.1, 10.0.0.2" is no address to join'));

test.each<[string, (client: ConsulClient) => void, string]>([
  [
    "service",
    (client) => client.addService({ name: "web", token: "HUSH" }),
    "mine/c1.services[1].token: error secret-in-config",
  ],
  [
    "check",
    (client) => client.addCheck({ name: "x", http: "http://x", header: { Authorization: ["HUSH"] } }),
    "mine/c1.checks[0].header.Authorization[0]: error secret-in-config",
  ],
  ["label", (client) => client.addLabel("db_password", "HUSH"), "mine/c1.labels.db_password: error secret-in-config"],
])("a secret in a %s that is added is rejected, and not printed", (_, add, message) => {
  const client = new OwnStack(new App()).client(1, { services: [{ name: "first" }] });
  expect(() => add(client)).toThrow(message);
  expect(() => add(client)).not.toThrow("HUSH");
});
