import { App, TerraformVariable } from "cdktf";
import type { ConsulAgentProps } from "../../constructs/agent-props";
import type { ConsulClient } from "../../constructs/consul-client";
import { ConsulServer } from "../../constructs/consul-server";
import { OwnStack, synthesizeOwn } from "../own-stack";
import { containerOf, flagValues, requestOf } from "../synthesized";

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

  test("labels; the last value counts", () => {
    const { container } = built({ labels: { rack: "b", zone: "1" } }, (client) => {
      client.addLabel("rack", "c");
      client.addLabel("app", "x");
    });
    expect(container.labels).toEqual([
      { label: "SERVICE_IGNORE", value: "true" },
      { label: "app", value: "x" },
      { label: "rack", value: "c" },
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
